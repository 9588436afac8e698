"""What the API answers with."""

from __future__ import annotations

from datetime import date
from typing import Any

from ninja import Schema

from faena.api.schemas.base import example

_TOTALS: dict[str, Any] = {"views": 441, "seconds": 1_190_700, "hours": 330.75, "average_seconds": 2700.0}
_SUMMARY: dict[str, Any] = {
    "period": {"since": "2026-11-01", "until": "2026-11-30"}, "totals": _TOTALS,
    "channels": 120, "subscribers": 58, "devices": 214,
}  # fmt: skip
_CHANNEL: dict[str, Any] = {"channel": 47, "name": "Canal 13", "totals": _TOTALS, "share": 0.12}


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

    model_config = example(_SUMMARY)


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

    model_config = example(
        {
            "now": _SUMMARY,
            "before": _SUMMARY,
            "views_percent": 0.0,
            "hours_percent": 0.0,
            "average_percent": 0.0,
            "channels_percent": 0.0,
            "subscribers_percent": 0.0,
            "devices_percent": 0.0,
        }
    )


class CoverageOut(Schema):
    """What there is: the first day, the last one that has come, the last one at all; views with and without a date."""

    first: date | None
    last: date | None
    furthest: date | None
    dated: int
    to_come: int
    undated: int

    model_config = example(
        {
            "first": "2024-12-28",
            "last": "2026-11-25",
            "furthest": "2026-12-31",
            "dated": 324_100,
            "to_come": 60,
            "undated": 27,
        }
    )


class ChannelOut(Schema):
    """A channel and its share of all views, from 0 to 1."""

    channel: int
    name: str
    totals: TotalsOut
    share: float

    model_config = example(_CHANNEL)


class AudienceOut(ChannelOut):
    """The same with how many different subscribers and devices watched it."""

    subscribers: int
    devices: int

    model_config = example(_CHANNEL | {"subscribers": 41, "devices": 97})


class AverageDurationOut(Schema):
    """How long views last: of all, and by channel, the longest first."""

    totals: TotalsOut
    channels: list[ChannelOut]

    model_config = example({"totals": _TOTALS, "channels": [_CHANNEL]})


class PeakHoursOut(Schema):
    """`cells[weekday][hour]`, Monday is weekday 0; `busiest` is the weekday and hour with the most views."""

    cells: list[list[TotalsOut]]
    busiest: tuple[int, int] | None

    model_config = example({"cells": [[_TOTALS]], "busiest": (4, 21)})


class TimeSlotOut(Schema):
    """A part of the day and its share of all views, from 0 to 1."""

    name: str
    first_hour: int
    last_hour: int
    totals: TotalsOut
    share: float

    model_config = example({"name": "noche", "first_hour": 18, "last_hour": 23, "totals": _TOTALS, "share": 0.38})


class StepOut(Schema):
    """A step of a series by its first day."""

    start: date
    totals: TotalsOut

    model_config = example({"start": "2026-11-01", "totals": _TOTALS})


class DayChangeOut(Schema):
    """A day beside the day before; `percent` is null where that had no views."""

    day: date
    views: int
    before: int
    change: int
    percent: float | None

    model_config = example({"day": "2026-11-02", "views": 441, "before": 420, "change": 21, "percent": 5.0})


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

    model_config = example(
        {"days": 30, "mean": 440.2, "deviation": 21.7, "found": [{"day": "2026-11-14", "views": 612, "sigmas": 7.9}]}
    )


class CohortOut(Schema):
    """Subscribers by the week of their first view ever; `active[n]` of them watched n weeks later."""

    week: date
    size: int
    active: list[int]
    shares: list[float]

    model_config = example({"week": "2026-11-02", "size": 12, "active": [12, 9, 8], "shares": [1.0, 0.75, 0.67]})


class SegmentOut(Schema):
    """Subscribers who watched from `least` to less than `below` hours per day; null is without end."""

    least: float
    below: float | None
    subscribers: int
    totals: TotalsOut

    model_config = example({"least": 2.0, "below": 8.0, "subscribers": 17, "totals": _TOTALS})
