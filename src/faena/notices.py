"""Messages to people about incidents: what they say, and how they travel."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from faena.errors import FaenaError, PermanentFailure
from faena.models import AlertRule, Incident
from faena.models.alert_rule import Channel, Condition

#: Seconds that a receiver has to answer.
PATIENCE = 10.0


class NotDelivered(FaenaError):
    """The receiver could not be reached, or was not able to take the message now."""


def send(rule_id: int, incident_id: int | None, what: str) -> str:
    """Tell people that an incident opened or ended, or that messages arrive (`test`).

    Returns:
        The channel; empty where the rule or the incident is gone.

    Raises:
        NotDelivered: try again.
        PermanentFailure: trying again cannot help.
    """
    rule = AlertRule.objects.filter(pk=rule_id).first()
    incident = Incident.objects.filter(pk=incident_id).first() if incident_id else None
    if rule is None or (incident is None and what != "test"):
        return ""
    with override(settings.LANGUAGE_CODE):
        subject, text = composed(rule, incident, what)
    if rule.channel == Channel.MAIL:
        _mail(rule, subject, text)
    elif rule.channel == Channel.SLACK:
        _post(rule, {"text": f"*{subject}*\n{text}"}, what)
    else:
        _post(rule, _event(rule, incident, what, f"{subject}\n{text}"), what)
    return rule.channel


def composed(rule: AlertRule, incident: Incident | None, what: str) -> tuple[str, str]:
    """Subject and text, in the language that is active."""
    if incident is None:
        return _("Faena: test of “%(rule)s”") % {"rule": rule}, _("Messages of this rule arrive here.")
    if what == "ended":
        subject = _("Faena: “%(rule)s” is over") % {"rule": rule}
    else:
        subject = _("Faena: “%(rule)s”") % {"rule": rule}
    return subject, describe(rule.condition, incident.found)


def describe(condition: str, found: dict[str, Any]) -> str:
    """What was found, in words."""
    facts = {"value": number_format(found.get("value", 0)), "names": ", ".join(found.get("names", []))}
    of_queue = " " + _("Queue: %(names)s.") % facts if facts["names"] else ""
    match condition:
        case Condition.FAILURE_RATE:
            return _("%(value)s %% of the jobs that ended lately have failed.") % facts + of_queue
        case Condition.OLDEST_WAIT:
            return _("A job has been waiting for %(value)s s.") % facts + of_queue
        case Condition.DEAD_LETTERS:
            return _("%(value)s failed jobs are neither retried nor discarded.") % facts + of_queue
        case Condition.LATE_SCHEDULES:
            return _("Schedules are late or cannot fire: %(names)s.") % facts
        case Condition.NO_WORKERS:
            return _("Jobs have been waiting for %(value)s s, and no worker listens.") % facts + of_queue
        case Condition.BOOKS:
            return _("The books do not balance: %(value)s jobs are missing.") % facts
    return _("%(value)s %% of the disk are free.") % facts


def _event(rule: AlertRule, incident: Incident | None, what: str, text: str) -> dict[str, Any]:
    found = incident.found if incident else {}
    return {
        "event": f"incident.{what}",
        "incident": incident and incident.pk,
        "rule": rule.name,
        "condition": rule.condition,
        "threshold": rule.threshold,
        "value": found.get("value"),
        "names": found.get("names", []),
        "started": incident and incident.started.isoformat(),
        "ended": incident.ended.isoformat() if incident and incident.ended else None,
        "text": text,
    }


def _mail(rule: AlertRule, subject: str, text: str) -> None:
    try:
        EmailMessage(subject.replace("\n", " "), text, to=rule.addresses).send()
    except OSError as error:  # of which SMTP's errors are kinds
        raise NotDelivered(_("The mail server refused the message: %(error)s.") % {"error": error}) from None


def _post(rule: AlertRule, payload: dict[str, Any], what: str) -> None:
    import httpx

    body = json.dumps(payload, ensure_ascii=False).encode()
    try:
        answer = httpx.post(rule.target, content=body, headers=_headers(rule, body, what), timeout=PATIENCE)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # Not the error's own words: they hold the address, and that may be a secret.
        raise NotDelivered(_("The receiver cannot be reached: %(error)s.") % {"error": type(error).__name__}) from None
    if answer.status_code in {408, 425, 429} or answer.status_code >= 500:
        raise NotDelivered(_("The receiver answered %(status)s.") % {"status": answer.status_code})
    if not answer.is_success:
        raise PermanentFailure(_("The receiver refused the message: %(status)s.") % {"status": answer.status_code})


def _headers(rule: AlertRule, body: bytes, what: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "User-Agent": "Faena", "X-Faena-Event": f"incident.{what}"}
    if rule.secret:
        headers["X-Faena-Timestamp"] = moment = str(int(time.time()))
        headers["X-Faena-Signature"] = f"sha256={signature(rule.secret, moment, body)}"
    return headers


def signature(secret: str, moment: str, body: bytes) -> str:
    """What a receiver computes as well: HMAC-SHA256 of `moment.body`, in hex."""
    return hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
