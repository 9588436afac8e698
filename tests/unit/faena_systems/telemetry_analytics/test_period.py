from datetime import date

import pytest

from faena_systems.telemetry.analytics import BadPeriod, Period


def test_a_period_has_both_its_ends():
    period = Period(date(2026, 1, 1), date(2026, 1, 31))
    assert period.days == 31
    assert period.each_day()[0] == period.since
    assert period.each_day()[-1] == period.until


def test_the_period_before_is_as_long_and_ends_the_day_before():
    assert Period(date(2026, 3, 1), date(2026, 3, 7)).before == Period(date(2026, 2, 22), date(2026, 2, 28))


def test_the_year_before_has_the_same_weekdays():
    period = Period(date(2026, 3, 1), date(2026, 3, 7))
    assert period.year_before.days == period.days
    assert period.year_before.since.weekday() == period.since.weekday()


def test_the_last_days_end_with_a_day():
    assert Period.last(7, date(2026, 3, 7)) == Period(date(2026, 3, 1), date(2026, 3, 7))


@pytest.mark.parametrize(
    ("since", "until", "why"),
    [
        (date(2026, 3, 2), date(2026, 3, 1), "ends before it begins"),
        (date(2010, 1, 1), date(2026, 3, 1), "longer than ten years"),
        (date(1, 1, 1), date(1, 1, 2), "between 1970 and 2199"),
        (date(9999, 12, 30), date(9999, 12, 31), "between 1970 and 2199"),
    ],
)
def test_what_is_no_period_is_refused_with_the_reason(since, until, why):
    with pytest.raises(BadPeriod, match=why):
        Period(since, until)


def test_the_first_days_there_are_have_none_before():
    with pytest.raises(BadPeriod):
        _ = Period(date(1970, 1, 1), date(1970, 2, 1)).before
