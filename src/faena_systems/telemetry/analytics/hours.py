"""When people watch: by the hour of the day, by the day of the week, by the four parts of the day."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models.functions import ExtractIsoWeekDay

from ..models import HourRollup
from .period import Period
from .totals import SUMS, Totals

#: The parts of the day as people named them, and the hours that they go from and to.
SLOTS = {"madrugada": (0, 5), "mañana": (6, 11), "tarde": (12, 17), "noche": (18, 23)}


@dataclass(frozen=True, slots=True)
class PeakHours:
    """A week as it usually is: ``cells[weekday][hour]``, Monday is weekday 0; 7 × 24 cells."""

    cells: list[list[Totals]]

    @property
    def busiest(self) -> tuple[int, int] | None:
        """Weekday and hour of the cell with the most views, the first of several; None without views."""
        places = [(weekday, hour) for weekday in range(7) for hour in range(24)]
        best = max(places, key=lambda place: self.cells[place[0]][place[1]].views)
        return best if self.cells[best[0]][best[1]].views else None


@dataclass(frozen=True, slots=True)
class TimeSlot:
    """A part of the day and its share of all views, from 0 to 1."""

    name: str
    first_hour: int
    last_hour: int
    totals: Totals
    share: float


def peak_hours(period: Period) -> PeakHours:
    """The period's views by day of the week and hour."""
    cells = [[Totals()] * 24 for _ in range(7)]
    rows = HourRollup.objects.filter(day__range=period.ends).annotate(weekday=ExtractIsoWeekDay("day"))
    for weekday, hour, views, seconds in rows.values_list("weekday", "hour").annotate(**SUMS):
        cells[weekday - 1][hour] = Totals(views, seconds)
    return PeakHours(cells)


def time_slots(period: Period) -> list[TimeSlot]:
    """The period's views by part of the day: always four, from the small hours on."""
    hours = [Totals()] * 24
    rows = HourRollup.objects.filter(day__range=period.ends).values_list("hour").annotate(**SUMS)
    for hour, views, seconds in rows:
        hours[hour] = Totals(views, seconds)
    total = sum(each.views for each in hours)
    return [_slot(name, first, last, hours, total) for name, (first, last) in SLOTS.items()]


def _slot(name: str, first: int, last: int, hours: list[Totals], total: int) -> TimeSlot:
    totals = sum(hours[first : last + 1], Totals())
    return TimeSlot(name, first, last, totals, totals.views / total if total else 0.0)
