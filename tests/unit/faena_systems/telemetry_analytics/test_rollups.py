"""The rollups always say what the merged table says, whatever a merge does to it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faena_systems.telemetry import rollups
from faena_systems.telemetry.models import ChannelRollup, HourRollup, MergedTelemetricOTT, SubscriberRollup

from .conftest import VIEWS, View

ROLLUPS = (HourRollup, ChannelRollup, SubscriberRollup)
COLUMNS = {HourRollup: "hour", ChannelRollup: "dataId", SubscriberRollup: "subscriberCode"}


def standing():
    return {
        model: sorted(model.objects.values_list("day", COLUMNS[model], "views", "seconds"), key=str)
        for model in ROLLUPS
    }


def expected():
    """The same from the merged table, one view after the other."""
    sums = {model: {} for model in ROLLUPS}
    for view in MergedTelemetricOTT.objects.all():
        keys = {HourRollup: view.timeDate, ChannelRollup: view.dataId, SubscriberRollup: view.subscriberCode}
        for model, key in keys.items():
            if view.dataDate is not None and key is not None:
                views, seconds = sums[model].get((view.dataDate, key), (0, 0))
                sums[model][view.dataDate, key] = views + 1, seconds + (view.dataDuration or 0)
    return {model: sorted(((*key, *value) for key, value in those.items()), key=str) for model, those in sums.items()}


def merge(views: list[View], after: int, upto: int) -> None:
    """What a merge does with a window: put its rows in, or put them in again."""
    those = [view.row for view in views if after < view.recordId <= upto]
    with transaction.atomic(), rollups.following(after, upto):
        MergedTelemetricOTT.objects.filter(pk__gt=after, pk__lte=upto).delete()
        MergedTelemetricOTT.objects.bulk_create(those, batch_size=500)


def test_they_follow_window_after_window(empty, views):
    for after in range(0, 2 * VIEWS, 1_500):
        merge(views, after, after + 1_500)
    assert standing() == expected()
    assert sum(views for _day, _hour, views, _seconds in standing()[HourRollup]) > VIEWS * 0.9


def test_a_window_may_be_merged_again(empty, views):
    merge(views, 0, 3_000)
    before = standing()
    merge(views, 1_000, 2_000)
    assert standing() == before


def test_a_merge_that_fails_leaves_them_as_they_were(empty, views):
    merge(views, 0, 1_000)
    before = standing()
    with pytest.raises(ZeroDivisionError), transaction.atomic(), rollups.following(500, 2_000):
        MergedTelemetricOTT.objects.filter(pk__gt=500).delete()
        _ = 1 / 0
    assert standing() == before == expected()


def test_they_are_made_anew(empty, views):
    merge(views, 0, 3_000)
    MergedTelemetricOTT.objects.filter(pk__gt=2_000).delete()
    assert standing() != expected()
    rollups.rebuild()
    assert standing() == expected()


windows = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 60), st.sampled_from(["as is", "shorter", "undated", "gone"])),
    min_size=1,
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(windows=windows)
def test_whatever_becomes_of_the_rows_of_a_window(empty, views, windows):
    MergedTelemetricOTT.objects.all().delete()
    rollups.rebuild()
    changed = {
        "as is": lambda view: view,
        "shorter": lambda view: replace(view, dataDuration=1),
        "undated": lambda view: replace(view, dataDate=None, timeDate=None),
    }
    some = [replace(view, recordId=number) for number, view in enumerate(views[100:220])]
    for after, length, how in windows:
        merge([changed[how](view) for view in some] if how in changed else [], after, after + length)
        assert standing() == expected()
