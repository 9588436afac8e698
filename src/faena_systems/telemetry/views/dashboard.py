"""The page of the telemetry: how the synchronisation stands, and what the merged records say of a period."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.generic import TemplateView

from faena.monitor.page import Page

from .. import analytics, standing
from ..analytics import By, Period
from ..analytics.summary import Comparison, Summary
from . import figures, wording
from .choice import COMPARISONS, PRESETS, Choice, choose, days_to_come

#: Days that the charts by day draw, at most: the last ones of the period.
CHANGES, DAILY = 92, 735
SIGMAS = 3.0
ONE_DAY = timedelta(days=1)
SLOTS: dict[str, str | Promise] = {
    "madrugada": gettext_lazy("Small hours"),
    "mañana": gettext_lazy("Morning"),
    "tarde": gettext_lazy("Afternoon"),
    "noche": pgettext_lazy("part of the day", "Evening"),
}
STEPS: dict[By, str | Promise] = {
    By.DAY: gettext_lazy("Day"),
    By.WEEK: gettext_lazy("Week"),
    By.MONTH: gettext_lazy("Month"),
}
#: What the summary's tiles say; each is the name of a percentage of `Comparison`.
NUMBERS: dict[str, str | Promise] = {
    "views": gettext_lazy("Views"),
    "hours": gettext_lazy("Hours watched"),
    "average": gettext_lazy("Average view"),
    "subscribers": gettext_lazy("Subscribers"),
    "devices": gettext_lazy("Devices"),
    "channels": gettext_lazy("Channels"),
}


@dataclass(frozen=True, slots=True)
class Tile:
    """A number of the summary, and by how many percent it differs from the other period's."""

    label: str | Promise
    value: str
    before: str
    change: str
    kind: str


class Dashboard(Page, TemplateView):
    """All of it; without merged records, what to do to get some."""

    template_name = "telemetria/dashboard.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Ask the analytics about the chosen period."""
        today = timezone.localdate()
        covered = analytics.coverage(today)
        choice = choose(self.request.GET, covered, today)
        context = super().get_context_data(**kwargs) | {"standing": standing.standing(), "covered": covered}
        if not covered.dated and not covered.undated:
            return context
        return context | {
            "choice": choice,
            "presets": [(key, label) for key, (_days, label) in PRESETS.items()],
            "comparisons": COMPARISONS,
            "to_come": days_to_come(covered, today),
            **answers(choice, today),
        }


def answers(choice: Choice, today: date) -> dict[str, Any]:
    """Every card of the page."""
    period = choice.period
    summary = analytics.summary(period)
    before = analytics.summary(choice.other) if choice.other else None
    if before is None or not before.totals.views:
        before, choice = None, replace(choice, other=None)  # nobody watched then: there is nothing to compare with
    return {"tiles": tiles(summary, before), "total_views": summary.totals.views} | (
        by_time(choice, today) | by_channel(choice) | by_subscriber(period) if summary.totals.views else {}
    )


def by_time(choice: Choice, today: date) -> dict[str, Any]:
    """Series, changes, anomalies, peak hours, parts of the day."""
    period = choice.period
    steps = analytics.series(period, choice.by)
    others = analytics.series(choice.other, choice.by) if choice.other else []
    changes = analytics.day_over_day(_end_of(_whole_days(period, today), CHANGES))
    anomalies = analytics.anomalies(period, today, SIGMAS)
    peak = analytics.peak_hours(period)
    return {
        "steps": STEPS,
        "series": [(wording.step(step.start, choice.by), step.totals) for step in steps],
        "views_plot": figures.views_plot(steps, choice.by, others),
        "changes": changes,
        "changes_plot": figures.changes_plot(changes),
        "changes_are_cut": period.days > CHANGES,
        "anomalies": anomalies,
        "anomalies_plot": figures.anomalies_plot(analytics.series(_end_of(period, DAILY)), anomalies, SIGMAS),
        "heat": figures.heat_rows(peak),
        "busiest": peak.busiest and (wording.weekday(peak.busiest[0]), wording.hour(peak.busiest[1])),
        "slots": [(SLOTS[slot.name], slot) for slot in analytics.time_slots(period)],
    }


def by_channel(choice: Choice) -> dict[str, Any]:
    """Top channels with their audience, and where views last longest."""
    return {
        "channels": analytics.audience(choice.period, choice.channels, order=choice.order),
        "average": analytics.average_duration(choice.period, limit=5),
    }


def by_subscriber(period: Period) -> dict[str, Any]:
    """Who comes back, and who watches how much."""
    cohorts = analytics.retention(period)
    segments = analytics.segments(period)
    return {
        "cohorts": list(zip([cohort.size for cohort in cohorts], figures.cohort_rows(cohorts), strict=True)),
        "cohort_weeks": range(max((len(cohort.active) for cohort in cohorts), default=0)),
        "segments": segments,
        "most_in_segment": max(segment.subscribers for segment in segments),
    }


def tiles(now: Summary, before: Summary | None) -> list[Tile]:
    """The summary, each number beside the other period's."""
    both = Comparison(now, before) if before else None
    texts, earlier = _texts(now), _texts(before) if before else {}
    return [_tile(name, texts[name], earlier.get(name, ""), both) for name in NUMBERS]


def _texts(summary: Summary) -> dict[str, str]:
    return {
        "views": wording.number(summary.totals.views),
        "hours": wording.number(summary.totals.hours),
        "average": wording.length(summary.totals.average_seconds),
        "subscribers": wording.number(summary.subscribers),
        "devices": wording.number(summary.devices),
        "channels": wording.number(summary.channels),
    }


def _tile(name: str, value: str, before: str, both: Comparison | None) -> Tile:
    change: float | None = getattr(both, f"{name}_percent") if both else None
    said = "" if change is None else wording.signed_percent(change)
    kind = "more" if (change or 0) > 0 else "less" if (change or 0) < 0 else "same"
    return Tile(NUMBERS[name], value, before, said, kind)


def _whole_days(period: Period, today: date) -> Period:
    """The period without today, which is not over, unless that is all of it."""
    return Period(period.since, yesterday) if period.since <= (yesterday := today - ONE_DAY) < period.until else period


def _end_of(period: Period, days: int) -> Period:
    return Period.last(min(period.days, days), period.until)
