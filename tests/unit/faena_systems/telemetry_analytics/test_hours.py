from __future__ import annotations

import pytest

from faena_systems.telemetry.analytics import peak_hours, time_slots

from .conftest import PERIODS


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_peak_hours_are_those_of_the_views(within, period):
    views = within(period)
    cells = peak_hours(period).cells
    for weekday in range(7):
        for hour in range(24):
            those = [view for view in views if (view.dataDate.weekday(), view.timeDate) == (weekday, hour)]
            assert cells[weekday][hour].views == len(those)
            assert cells[weekday][hour].seconds == sum(view.seconds for view in those)


def test_the_busiest_hour_has_the_most_views(stored):
    peak = peak_hours(PERIODS[0])
    weekday, hour = peak.busiest
    assert peak.cells[weekday][hour].views == max(cell.views for row in peak.cells for cell in row)
    assert peak_hours(PERIODS[-1]).busiest is None


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_each_view_is_in_the_slot_of_its_hour(within, period):
    views = within(period)
    slots = time_slots(period)
    assert [slot.name for slot in slots] == ["madrugada", "mañana", "tarde", "noche"]
    for slot, hours in zip(slots, (range(6), range(6, 12), range(12, 18), range(18, 24)), strict=True):
        those = [view for view in views if view.timeDate in hours]
        assert (slot.totals.views, slot.totals.seconds) == (len(those), sum(view.seconds for view in those))
        assert slot.share == pytest.approx(len(those) / len(views) if views else 0)
