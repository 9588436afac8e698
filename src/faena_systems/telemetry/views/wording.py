"""Days and numbers as people read them, in the language of the page."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from faena.templatetags.faena import duration

from ..analytics import By


def number(value: float, decimals: int = 0) -> str:
    """A number with its thousands apart: 1,234.5."""
    return number_format(round(value, decimals), decimals, use_l10n=True, force_grouping=True)


def hours(value: float) -> str:
    """An amount of hours; a decimal where that says something."""
    return _("%(number)s h") % {"number": number(value, 1 if 0 < value < 100 else 0)}


def signed(value: float, decimals: int = 0) -> str:
    """A difference, with its sign."""
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{number(abs(value), decimals)}"


def percent(value: float) -> str:
    """A share between 0 and 1 in percent; a decimal where it is small."""
    return _("%(number)s %%") % {"number": number(100 * value, 1 if 0 < value < 0.1 else 0)}


def signed_percent(value: float) -> str:
    """A change in percent, with its sign."""
    return _("%(number)s %%") % {"number": signed(value, 1 if 0 < abs(value) < 10 else 0)}


def views(count: int) -> str:
    """So and so many views."""
    return ngettext("%(number)s view", "%(number)s views", count) % {"number": number(count)}


def day(value: date) -> str:
    """A day in full: Wed 12 Nov 2025."""
    return f"{WEEKDAYS_ABBR[value.weekday()]} {plain_day(value)}"


def plain_day(value: date) -> str:
    """A day without that of the week: 12 Nov 2025."""
    return date_format(value, pgettext("date format", "j M Y"))


def short_day(value: date) -> str:
    """A day beside an axis: 12 Nov."""
    return date_format(value, pgettext("date format", "j M"))


def step(start: date, by: By) -> str:
    """A step of a series in full."""
    match by:
        case By.WEEK:
            return _("Week of %(day)s") % {"day": plain_day(start)}
        case By.MONTH:
            return date_format(start, pgettext("date format", "F Y"))
    return day(start)


def short_step(start: date, by: By) -> str:
    """A step of a series beside an axis."""
    return date_format(start, pgettext("date format", "M Y")) if by is By.MONTH else short_day(start)


def weekday(number: int) -> str:
    """A day of the week; 0 is Monday."""
    return str(WEEKDAYS[number])


def length(seconds: float) -> str:
    """How long something lasts, in its two largest units."""
    return duration(timedelta(seconds=round(seconds)))


def hour(value: int) -> str:
    """An hour of the day: 20:00–20:59."""
    return f"{value:02}:00–{value:02}:59"
