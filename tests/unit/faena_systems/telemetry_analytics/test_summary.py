from __future__ import annotations

from dataclasses import astuple

import pytest

from faena_systems.telemetry.analytics import compare, coverage, summary
from faena_systems.telemetry.analytics.summary import Coverage
from faena_systems.telemetry.analytics.totals import Totals

from .conftest import PERIODS


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_the_summary_counts_the_views_and_what_is_different_in_them(within, period):
    views, found = within(period), summary(period)
    assert found.totals == Totals(len(views), sum(view.seconds for view in views))
    assert found.channels == len({view.dataId for view in views})
    assert found.subscribers == len({view.subscriberCode for view in views} - {None})
    assert found.devices == len({view.deviceId for view in views} - {None})


def test_a_comparison_says_by_how_many_percent(stored):
    now, before = PERIODS[2], PERIODS[2].before
    both = compare(now, before)
    assert (both.now, both.before) == (summary(now), summary(before))
    views = both.now.totals.views, both.before.totals.views
    assert both.views_percent == pytest.approx(100 * views[0] / views[1] - 100)
    assert both.hours_percent == pytest.approx(100 * both.now.totals.hours / both.before.totals.hours - 100)
    assert both.devices_percent == pytest.approx(100 * both.now.devices / both.before.devices - 100)
    assert compare(now, PERIODS[-1]).views_percent is None


def test_views_without_a_date_are_kept_and_said(stored):
    dated = [view for view in stored if view.dataDate]
    days = [view.dataDate for view in dated]
    today = PERIODS[2].until
    to_come = sum(day > today for day in days)
    last, undated = max(day for day in days if day <= today), len(stored) - len(dated)
    assert coverage(today) == Coverage(min(days), last, max(days), len(dated), to_come, undated)
    assert len(stored) > len(dated) > to_come > 0


def test_an_empty_table_is_no_error(empty):
    assert coverage(PERIODS[0].since) == Coverage(None, None, None, 0, 0, 0)
    assert astuple(summary(PERIODS[0]))[1:] == ((0, 0), 0, 0, 0)
