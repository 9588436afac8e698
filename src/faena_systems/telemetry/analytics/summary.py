"""The period in a few numbers, two periods side by side, and what the data covers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Max, Min, Q, QuerySet, Sum

from ..models import ChannelRollup, HourRollup, MergedTelemetricOTT, SubscriberRollup
from .period import Period
from .totals import SUMS, Totals


@dataclass(frozen=True, slots=True)
class Summary:
    """A period: its totals and how many different channels, subscribers and devices there were."""

    period: Period
    totals: Totals
    channels: int
    subscribers: int
    devices: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A period beside another one."""

    now: Summary
    before: Summary

    @property
    def views_percent(self) -> float | None:
        """By how many percent there are more views; None where there were none before."""
        return percent(self.now.totals.views, self.before.totals.views)

    @property
    def hours_percent(self) -> float | None:
        """By how many percent more time was watched."""
        return percent(self.now.totals.seconds, self.before.totals.seconds)

    @property
    def average_percent(self) -> float | None:
        """By how many percent a view lasts longer."""
        return percent(self.now.totals.average_seconds, self.before.totals.average_seconds)

    @property
    def channels_percent(self) -> float | None:
        """By how many percent more channels were watched."""
        return percent(self.now.channels, self.before.channels)

    @property
    def subscribers_percent(self) -> float | None:
        """By how many percent more subscribers watched."""
        return percent(self.now.subscribers, self.before.subscribers)

    @property
    def devices_percent(self) -> float | None:
        """By how many percent more devices were used."""
        return percent(self.now.devices, self.before.devices)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the merged table holds: from its first day to the last one that has come, and to the last one at all.

    ``dated`` views have a date, ``to_come`` of them one that has not come; ``undated`` views have none.
    """

    first: date | None
    last: date | None
    furthest: date | None
    dated: int
    to_come: int
    undated: int


def summary(period: Period) -> Summary:
    """The period in numbers."""
    found = HourRollup.objects.filter(day__range=period.ends).aggregate(**SUMS)
    return Summary(
        period,
        Totals(found["total_views"], found["total_seconds"]),
        _distinct(ChannelRollup.objects.filter(day__range=period.ends), "dataId"),
        _distinct(SubscriberRollup.objects.filter(day__range=period.ends), "subscriberCode"),
        _distinct(MergedTelemetricOTT.objects.filter(dataDate__range=period.ends), "deviceId"),
    )


def compare(period: Period, other: Period) -> Comparison:
    """The period beside the other one."""
    return Comparison(summary(period), summary(other))


def coverage(today: date) -> Coverage:
    """What there is to look at. Days after ``today`` come from devices whose clocks are wrong."""
    found = HourRollup.objects.aggregate(
        first=Min("day"),
        last=Max("day", filter=Q(day__lte=today)),
        furthest=Max("day"),
        dated=Sum("views", default=0),
        to_come=Sum("views", filter=Q(day__gt=today), default=0),
    )
    return Coverage(**found, undated=MergedTelemetricOTT.objects.filter(dataDate__isnull=True).count())


def percent(now: float, before: float) -> float | None:
    """By how many percent ``now`` is more than ``before``; None where that was nothing."""
    return 100 * (now - before) / before if before else None


def _distinct(rows: QuerySet, column: str) -> int:
    # Not count(DISTINCT …), for which PostgreSQL sorts all the rows.
    return rows.order_by().exclude(**{column: None}).values(column).distinct().count()
