"""A schedule's timing in plain words: “every 2 minutes”, “Mondays at 08:00 (America/Santiago)”."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from faena.models import Schedule
from faena.models.schedule import Kind
from faena.timing import BadTiming, Crontab

_WEEKDAYS = (
    *(gettext_lazy("Sundays"), gettext_lazy("Mondays"), gettext_lazy("Tuesdays"), gettext_lazy("Wednesdays")),
    *(gettext_lazy("Thursdays"), gettext_lazy("Fridays"), gettext_lazy("Saturdays")),
)
_EVENTS = {
    "dawn_astronomical": gettext_lazy("at the astronomical dawn"),
    "dawn_nautical": gettext_lazy("at the nautical dawn"),
    "dawn_civil": gettext_lazy("at dawn"),
    "sunrise": gettext_lazy("at sunrise"),
    "solar_noon": gettext_lazy("at solar noon"),
    "sunset": gettext_lazy("at sunset"),
    "dusk_civil": gettext_lazy("at dusk"),
    "dusk_nautical": gettext_lazy("at the nautical dusk"),
    "dusk_astronomical": gettext_lazy("at the astronomical dusk"),
}
#: More times of a day than these are not listed.
_LISTED = 6


def describe(schedule: Schedule) -> str:
    """When it is due, in words; a crontab that has no plain words as its line."""
    match schedule.kind:
        case Kind.INTERVAL:
            return every(schedule.every or 0)
        case Kind.CRONTAB:
            return f"{_crontab(schedule)} ({schedule.time_zone})"
        case Kind.SOLAR:
            where = {"latitude": schedule.latitude, "longitude": schedule.longitude}
            place = _("of %(latitude)s, %(longitude)s") % where
            return f"{_EVENTS.get(schedule.event, schedule.event)} {place}"
    if schedule.at is None:
        return _("never")
    try:
        at = schedule.at.astimezone(schedule.zone)
    except BadTiming:
        at = schedule.at
    return _("once, on %(when)s") % {"when": f"{date_format(at, 'DATE_FORMAT')} {at:%H:%M} ({schedule.time_zone})"}


def every(seconds: float) -> str:
    """An interval in its largest whole unit."""
    whole = int(seconds)
    if whole != seconds:
        return _("every %(count)s seconds") % {"count": seconds}
    if whole and whole % 86400 == 0:
        return ngettext("every day", "every %(count)d days", whole // 86400) % {"count": whole // 86400}
    if whole and whole % 3600 == 0:
        return ngettext("every hour", "every %(count)d hours", whole // 3600) % {"count": whole // 3600}
    if whole and whole % 60 == 0:
        return ngettext("every minute", "every %(count)d minutes", whole // 60) % {"count": whole // 60}
    return ngettext("every second", "every %(count)d seconds", whole) % {"count": whole}


def _crontab(schedule: Schedule) -> str:
    try:
        cron = Crontab.parse(schedule.crontab, schedule.zone)
    except BadTiming:
        return schedule.crontab
    days = _days(cron)
    if days is None:
        return schedule.crontab
    if times := _times(cron):
        return _("%(days)s at %(times)s") % {"days": days or every(86400), "times": times}
    often = _often(cron)
    if often is None:
        return schedule.crontab
    return _("%(days)s, %(often)s") % {"days": days, "often": often} if days else often


def _days(cron: Crontab) -> str | None:
    """The days in words, empty for every day; None where there are no plain words."""
    any_day, any_weekday = len(cron.days) == 31, len(cron.weekdays) == 7
    if len(cron.months) < 12 or not (any_day or any_weekday):
        return None
    if any_day and any_weekday:
        return ""
    if any_day:
        return _weekdays(cron.weekdays)
    days = _list([str(day) for day in sorted(cron.days)])
    said = ngettext("on day %(days)s of every month", "on days %(days)s of every month", len(cron.days))
    return said % {"days": days}


def _weekdays(weekdays: frozenset[int]) -> str:
    if weekdays == {1, 2, 3, 4, 5}:
        return _("Monday to Friday")
    # A week begins on Monday.
    return _list([str(_WEEKDAYS[day]) for day in sorted(weekdays, key=lambda day: day or 7)])


def _times(cron: Crontab) -> str:
    """The times of day, if they are few."""
    if len(cron.hours) == 24 or len(cron.hours) * len(cron.minutes) > _LISTED:
        return ""
    return _list([f"{hour:02}:{minute:02}" for hour in cron.hours for minute in cron.minutes])


def _often(cron: Crontab) -> str | None:
    """How often within a day; None where there are no plain words."""
    minutes = _step(cron.minutes, 60)
    if len(cron.hours) == 24:
        if minutes:
            return every(60 * minutes)
        return _("every hour at minute %(minutes)s") % {"minutes": _list([str(each) for each in cron.minutes])}
    begin, end = (f"{cron.hours[end]:02}:{cron.minutes[end]:02}" for end in (0, -1))
    if minutes and cron.hours == tuple(range(cron.hours[0], cron.hours[-1] + 1)):
        said = {"often": every(60 * minutes), "begin": begin, "end": end}
        return _("%(often)s from %(begin)s to %(end)s") % said
    if (hours := _step(cron.hours, 24)) and len(cron.minutes) == 1:
        return _("%(often)s from %(begin)s on") % {"often": every(3600 * hours), "begin": begin}
    return None


def _step(numbers: Sequence[int], period: int) -> int | None:
    """The step of `*/step`, if that is what they are."""
    step = period // len(numbers)
    return step if list(numbers) == list(range(0, period, step)) else None


def _list(words: list[str]) -> str:
    if len(words) == 1:
        return words[0]
    return pgettext("a list", "%(first)s and %(last)s") % {"first": ", ".join(words[:-1]), "last": words[-1]}
