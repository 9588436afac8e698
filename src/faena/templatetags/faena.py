"""What the templates of the monitor and of every system share: `{% load faena %}`."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma, naturaltime
from django.template.defaultfilters import filesizeformat
from django.templatetags.static import static
from django.urls import get_script_prefix
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from faena import masking, notices, phrasing, queries
from faena.errors import NoInput
from faena.models import Incident, Job, Schedule
from faena.models.job import STATES
from faena.monitor import audit_words, charts
from faena.monitor.navigation import Entry, entries
from faena.permissions import may_administer as user_may_administer
from faena.permissions import may_operate as user_may_operate

#: The languages of the catalogue.
SPOKEN = ("es", "en")
#: What workers write as the reason of a cancellation, of a failure, and of a job that could not be acted upon; and
#: the titles of Faena's own jobs.
OWN_REASONS = (
    gettext_noop("Cancelled while it ran."),
    gettext_noop("The body raised Ignore."),
    gettext_noop("Discarded after it failed."),
    gettext_noop("It is pending."),
    gettext_noop("It is running."),
    gettext_noop("It is paused."),
    gettext_noop("It is completed."),
    gettext_noop("It is completed_with_errors."),
    gettext_noop("It is failed."),
    gettext_noop("It is cancelled."),
    gettext_noop("A job with the same unique key is live."),
    NoInput.REASON,
    gettext_noop("Cancelled; its process was ended, as it did not stop by itself in time."),
    *(gettext_noop("revoked"), gettext_noop("expired"), gettext_noop("terminated")),
    *(gettext_noop("retry: many jobs"), gettext_noop("cancel: many jobs"), gettext_noop("pause: many jobs")),
    *(gettext_noop("resume: many jobs"), gettext_noop("discard: many jobs")),
)
_CRASHED = re.compile(r"killed its worker (?P<number>\d+) times")

register = template.Library()
# Here, so that no project needs `django.contrib.humanize` in its apps.
register.filter("intcomma", intcomma, is_safe=True)
register.filter("naturaltime", naturaltime)
register.simple_tag(charts.throughput_chart)
register.simple_tag(charts.sparkline)
register.simple_tag(charts.strip)
register.simple_tag(charts.mark_name)
_STATE_NAMES: dict[str, Any] = {str(state): label for state, label in STATES}


@register.simple_tag(takes_context=True)
def navigation(context: template.Context) -> list[Entry]:
    """The entries of the navigation, the monitor's and each installed system's."""
    return entries(context["request"].path)


@register.simple_tag(takes_context=True)
def may_operate(context: template.Context) -> bool:
    """Whether the signed-in person may act on jobs: `{% may_operate as can %}`."""
    return user_may_operate(context["request"].user)


@register.simple_tag(takes_context=True)
def may_administer(context: template.Context) -> bool:
    """Whether the signed-in person decides on rules and tokens: `{% may_administer as can %}`."""
    return user_may_administer(context["request"].user)


@register.simple_tag(takes_context=True)
def live(context: template.Context, job: Job | None = None) -> SafeString:
    """Where the page hears of changes, as an attribute of its body: of everything, or of one job.

    Nothing where the web process does not serve the live channel (`faena.live.application.beside`).
    """
    if "faena.live" not in getattr(context["request"], "scope", {}):
        return SafeString("")
    return format_html(' data-live="{}ws/{}"', get_script_prefix(), f"jobs/{job.pk}" if job else "monitor")


@register.simple_tag
def languages() -> list[str]:
    """The codes of the languages that the pages speak and the project offers; none when there is no choice."""
    offered = [code for code, _name in settings.LANGUAGES if code in SPOKEN]
    return offered if len(offered) > 1 else []


@register.simple_tag
def icon(name: str) -> SafeString:
    """One of the icons in `faena/icons.svg`, hidden from screen readers."""
    return format_html(
        '<svg class="icon icon-{}" aria-hidden="true" width="16" height="16"><use href="{}#{}"></use></svg>',
        name,
        static("faena/icons.svg"),
        name,
    )


@register.simple_tag
def badge(state: str) -> SafeString:
    """A job's state as a coloured badge."""
    return format_html(
        '<span class="badge" data-state="{}"><span class="dot"></span>{}</span>',
        state,
        _STATE_NAMES.get(state, state),
    )


@register.simple_tag
def bar(job: Job, size: str = "") -> SafeString:
    """A job's progress as a bar of what is done, failed and skipped. Widths are attributes: no inline style.

    Every bar has the same parts in the same order: a fresh one is morphed into the old part by part.
    """
    total = job.total or (job.done + job.failed + job.skipped if job.is_finished else 0)
    done, failed, skipped = (job.done, job.failed, job.skipped) if total else (int(job.percent == 100), 0, 0)
    is_unknown = not total and job.is_held
    total = total or 1
    percent = min(100, 100 * (done + failed + skipped) // total)
    counts = [("done", done), ("failed", failed), ("skipped", skipped), ("unknown", int(is_unknown))]
    return format_html(
        '<svg class="bar {}" data-state="{}" role="progressbar" aria-label="{}"'
        ' aria-valuemin="0" aria-valuemax="100"{}>{}</svg>',
        size,
        job.state,
        _("Progress"),
        "" if is_unknown else format_html(' aria-valuenow="{}"', percent),
        format_html_join("", '<rect class="bar-{}" x="{}%" width="{}%" height="100%"></rect>', _parts(counts, total)),
    )


def _parts(counts: list[tuple[str, int]], total: int) -> list[tuple[str, str, str]]:
    parts, x = [], 0.0
    for name, number in counts:
        width = min(100 - x, 35.0 if name == "unknown" and number else 100 * number / total)
        parts.append((name, f"{x:.2f}", f"{width:.2f}"))
        x += width
    return parts


@register.filter
def duration(value: timedelta | None) -> str:
    """A length of time in its two largest units: 350 ms, 4.2 s, 3 min 5 s, 2 h 10 min, 3 d 4 h."""
    if value is None:
        return ""
    seconds = value.total_seconds()
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 60:
        return f"{number_format(seconds, 1 if seconds < 10 else 0)} s"
    for name, unit, smaller, small in (("min", 60, "s", 1), ("h", 3600, "min", 60), ("d", 86400, "h", 3600)):
        if seconds < unit * {"min": 60, "h": 24}.get(name, 10**9):
            large, rest = divmod(int(seconds), unit)
            return f"{large} {name} {rest // small} {smaller}" if rest // small else f"{large} {name}"
    return ""


@register.filter
def told(kept: object) -> str:
    """The reason or title that the ledger keeps, in the language of the page if it is one of Faena's own."""
    text = str(kept)
    if crashed := _CRASHED.fullmatch(text):
        return _("killed its worker %(number)s times") % crashed.groupdict()
    return _(text) if text in OWN_REASONS else text


@register.filter
def took(job: Job) -> timedelta | None:
    """How long the job ran, or has been running."""
    return timezone.now() - job.started if job.is_held and job.started else job.duration


@register.simple_tag
def as_json(value: Any) -> str:
    """A value as JSON, secrets hidden, the end cut off where it is long."""
    return Truncator(json.dumps(masking.masked(value), ensure_ascii=False, indent=2)).chars(5_000)


@register.simple_tag(takes_context=True)
def without(context: template.Context, name: str) -> str:
    """The page's query without this name, from the first page on."""
    query = context["request"].GET.copy()
    for gone in (name, "before", "after"):
        query.pop(gone, None)
    return f"?{query.urlencode()}" if query else ""


@register.simple_tag
def masked_args(task: str, args: list[Any]) -> str:
    """Arguments by place as JSON, secrets hidden."""
    return json.dumps(masking.masked_args(task, args), ensure_ascii=False)


@register.simple_tag
def masked_kwargs(kwargs: dict[str, Any]) -> str:
    """Arguments by name as JSON, secrets hidden."""
    return json.dumps(masking.masked(kwargs), ensure_ascii=False)


@register.filter
def when(schedule: Schedule) -> str:
    """A schedule's timing in plain words."""
    return phrasing.describe(schedule)


@register.filter
def described(incident: Incident) -> str:
    """What an incident found, in words."""
    return notices.describe(incident.rule.condition, incident.found)


@register.filter
def lasted(incident: Incident) -> timedelta | None:
    """How long it was wrong."""
    return incident.ended - incident.started if incident.ended else None


@register.filter
def acted(action: str) -> str:
    """What somebody did, in the language of the page."""
    return audit_words.said(action)


@register.simple_tag
def setting(value: Any) -> Any:
    """A setting's value; a length of time in words."""
    return duration(value) if isinstance(value, timedelta) else value


@register.filter
def since(at: datetime | None) -> timedelta | None:
    """How long ago that was."""
    return timezone.now() - at if at else None


@register.filter
def until(at: datetime | None) -> timedelta | None:
    """How long it is until then; nothing once it has come."""
    return max(timedelta(0), at - timezone.now()) if at else None


@register.filter
def size(number: int | None) -> str:
    """Bytes as people say them."""
    return "" if number is None else filesizeformat(number)


@register.filter
def counted(number: int | None, ceiling: int = queries.CEILING) -> str:
    """A count that stops at a ceiling: 10 000+."""
    if number is None:
        return ""
    return f"{intcomma(ceiling)}+" if number > ceiling else str(intcomma(number))


@register.filter
def rate(value: float) -> str:
    """Rows per second, with as many digits as say something."""
    return str(intcomma(round(value))) if value >= 100 else number_format(value, 1 if value >= 1 else 2)


@register.filter
def plus(value: int, more: int) -> int:
    """Attempts are counted from 0; people count from 1."""
    return value + more
