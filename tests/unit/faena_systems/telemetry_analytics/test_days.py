from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from statistics import mean, pstdev

import pytest

from faena_systems.telemetry.analytics import By, Period, anomalies, day_over_day, series
from faena_systems.telemetry.models import HourRollup

from .conftest import FIRST, LAST, PERIODS

STARTS = {
    By.DAY: lambda day: day,
    By.WEEK: lambda day: date.fromisocalendar(*day.isocalendar()[:2], 1),
    By.MONTH: lambda day: date(day.year, day.month, 1),
}


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_a_series_has_every_step_and_its_views(within, period, by):
    views, steps = within(period), series(period, by)
    days = [period.since + timedelta(days=number) for number in range(period.days)]
    assert [step.start for step in steps] == sorted({STARTS[by](day) for day in days})
    for step in steps:
        those = [view for view in views if STARTS[by](view.dataDate) == step.start]
        assert (step.totals.views, step.totals.seconds) == (len(those), sum(view.seconds for view in those))


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_each_day_stands_beside_the_day_before(stored, period):
    number = Counter(view.dataDate for view in stored)
    for each in day_over_day(period):
        before = number[each.day - timedelta(days=1)]
        assert (each.views, each.before, each.change) == (number[each.day], before, number[each.day] - before)
        assert each.percent == (pytest.approx(100 * number[each.day] / before - 100) if before else None)
    assert len(day_over_day(period)) == period.days


@pytest.mark.parametrize("sigmas", [1.0, 2.0])
@pytest.mark.parametrize("today", [FIRST, FIRST + timedelta(days=30), LAST + timedelta(days=9)], ids=str)
@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_anomalies_are_the_days_that_many_deviations_away(within, period, today, sigmas):
    number = Counter(view.dataDate for view in within(period) if view.dataDate < today)
    found = anomalies(period, today, sigmas)
    if not number:
        assert (found.days, found.found) == (0, [])
        return
    span = (max(number) - min(number)).days + 1
    counts = {min(number) + timedelta(days=each): number[min(number) + timedelta(days=each)] for each in range(span)}
    middle, deviation = mean(counts.values()), pstdev(counts.values())
    assert (found.days, found.mean, found.deviation) == (span, pytest.approx(middle), pytest.approx(deviation))
    far = [day for day, views in counts.items() if deviation and abs(views - middle) >= sigmas * deviation]
    assert [each.day for each in found.found] == far
    assert all(each.views == counts[each.day] for each in found.found)


def test_a_day_three_deviations_away_is_found_and_today_is_left_alone(empty):
    for number in range(20):
        HourRollup.objects.create(day=FIRST + timedelta(days=number), hour=20, views=100 + number % 3, seconds=1)
    last = FIRST + timedelta(days=20)
    HourRollup.objects.create(day=last, hour=20, views=900, seconds=1)
    period = Period(FIRST, last)
    [found] = anomalies(period, today=last + timedelta(days=1)).found
    assert (found.day, found.views) == (last, 900)
    assert found.sigmas > 3
    assert anomalies(period, today=last).found == []
