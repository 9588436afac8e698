from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import pytest

from faena_systems.telemetry.analytics import Period, retention, segments
from faena_systems.telemetry.analytics.subscribers import MAX_WEEKS
from faena_systems.telemetry.analytics.totals import Totals

from .conftest import FIRST, LAST, PERIODS

WEEK = timedelta(days=7)


def monday(day):
    return day - timedelta(days=day.weekday())


@pytest.mark.parametrize("period", [*PERIODS, Period(FIRST + 3 * WEEK, LAST)], ids=str)
def test_a_cohort_is_who_came_first_in_a_week_and_who_came_back(stored, period):
    weeks = defaultdict(set)
    for view in stored:
        if view.subscriberCode and view.dataDate and view.dataDate <= period.until:
            weeks[view.subscriberCode].add(monday(view.dataDate))
    last = monday(period.until)
    expected = {}
    for first in sorted({min(those) for those in weeks.values() if min(those) >= monday(period.since)}):
        cohort = [those for those in weeks.values() if min(those) == first]
        later = range(min((last - first).days // 7 + 1, MAX_WEEKS))
        expected[first] = [sum(first + number * WEEK in those for those in cohort) for number in later]
    found = retention(period)
    assert {cohort.week: cohort.active for cohort in found} == expected
    for cohort in found:
        assert cohort.shares[0] == 1
        assert cohort.shares == [number / cohort.size for number in cohort.active]


def test_several_cohorts_come_back(stored):
    found = retention(PERIODS[0])
    assert len(found) > 3
    assert sum(len(cohort.active) for cohort in found) > 20


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_each_subscriber_is_in_the_segment_of_their_hours_a_day(within, period):
    watched = defaultdict(list)
    for view in within(period):
        if view.subscriberCode:
            watched[view.subscriberCode].append(view.seconds)
    found = segments(period)
    assert [(each.least, each.below) for each in found] == [(0, 0.5), (0.5, 2), (2, 8), (8, 24), (24, None)]
    for each in found:
        those = [
            seconds
            for seconds in watched.values()
            if each.least <= sum(seconds) / 3600 / period.days < (each.below or float("inf"))
        ]
        assert each.subscribers == len(those)
        assert each.totals == Totals(sum(map(len, those)), sum(map(sum, those)))
