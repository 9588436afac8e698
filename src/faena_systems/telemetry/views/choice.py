"""What somebody chose to look at, from the page's address. Nonsense is said and replaced by what is usual."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.http import QueryDict
from django.utils.dateparse import parse_date
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from ..analytics import BadPeriod, By, Order, Period
from ..analytics.period import EARLIEST, MAX_DAYS
from ..analytics.summary import Coverage

#: Periods to choose from with one click; 0 days are all there are.
PRESETS: dict[str, tuple[int, str | Promise]] = {
    "7": (7, gettext_lazy("7 days")),
    "30": (30, gettext_lazy("30 days")),
    "90": (90, gettext_lazy("90 days")),
    "365": (365, gettext_lazy("12 months")),
    "all": (0, pgettext_lazy("days", "All")),
}
USUAL = "30"
COMPARISONS: dict[str, str | Promise] = {
    "before": gettext_lazy("the period before"),
    "year": gettext_lazy("a year before"),
    "none": gettext_lazy("nothing"),
}
#: Longer periods are drawn by week, and still longer ones by month, unless somebody chooses otherwise.
LONG, LONGER = 120, 1_100
FEW, MANY = 10, 50


@dataclass(frozen=True, slots=True)
class Choice:
    """The period, what it is compared with, and how it is drawn; ``problem`` says what could not be taken."""

    period: Period
    other: Period | None
    preset: str
    comparison: str
    by: By
    order: Order
    channels: int
    problem: str = ""


def choose(given: QueryDict, covered: Coverage, today: date) -> Choice:
    """Read the address."""
    preset, problem = given.get("days", USUAL), ""
    preset = preset if preset in PRESETS else USUAL
    try:
        own = _own_period(given)
    except BadPeriod as bad:
        own, problem = None, str(bad)
    period = own or _preset_period(preset, covered, today)
    comparison = given.get("compare", "before")
    comparison = comparison if comparison in COMPARISONS else "before"
    return Choice(
        period=period,
        other=_other(period, comparison),
        preset="" if own else preset,
        comparison=comparison,
        by=_step(given.get("by", ""), period),
        order=Order.TIME if given.get("order") == Order.TIME else Order.VIEWS,
        channels=MANY if given.get("channels") == str(MANY) else FEW,
        problem=problem,
    )


def _own_period(given: QueryDict) -> Period | None:
    """The period between two days that somebody gave, if any."""
    texts = given.get("since", ""), given.get("until", "")
    if not any(texts):
        return None
    try:
        since, until = (parse_date(text) for text in texts)
    except ValueError:
        since = until = None
    if since is None or until is None:
        raise BadPeriod(_("Give the first and the last day, each as year-month-day."))
    return Period(since, until)


def _preset_period(preset: str, covered: Coverage, today: date) -> Period:
    """The days up to the last one that has views and has come."""
    until = max(covered.last or today, EARLIEST + timedelta(days=MAX_DAYS))
    days = PRESETS[preset][0] or (until - min(covered.first or until, until)).days + 1
    return Period.last(min(days, MAX_DAYS), until)


def _other(period: Period, comparison: str) -> Period | None:
    try:
        return {"before": lambda: period.before, "year": lambda: period.year_before}.get(comparison, lambda: None)()
    except BadPeriod:
        return None  # before the first of all days


def _step(wanted: str, period: Period) -> By:
    if wanted in set(By):
        return By(wanted)
    return By.DAY if period.days <= LONG else By.WEEK if period.days <= LONGER else By.MONTH


def days_to_come(covered: Coverage, today: date) -> Period | None:
    """The days after today that have views."""
    tomorrow = today + timedelta(days=1)
    if not covered.to_come or covered.furthest is None:
        return None
    try:
        return Period(tomorrow, covered.furthest)
    except BadPeriod:
        return None
