"""Who watches: subscribers that come back week after week, and subscribers by how much they watch."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from django.db.models import Min
from django.db.models.functions import TruncWeek

from ..models import SubscriberRollup
from .period import Period
from .totals import SUMS, Totals

#: Cohorts that retention gives, at most, the last ones of the period; and weeks for which it follows each.
MAX_COHORTS = MAX_WEEKS = 26
WEEK = timedelta(weeks=1)
#: Where segments begin, in hours watched per day of the period.
SEGMENTS = (0.0, 0.5, 2.0, 8.0, 24.0)


@dataclass(frozen=True, slots=True)
class Cohort:
    """The subscribers who watched for the first time ever in a week (by its Monday).

    ``active[n]`` is how many of them watched n weeks later, up to the last week of the period or ``MAX_WEEKS``.
    """

    week: date
    active: list[int]

    @property
    def size(self) -> int:
        """How many they are."""
        return self.active[0]

    @property
    def shares(self) -> list[float]:
        """How much of the cohort watched in each week, from 0 to 1."""
        return [number / self.size for number in self.active]


@dataclass(frozen=True, slots=True)
class Segment:
    """Subscribers who watched from ``least`` to less than ``below`` hours per day; None is without end."""

    least: float
    below: float | None
    subscribers: int
    totals: Totals


def retention(period: Period) -> list[Cohort]:
    """The cohorts whose first week lies in the period, oldest first; weeks without anybody new are left out."""
    first, last = _monday(period.since), _monday(period.until)
    joined = dict(SubscriberRollup.objects.values_list("subscriberCode").annotate(first=Min("day")))
    cohorts: dict[date, list[int]] = {}
    for code, week in _active_weeks(first, period.until):
        start = _monday(joined[code])
        if start >= first:
            active = cohorts.setdefault(start, [0] * ((last - start) // WEEK + 1))
            active[(week - start) // WEEK] += 1
    return [Cohort(week, cohorts[week][:MAX_WEEKS]) for week in sorted(cohorts)[-MAX_COHORTS:]]


def segments(period: Period) -> list[Segment]:
    """The period's subscribers by how many hours a day each watched, all devices together; always five segments."""
    rows = SubscriberRollup.objects.filter(day__range=period.ends).values_list("subscriberCode").annotate(**SUMS)
    found: dict[float, list[Totals]] = defaultdict(list)
    for _code, views, seconds in rows:
        hours_a_day = seconds / 3600 / period.days
        found[max(least for least in SEGMENTS if least <= max(hours_a_day, 0.0))].append(Totals(views, seconds))
    return [
        Segment(least, below, len(found[least]), sum(found[least], Totals()))
        for least, below in pairwise([*SEGMENTS, None])
        if least is not None
    ]


def _active_weeks(since: date, until: date) -> list[tuple[str, date]]:
    """Each subscriber with each week in which they watched."""
    rows = SubscriberRollup.objects.filter(day__range=(since, until)).order_by()
    return list(rows.values_list("subscriberCode", TruncWeek("day")).distinct())


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
