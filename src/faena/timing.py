"""When a schedule is due: pure arithmetic on times, which knows neither Celery nor the database.

Four kinds of timing, all asked the same: `next_after(moment)`, the first time after it, or None when there is none.
Times go in and come out aware; between them a crontab counts on the clock on the wall of its time zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
#: A zone's clock is never changed by more than this at once: a day, when a country crosses the date line.
_LARGEST_CHANGE = timedelta(hours=25)
#: A crontab comes round within this time or never: 29 February on a given weekday, with 2100 in between.
_LONGEST_YEARS = 41


class BadTiming(ValueError):
    """A timing that makes no sense, with the reason in words.

    Args:
        field: what is wrong: minute, hour, day_of_month, month, day_of_week, crontab, every, event, …
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


class Timing(Protocol):
    """What tells when a schedule is due."""

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time after `moment`; None when it is never due again."""


def first(timing: Timing, after: datetime, count: int) -> list[datetime]:
    """The first `count` times after a moment; fewer when there are no more."""
    found: list[datetime] = []
    at = timing.next_after(after)
    while at is not None and len(found) < count:
        found.append(at)
        at = timing.next_after(at)
    return found


def latest(timing: Timing, since: datetime, until: datetime, most: int) -> list[datetime]:
    """The latest times from `since` to `until`, both included, oldest first: `most` of them, or a few more.

    It looks back only as far as it must: a year of missed minutes costs no more than an hour of them.
    """
    back = MINUTE
    while True:
        start = max(since, until - back)
        found = list(_between(timing, start, until))
        if start == since or len(found) >= most:
            return found
        back *= 2


def _between(timing: Timing, since: datetime, until: datetime) -> Iterator[datetime]:
    at = timing.next_after(since - timedelta(microseconds=1))
    while at is not None and at <= until:
        yield at
        at = timing.next_after(at)


@dataclass(frozen=True, slots=True)
class Within:
    """Another timing, but neither before one moment nor after another."""

    timing: Timing
    starts: datetime
    ends: datetime | None = None

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time after `moment` that is allowed."""
        at = self.timing.next_after(max(moment, self.starts - timedelta(microseconds=1)))
        return None if at is None or (self.ends is not None and at > self.ends) else at


# --- intervals ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Interval:
    """Every so often in real time, counted from `start`; a changed clock on the wall changes nothing."""

    every: timedelta
    start: datetime

    def __post_init__(self) -> None:
        """See that it comes to an end."""
        if self.every < timedelta(seconds=0.1):
            raise BadTiming("every", _("An interval is at least a tenth of a second."))

    def next_after(self, moment: datetime) -> datetime:
        """The first multiple of the interval after `moment`."""
        if moment < self.start:
            return self.start
        return self.start + ((moment - self.start) // self.every + 1) * self.every


@dataclass(frozen=True, slots=True)
class Once:
    """At one time."""

    at: datetime

    def next_after(self, moment: datetime) -> datetime | None:
        """That time, as long as it is to come."""
        return self.at if self.at > moment else None


# --- crontabs ----------------------------------------------------------------------------------

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()

    @property
    def all(self) -> range:
        return range(self.least, self.most + 1)


#: In the order of a crontab's line.
FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day_of_month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day_of_week", 0, 6, _WEEKDAYS),
)
_PART = re.compile(r"(?:(?P<star>\*)|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>[0-9]+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Crontab:
    """At times of the clock on the wall, as Celery's `crontab` has them: a day must match all of its three fields.

    Every time on the wall is one moment, whatever is done to the clock:

    - A time that is skipped is taken as the clock showed it before: 02:30 becomes 03:30, the same moment.
    - Of a time that comes twice the first counts; but a crontab of every hour goes on through the second as well.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    zone: ZoneInfo

    @classmethod
    def parse(cls, line: str, zone: ZoneInfo) -> Crontab:
        """Read `minute hour day_of_month month day_of_week`, as in crontab(5).

        Raises:
            BadTiming: a field is wrong, or no day ever matches.
        """
        parts = line.split()
        if len(parts) != len(FIELDS):
            raise BadTiming("crontab", _("A crontab has five fields: minute, hour, day of month, month, day of week."))
        minutes, hours, days, months, weekdays = (
            _numbers(field, part) for field, part in zip(FIELDS, parts, strict=True)
        )
        made = cls(tuple(sorted(minutes)), tuple(sorted(hours)), days, months, weekdays, zone)
        if next(made._matching_days(date(2024, 1, 1)), None) is None:
            raise BadTiming("crontab", _("“%(line)s” never comes: none of its months has such a day.") % {"line": line})
        return made

    def next_after(self, moment: datetime) -> datetime | None:
        """The first matching minute after `moment`."""
        zone = self.zone
        here = moment.astimezone(zone).replace(tzinfo=None)
        wall = next(self._walls(here + timedelta(microseconds=1)), None)
        if wall is None:
            return None
        found = _moment(wall, zone)
        around = (moment - _LARGEST_CHANGE, moment, found, found + _LARGEST_CHANGE)
        offsets = [each.astimezone(zone).utcoffset() or timedelta() for each in around]
        change = max(offsets) - min(offsets)
        if not change:
            return found
        return self._next_near_a_change(moment, here - change, change)

    def _next_near_a_change(self, moment: datetime, since: datetime, change: timedelta) -> datetime | None:
        """Where the clock is changed, a later time on the wall may be an earlier moment: look a little further."""
        best: datetime | None = None
        until = datetime.max
        for wall in self._walls(since):
            if wall > until:
                break
            for each in self._moments(wall):
                if each > moment and (best is None or each < best):
                    best, until = each, wall + change
        return best

    def _moments(self, wall: datetime) -> tuple[datetime, ...]:
        once = _moment(wall, self.zone)
        if len(self.hours) < 24:
            return (once,)
        again = wall.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
        return (once, again) if again > once else (once,)

    def _walls(self, since: datetime) -> Iterator[datetime]:
        """The matching times on the wall from `since` on, in their order."""
        for day in self._matching_days(since.date()):
            for hour in self.hours:
                if day == since.date() and hour < since.hour:
                    continue
                for minute in self.minutes:
                    wall = datetime.combine(day, time(hour, minute))
                    if wall >= since:
                        yield wall

    def _matching_days(self, since: date) -> Iterator[date]:
        last = min(date.max.year - 1, since.year + _LONGEST_YEARS)
        day = since
        while day.year <= last:
            if day.month not in self.months:
                day = (day.replace(day=1) + 32 * DAY).replace(day=1)
                continue
            if day.day in self.days and day.isoweekday() % 7 in self.weekdays:
                yield day
            day += DAY


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=zone).astimezone(UTC)


@cache
def _numbers(field: _Field, spec: str) -> frozenset[int]:
    """The numbers that one field of a crontab stands for."""
    found: set[int] = set()
    for part in spec.split(","):
        match = _PART.fullmatch(part)
        if match is None or (match["step"] and match["low"] and not match["high"]):
            text = _("“%(part)s” is no %(field)s: write 5, 1-5, */15, 8-18/2, or a list of such.")
            raise BadTiming(field.name, text % {"part": part, "field": field.name})
        step = int(match["step"] or 1)
        if not step:
            raise BadTiming(field.name, _("“%(part)s”: a step is at least 1.") % {"part": part})
        found.update(_range(field, match)[::step])
    return frozenset(found)


def _range(field: _Field, match: re.Match[str]) -> list[int]:
    if match["star"]:
        return list(field.all)
    low = _number(field, match["low"])
    high = _number(field, match["high"] or match["low"])
    # fri-mon goes round the end of the week.
    return [*range(low, high + 1)] if low <= high else [*range(low, field.most + 1), *range(field.least, high + 1)]


def _number(field: _Field, text: str) -> int:
    if text.isdigit():
        number = int(text)
        if number not in field.all:
            text = _("%(number)s is no %(field)s: it goes from %(least)s to %(most)s.")
            said = {"number": number, "field": field.name, "least": field.least, "most": field.most}
            raise BadTiming(field.name, text % said)
        return number
    for place, name in enumerate(field.names, field.least):
        if len(text) >= 3 and name.startswith(text.lower()):
            return place
    raise BadTiming(field.name, _("“%(part)s” is no %(field)s.") % {"part": text, "field": field.name})


# --- the sun -----------------------------------------------------------------------------------

#: event -> (ephem's method, the sun's height, whether its centre counts), as Celery's `solar` has them.
SOLAR_EVENTS: dict[str, tuple[str, str, bool]] = {
    "dawn_astronomical": ("next_rising", "-18", True),
    "dawn_nautical": ("next_rising", "-12", True),
    "dawn_civil": ("next_rising", "-6", True),
    "sunrise": ("next_rising", "-0:34", False),
    "solar_noon": ("next_transit", "0", False),
    "sunset": ("next_setting", "-0:34", False),
    "dusk_civil": ("next_setting", "-6", True),
    "dusk_nautical": ("next_setting", "-12", True),
    "dusk_astronomical": ("next_setting", "-18", True),
}


@dataclass(frozen=True, slots=True)
class Solar:
    """At an event of the sun, seen from a place; on days without it (the polar night) not at all.

    Args:
        latitude: degrees, north is positive.
        longitude: degrees, east is positive.
    """

    event: str
    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        """See that there is such an event, and such a place."""
        if self.event not in SOLAR_EVENTS:
            text = _("“%(event)s” is no event of the sun: %(known)s.")
            raise BadTiming("event", text % {"event": self.event, "known": ", ".join(SOLAR_EVENTS)})
        if not -90 <= self.latitude <= 90:
            raise BadTiming("latitude", _("A latitude goes from -90 to 90."))
        if not -180 <= self.longitude <= 180:
            raise BadTiming("longitude", _("A longitude goes from -180 to 180."))
        _ephem()

    def next_after(self, moment: datetime) -> datetime | None:
        """The first event after `moment`, to the second; None where there is none within a year."""
        today = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        events = (event for number in range(366) for event in self._events_of(today + number * DAY))
        return next((event for event in events if event > moment), None)

    def _events_of(self, day: datetime) -> Iterator[datetime]:
        """Of a day of UTC, always looked for from its beginning: ephem's answer hangs by milliseconds on the start."""
        ephem = _ephem()
        method, horizon, centre = SOLAR_EVENTS[self.event]
        place = ephem.Observer()
        place.lat, place.lon = str(self.latitude), str(self.longitude)
        place.elev, place.pressure, place.horizon = 0, 0, horizon
        options = {"use_center": True} if centre else {}
        begin = day
        while begin.date() == day.date():
            try:
                found = getattr(place, method)(ephem.Sun(), start=ephem.Date(begin), **options)
            except ephem.CircumpolarError:
                return
            at = found.datetime().replace(tzinfo=UTC, microsecond=0)
            if at.date() == day.date():
                yield at
            begin = at + MINUTE


def _ephem() -> Any:
    try:
        import ephem
    except ImportError:
        raise BadTiming("event", _("Schedules by the sun need the library ephem: pip install ephem")) from None
    return ephem
