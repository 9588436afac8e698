"""How views go from day to day: series, day over day, days out of the ordinary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from statistics import fmean, pstdev

from ..models import HourRollup
from .period import Period
from .totals import SUMS, Totals


class By(StrEnum):
    """How long the steps of a series are; weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Step:
    """A day, week or month of a series by its first day; of the first and last only what lies in the period."""

    start: date
    totals: Totals


@dataclass(frozen=True, slots=True)
class DayChange:
    """A day's views beside those of the day before; ``percent`` is None where that had none."""

    day: date
    views: int
    before: int

    @property
    def change(self) -> int:
        """How many views more, or fewer."""
        return self.views - self.before

    @property
    def percent(self) -> float | None:
        """The change in percent of the day before."""
        return 100 * self.change / self.before if self.before else None


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A day out of the ordinary, and how many standard deviations it lies above (or, negative, below) the mean."""

    day: date
    views: int
    sigmas: float


@dataclass(frozen=True, slots=True)
class Anomalies:
    """The days out of the ordinary among ``days`` whole days, of which the mean and standard deviation are."""

    days: int
    mean: float
    deviation: float
    found: list[Anomaly]


def series(period: Period, by: By = By.DAY) -> list[Step]:
    """The period's views by day, week or month, in order; steps without views are there with none."""
    steps: dict[date, Totals] = {}
    for day, totals in _daily(period).items():
        start = _start(day, by)
        steps[start] = steps.get(start, Totals()) + totals
    return [Step(start, totals) for start, totals in steps.items()]


def day_over_day(period: Period) -> list[DayChange]:
    """Each day of the period beside the day before, the first one too."""
    views = {day: totals.views for day, totals in _daily(period, more=1).items()}
    return [DayChange(day, views[day], views[day - timedelta(days=1)]) for day in period.each_day()]


def anomalies(period: Period, today: date, sigmas: float = 3.0) -> Anomalies:
    """The period's days whose views lie ``sigmas`` or more standard deviations from its mean.

    Looked at are whole days, so those before ``today``, from the first to the last that has views. The deviation is
    that of the population, so a day can lie √(n - 1) deviations from the mean of n days at most: 3 takes 10 days.
    """
    daily = {day: totals.views for day, totals in _daily(period).items() if day < today}
    watched = [day for day, views in daily.items() if views]
    if not watched:
        return Anomalies(0, 0.0, 0.0, [])
    days = {day: views for day, views in daily.items() if watched[0] <= day <= watched[-1]}
    mean, deviation = fmean(days.values()), pstdev(days.values())
    scores = {day: (views - mean) / deviation for day, views in days.items()} if deviation else {}
    found = [Anomaly(day, days[day], score) for day, score in scores.items() if abs(score) >= sigmas]
    return Anomalies(len(days), mean, deviation, found)


def _daily(period: Period, more: int = 0) -> dict[date, Totals]:
    """Every day of the period in order, and ``more`` days before it."""
    since = period.since - timedelta(days=more)
    rows = HourRollup.objects.filter(day__range=(since, period.until)).values_list("day").annotate(**SUMS)
    watched = {day: Totals(views, seconds) for day, views, seconds in rows}
    days = [since + timedelta(days=number) for number in range(period.days + more)]
    return {day: watched.get(day, Totals()) for day in days}


def _start(day: date, by: By) -> date:
    match by:
        case By.WEEK:
            return day - timedelta(days=day.weekday())
        case By.MONTH:
            return day.replace(day=1)
    return day
