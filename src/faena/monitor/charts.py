"""Charts as SVG made here: no script, sizes as attributes, each step with its words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from faena.models.job import STATES
from faena.models.occurrence import Outcome
from faena.monitor.schedule_list import Mark
from faena.throughput import Step

#: A job's state is called by its own name where an outcome has the same.
_NAMES = {str(outcome): outcome for outcome in Outcome} | {str(state): label for state, label in STATES}
#: Part of a step's width that its bar takes.
FILLED = 0.7


def throughput_chart(steps: Sequence[Step]) -> SafeString:
    """What ended in each step as a stack: completed, cancelled, failed on top."""
    top = peak(steps)
    slot = 100 / max(1, len(steps))
    columns = format_html_join("", "{}", ((_column(each, n * slot, slot, top),) for n, each in enumerate(steps)))
    summary = _("%(completed)s completed and %(failed)s failed, the most in one step %(peak)s") % {
        "completed": intcomma(sum(each.completed for each in steps)),
        "failed": intcomma(sum(each.failed for each in steps)),
        "peak": intcomma(max((each.ended for each in steps), default=0)),
    }
    return format_html('<svg class="chart" role="img" aria-label="{}">{}</svg>', summary, columns)


def peak(steps: Sequence[Step]) -> int:
    """The top of the chart's scale: a round number not below any step."""
    most = max((each.ended for each in steps), default=0)
    if most <= 5:
        return max(1, most)
    magnitude = 10 ** (len(str(most)) - 1)
    return next(int(part * magnitude) for part in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if part * magnitude >= most)


def axis(steps: Sequence[Step], marks: int = 5) -> list[str]:
    """The times below the chart, evenly spaced."""
    if not steps:
        return []
    is_long = (steps[-1].at - steps[0].at).days >= 2
    last = len(steps) - 1
    return [_moment(steps[last * n // (marks - 1)].at, is_long) for n in range(marks)]


def sparkline(values: Sequence[int], label: str, css: str = "") -> SafeString:
    """Bars without axes, for a cell of a table."""
    top, slot = max(1, *values) if values else 1, 100 / max(1, len(values))
    bars = [
        (
            f"{n * slot:.2f}",
            f"{slot * FILLED:.2f}",
            *_height(value, 0, top, least=8 if value else 3),
            "" if value else "none",
        )
        for n, value in enumerate(values)
    ]
    rects = format_html_join("", '<rect x="{}%" width="{}%" y="{}%" height="{}%" class="{}"></rect>', bars)
    return format_html('<svg class="spark {}" role="img" aria-label="{}">{}</svg>', css, label, rects)


def strip(marks: Sequence[Mark]) -> SafeString:
    """What came of a schedule's occurrences, one square each, oldest first."""
    names = {state: mark_name(state) for state in {each.state for each in marks}}
    moments = [f"{timezone.localtime(each.occurrence.due_at):%Y-%m-%d %H:%M}" for each in marks]
    squares = format_html_join(
        "",
        '<span data-state="{}" title="{} · {}"></span>',
        ((each.state, at, names[each.state]) for each, at in zip(marks, moments, strict=True)),
    )
    label = ngettext("the last occurrence", "the last %(number)s occurrences", len(marks)) % {"number": len(marks)}
    return format_html('<span class="strip" role="img" aria-label="{}">{}</span>', label, squares)


def mark_name(state: str) -> str:
    """The name of a job's state or of an occurrence's outcome."""
    name = _NAMES.get(state, state)
    return str(name.label if isinstance(name, Outcome) else name)


def _column(step: Step, x: float, slot: float, top: int) -> SafeString:
    left, width = f"{x + slot * (1 - FILLED) / 2:.3f}", f"{slot * FILLED:.3f}"
    parts, below = [], 0
    for name, value in (("done", step.completed), ("off", step.cancelled), ("failed", step.failed)):
        if value:
            parts.append((name, left, width, *_height(value, below, top, least=1.5)))
            below += value
    rects = format_html_join("", '<rect class="chart-{}" x="{}%" width="{}%" y="{}%" height="{}%"></rect>', parts)
    hit = format_html(
        '<rect class="chart-hit" x="{}%" width="{}%" y="0" height="100%"></rect>', f"{x:.3f}", f"{slot:.3f}"
    )
    return format_html('<g data-said="{}"><title>{}</title>{}{}</g>', _said(step), _said(step), hit, rects)


def _height(value: int, below: int, top: int, least: float) -> tuple[str, str]:
    height = max(least, 100 * value / top) if value or least else 0.0
    return f"{max(0.0, 100 - 100 * below / top - height):.2f}", f"{height:.2f}"


def _said(step: Step) -> str:
    words = {"at": _moment(step.at, False), "completed": intcomma(step.completed), "failed": intcomma(step.failed)}
    return _("%(at)s: %(completed)s completed, %(failed)s failed") % words


def _moment(at: datetime, with_day: bool) -> str:
    at = timezone.localtime(at)
    return date_format(at, "SHORT_DATE_FORMAT") if with_day else time_format(at, "H:i")
