"""The analytics over HTTP: one address for each question, all of them GET and all of a period of days.

`since` and `until` are days (`2026-11-01`), both included; without them it is the last 30 days that have views.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop
from ninja import Query, Router, Schema
from ninja.errors import HttpError

from faena.api.rules import rule
from faena.permissions import Role

from . import analytics, schemas
from .analytics import BadPeriod, By, Order, Period
from .analytics.channels import CEILING

router = Router(tags=["telemetry"])
USUAL_DAYS = 30


class PeriodIn(Schema):
    """The period to look at."""

    since: date | None = None
    until: date | None = None

    def read(self) -> Period:
        """The period.

        Raises:
            HttpError: 422, with the reason, where the days make none.
        """
        try:
            if self.since is None and self.until is None:
                return Period.last(USUAL_DAYS, analytics.coverage(today := timezone.localdate()).last or today)
            if self.since is None or self.until is None:
                raise BadPeriod(_("Give both since and until, or neither."))
            return Period(self.since, self.until)
        except BadPeriod as bad:
            raise HttpError(422, str(bad)) from None


Chosen = Annotated[PeriodIn, Query()]
Limit = Annotated[int, Query(ge=1, le=CEILING)]


@router.get("/coverage", response=schemas.CoverageOut, **rule(Role.VIEWER, noop("What there is to look at")))
def coverage(request: HttpRequest) -> Any:
    """The first and last day, and how many views have a date, one to come, or none."""
    return analytics.coverage(timezone.localdate())


@router.get("/summary", response=schemas.SummaryOut, **rule(Role.VIEWER, noop("A period in numbers")))
def summary(request: HttpRequest, period: Chosen) -> Any:
    """Views, time watched, and how many different channels, subscribers and devices."""
    return analytics.summary(period.read())


@router.get("/comparison", response=schemas.ComparisonOut, **rule(Role.VIEWER, noop("Two periods side by side")))
def comparison(
    request: HttpRequest, period: Chosen, other_since: date | None = None, other_until: date | None = None
) -> Any:
    """The period beside another one, or, if none is given, beside the one of the same length before it."""
    now = period.read()
    try:
        other = PeriodIn(since=other_since, until=other_until).read() if other_since or other_until else now.before
    except BadPeriod as bad:
        raise HttpError(422, str(bad)) from None
    return analytics.compare(now, other)


@router.get("/channels", response=list[schemas.ChannelOut], **rule(Role.VIEWER, noop("Top channels")))
def channels(request: HttpRequest, period: Chosen, limit: Limit = 10, order: Order = Order.VIEWS) -> Any:
    """The channels with the most views, or the most time watched."""
    return analytics.top_channels(period.read(), limit, order)


@router.get("/audience", response=list[schemas.AudienceOut], **rule(Role.VIEWER, noop("Audience of each channel")))
def audience(
    request: HttpRequest,
    period: Chosen,
    limit: Limit = 20,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    order: Order = Order.VIEWS,
) -> Any:
    """The top channels and how many different subscribers and devices watched each; `offset` goes on further down."""
    return analytics.audience(period.read(), limit, offset, order)


@router.get("/average-duration", response=schemas.AverageDurationOut, **rule(Role.VIEWER, noop("How long views last")))
def average_duration(
    request: HttpRequest,
    period: Chosen,
    limit: Limit = 10,
    least_views: Annotated[int, Query(ge=1, le=1_000_000_000)] = 10,
) -> Any:
    """Of all views, and of the channels with at least `least_views`, the longest first."""
    return analytics.average_duration(period.read(), limit, least_views)


@router.get("/peak-hours", response=schemas.PeakHoursOut, **rule(Role.VIEWER, noop("Views by weekday and hour")))
def peak_hours(request: HttpRequest, period: Chosen) -> Any:
    """Seven rows of 24 hours; Monday comes first."""
    return analytics.peak_hours(period.read())


@router.get("/time-slots", response=list[schemas.TimeSlotOut], **rule(Role.VIEWER, noop("Views by part of the day")))
def time_slots(request: HttpRequest, period: Chosen) -> Any:
    """Madrugada (0–5), mañana (6–11), tarde (12–17) and noche (18–23)."""
    return analytics.time_slots(period.read())


@router.get("/series", response=list[schemas.StepOut], **rule(Role.VIEWER, noop("Views by day, week or month")))
def series(request: HttpRequest, period: Chosen, by: By = By.DAY) -> Any:
    """Every step in order, those without views too. Weeks begin on Monday."""
    return analytics.series(period.read(), by)


@router.get("/day-over-day", response=list[schemas.DayChangeOut], **rule(Role.VIEWER, noop("Day over day")))
def day_over_day(request: HttpRequest, period: Chosen) -> Any:
    """Every day of the period, the first one too."""
    return analytics.day_over_day(period.read())


@router.get("/anomalies", response=schemas.AnomaliesOut, **rule(Role.VIEWER, noop("Days out of the ordinary")))
def anomalies(request: HttpRequest, period: Chosen, sigmas: Annotated[float, Query(gt=0, le=100)] = 3.0) -> Any:
    """Whole days whose views lie `sigmas` or more standard deviations from the period's mean."""
    return analytics.anomalies(period.read(), timezone.localdate(), sigmas)


@router.get("/retention", response=list[schemas.CohortOut], **rule(Role.VIEWER, noop("Who comes back")))
def retention(request: HttpRequest, period: Chosen) -> Any:
    """Subscribers by the week of their first view ever, and how many of them watched in the weeks after."""
    return analytics.retention(period.read())


@router.get("/segments", response=list[schemas.SegmentOut], **rule(Role.VIEWER, noop("Subscribers by hours watched")))
def segments(request: HttpRequest, period: Chosen) -> Any:
    """Subscribers in five segments by the hours a day that each watched."""
    return analytics.segments(period.read())
