"""The answers of the analytics as charts, with the words that stand in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from django.utils.translation import gettext as _

from ..analytics import By
from ..analytics.days import Anomalies, DayChange, Step
from ..analytics.hours import PeakHours
from ..analytics.subscribers import Cohort
from ..charts import Plot, Scale, columns, labelled, level, line
from . import wording


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a heat map: how hot, what it shows, what is said of it."""

    level: int
    text: str
    tip: str


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A row of a heat map."""

    label: str
    cells: list[Cell]


def views_plot(steps: Sequence[Step], by: By, others: Sequence[Step]) -> Plot:
    """Views by day, week or month, with a line for the other period."""
    views = [each.totals.views for each in steps]
    before = [each.totals.views for each in others]
    scale = Scale.covering([*views, *before[: len(views)]])
    tips = [_step_tip(now, then, by) for now, then in zip_longest(steps, others[: len(steps)])]
    keys = [("col", _("this period")), *([("line", _("compared with"))] if others else [])]
    return Plot(
        says=_("Views by %(step)s: %(least)s to %(most)s.")
        % {"step": _step_name(by), "least": wording.number(min(views)), "most": wording.number(max(views))},
        scale=scale,
        columns=columns(views, scale, tips, [""] * len(views)),
        labels=labelled([wording.short_step(each.start, by) for each in steps]),
        line=line(before, len(views), scale) if others else "",
        keys=keys,
    )


def changes_plot(changes: Sequence[DayChange]) -> Plot:
    """By how many views each day differs from the day before."""
    values = [each.change for each in changes]
    scale = Scale.covering(values)
    kinds = ["up" if value > 0 else "down" for value in values]
    return Plot(
        says=_("Changes from day to day: %(least)s to %(most)s views.")
        % {"least": wording.signed(min(values)), "most": wording.signed(max(values))},
        scale=scale,
        columns=columns(values, scale, [_change_tip(each) for each in changes], kinds),
        labels=labelled([wording.short_day(each.day) for each in changes], most=6),
        keys=[("up", _("more")), ("down", _("fewer"))],
    )


def anomalies_plot(daily: Sequence[Step], anomalies: Anomalies, sigmas: float) -> Plot:
    """Each day's views before what is ordinary; the days out of it stand out."""
    views = [each.totals.views for each in daily]
    reach = sigmas * anomalies.deviation
    band = (anomalies.mean - reach, anomalies.mean + reach)
    scale = Scale.covering([*views, band[1]])
    odd = {each.day: each for each in anomalies.found}
    tips = [
        f"{wording.day(each.start)} · {wording.views(each.totals.views)}"
        + (f" · {wording.signed(odd[each.start].sigmas, 1)} σ" if each.start in odd else "")
        for each in daily
    ]
    return Plot(
        says=_("Views by day and the band of what is ordinary, %(low)s to %(high)s.")
        % {"low": wording.number(max(band[0], 0)), "high": wording.number(band[1])},
        scale=scale,
        columns=columns(views, scale, tips, ["odd" if each.start in odd else "calm" for each in daily]),
        labels=labelled([wording.short_day(each.start) for each in daily], most=6),
        band=band if anomalies.days else None,
        keys=[("odd", _("out of the ordinary")), ("band", _("ordinary"))],
    )


def heat_rows(peak: PeakHours) -> list[HeatRow]:
    """The week as a heat map: seven rows of 24 cells."""
    most = max(cell.views for row in peak.cells for cell in row)
    return [
        HeatRow(
            wording.weekday(number),
            [
                Cell(
                    level(cell.views, most),
                    wording.number(cell.views),
                    f"{wording.weekday(number)} {wording.hour(hour)} · {wording.views(cell.views)}",
                )
                for hour, cell in enumerate(row)
            ],
        )
        for number, row in enumerate(peak.cells)
    ]


def cohort_rows(cohorts: Sequence[Cohort]) -> list[HeatRow]:
    """Who came back, by cohort: a cell for each week, the first one too."""
    return [
        HeatRow(
            wording.plain_day(cohort.week),
            [
                Cell(level(share, 1), wording.percent(share), f"{number} / {cohort.size}")
                for share, number in zip(cohort.shares, cohort.active, strict=True)
            ],
        )
        for cohort in cohorts
    ]


def _step_name(by: By) -> str:
    return {By.DAY: _("day"), By.WEEK: _("week"), By.MONTH: _("month")}[by]


def _step_tip(now: Step, then: Step | None, by: By) -> str:
    said = f"{wording.step(now.start, by)} · {wording.views(now.totals.views)} · {wording.hours(now.totals.hours)}"
    return f"{said} · {wording.step(then.start, by)}: {wording.number(then.totals.views)}" if then else said


def _change_tip(change: DayChange) -> str:
    said = f"{wording.day(change.day)} · {wording.signed(change.change)}"
    return said if change.percent is None else f"{said} · {wording.signed_percent(change.percent)}"
