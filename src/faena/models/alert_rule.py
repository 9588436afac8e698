"""When people are told that something is wrong, and how."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class Condition(models.TextChoices):
    """What is watched; `threshold` says from where on it is too much."""

    FAILURE_RATE = "failure_rate", _("failure rate (%)")
    OLDEST_WAIT = "oldest_wait", _("oldest wait (s)")
    DEAD_LETTERS = "dead_letters", _("failed jobs that nobody has dealt with")
    LATE_SCHEDULES = "late_schedules", _("schedule late by (s), or unable to fire")
    NO_WORKERS = "no_workers", _("nobody works on a queue for (s)")
    BOOKS = "books", _("books out of balance")
    DISK = "disk", _("free disk space below (%)")


class Channel(models.TextChoices):
    """How people are told."""

    MAIL = "mail", _("mail")
    SLACK = "slack", _("Slack or compatible")
    WEBHOOK = "webhook", _("webhook")


#: Conditions that may be about one queue.
OF_A_QUEUE = frozenset({Condition.FAILURE_RATE, Condition.OLDEST_WAIT, Condition.DEAD_LETTERS, Condition.NO_WORKERS})
#: Conditions that need no threshold.
PLAIN = frozenset({Condition.BOOKS})


class AlertRule(models.Model):
    """Fields and properties only; the duty `alert_once` looks and opens incidents."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    condition = models.CharField(_("condition"), max_length=20, choices=Condition)
    threshold = models.FloatField(_("threshold"), default=0)
    #: How far back a rate is counted.
    minutes = models.PositiveSmallIntegerField(_("over the last (min)"), default=10)
    queue = models.CharField(_("queue"), max_length=255, blank=True, default="", help_text=_("Empty: each of them."))
    channel = models.CharField(_("tell by"), max_length=10, choices=Channel)
    target = models.CharField(_("address"), max_length=500, help_text=_("Mail addresses with commas, or a URL."))
    secret = models.CharField(
        _("signing key"), max_length=200, blank=True, default="",
        help_text=_("A webhook's requests are signed with it (HMAC-SHA256)."),
    )  # fmt: skip
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        verbose_name = _("alert rule")
        verbose_name_plural = _("alert rules")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def needs_threshold(self) -> bool:
        """Whether its condition is about too much, or too little, of something."""
        return self.condition not in PLAIN

    @property
    def addresses(self) -> list[str]:
        """The mail addresses."""
        return [each.strip() for each in self.target.split(",") if each.strip()]

    def clean(self) -> None:
        """Refuse what could never be sent or never be true.

        Raises:
            ValidationError: by field.
        """
        problems = _of_target(self)
        if not 1 <= self.minutes <= 1440:
            problems["minutes"] = gettext("This goes from 1 to 1440.")
        if self.needs_threshold and not self.threshold > 0:
            problems["threshold"] = gettext("This is more than 0.")
        if self.condition in {Condition.FAILURE_RATE, Condition.DISK} and self.threshold > 100:
            problems["threshold"] = gettext("A share is at most 100 %.")
        if problems:
            raise ValidationError({field: [text] for field, text in problems.items()})


def _of_target(rule: AlertRule) -> dict[str, str]:
    try:
        if rule.channel == Channel.MAIL:
            for each in rule.addresses or [""]:
                validate_email(each)
        elif not _is_address(rule.target):
            raise ValidationError("")
    except ValidationError:
        is_mail = rule.channel == Channel.MAIL
        return {
            "target": gettext("These are no mail addresses.") if is_mail else gettext("This is no http(s) address.")
        }
    return {}


def _is_address(text: str) -> bool:
    """Whether a request can be sent there; names within a network, such as `receiver:9000`, count."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
