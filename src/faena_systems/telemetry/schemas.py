"""What the API answers with."""

from __future__ import annotations

from datetime import date

from ninja import Schema


class TotalsOut(Schema):
    """Views, the time watched, and the time watched per view."""

    views: int
    seconds: int
    hours: float
    average_seconds: float


class PeriodOut(Schema):
    """The days from `since` to `until`, both included."""

    since: date
    until: date


class SummaryOut(Schema):
    """A period in numbers."""

    period: PeriodOut
    totals: TotalsOut
    channels: int
    subscribers: int
    devices: int


class ComparisonOut(Schema):
    """A period beside another one; changes in percent, null where the other had nothing."""

    now: SummaryOut
    before: SummaryOut
    views_percent: float | None
    hours_percent: float | None
    average_percent: float | None
    channels_percent: float | None
    subscribers_percent: float | None
    devices_percent: float | None


class CoverageOut(Schema):
    """What there is: the first day, the last one that has come, the last one at all; views with and without a date."""

    first: date | None
    last: date | None
    furthest: date | None
    dated: int
    to_come: int
    undated: int


class ChannelOut(Schema):
    """A channel and its share of all views, from 0 to 1."""

    channel: int
    name: str
    totals: TotalsOut
    share: float


class AudienceOut(ChannelOut):
    """The same with how many different subscribers and devices watched it."""

    subscribers: int
    devices: int


class AverageDurationOut(Schema):
    """How long views last: of all, and by channel, the longest first."""

    totals: TotalsOut
    channels: list[ChannelOut]


class PeakHoursOut(Schema):
    """`cells[weekday][hour]`, Monday is weekday 0; `busiest` is the weekday and hour with the most views."""

    cells: list[list[TotalsOut]]
    busiest: tuple[int, int] | None


class TimeSlotOut(Schema):
    """A part of the day and its share of all views, from 0 to 1."""

    name: str
    first_hour: int
    last_hour: int
    totals: TotalsOut
    share: float


class StepOut(Schema):
    """A step of a series by its first day."""

    start: date
    totals: TotalsOut


class DayChangeOut(Schema):
    """A day beside the day before; `percent` is null where that had no views."""

    day: date
    views: int
    before: int
    change: int
    percent: float | None


class AnomalyOut(Schema):
    """A day out of the ordinary, and how many standard deviations it lies from the mean."""

    day: date
    views: int
    sigmas: float


class AnomaliesOut(Schema):
    """The mean and standard deviation of so many whole days' views, and the days far from it."""

    days: int
    mean: float
    deviation: float
    found: list[AnomalyOut]


class CohortOut(Schema):
    """Subscribers by the week of their first view ever; `active[n]` of them watched n weeks later."""

    week: date
    size: int
    active: list[int]
    shares: list[float]


class SegmentOut(Schema):
    """Subscribers who watched from `least` to less than `below` hours per day; null is without end."""

    least: float
    below: float | None
    subscribers: int
    totals: TotalsOut
