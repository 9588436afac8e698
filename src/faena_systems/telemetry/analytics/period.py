"""A range of days, both ends included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _

#: Ten years: more days than this are refused.
MAX_DAYS = 3_653
#: Days outside of these are typing errors.
EARLIEST, LATEST = date(1970, 1, 1), date(2199, 12, 31)


class BadPeriod(ValueError):
    """The days do not make a period; its text says why, for people."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days from ``since`` to ``until``.

    Raises:
        BadPeriod: it ends before it begins, is longer than ``MAX_DAYS``, or lies where nobody watched television.
    """

    since: date
    until: date

    def __post_init__(self) -> None:
        """Refuse what is no period."""
        if self.until < self.since:
            raise BadPeriod(_("The period ends before it begins."))
        if self.since < EARLIEST or self.until > LATEST:
            raise BadPeriod(_("The days of a period lie between 1970 and 2199."))
        if self.days > MAX_DAYS:
            raise BadPeriod(_("The period is longer than ten years. Choose a shorter one."))

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.until - self.since).days + 1

    @property
    def ends(self) -> tuple[date, date]:
        """Both ends, as ``__range`` takes them."""
        return self.since, self.until

    @property
    def before(self) -> Period:
        """The period of the same length that ends the day before this one begins; BadPeriod if there is none."""
        return Period(self.since - timedelta(days=self.days), self.since - timedelta(days=1))

    @property
    def year_before(self) -> Period:
        """The same weekdays a year earlier: 52 weeks."""
        return Period(self.since - timedelta(weeks=52), self.until - timedelta(weeks=52))

    @classmethod
    def last(cls, days: int, until: date) -> Period:
        """The ``days`` that end with ``until``."""
        return cls(until - timedelta(days=days - 1), until)

    def each_day(self) -> list[date]:
        """Every day of it, in order."""
        return [self.since + timedelta(days=number) for number in range(self.days)]
