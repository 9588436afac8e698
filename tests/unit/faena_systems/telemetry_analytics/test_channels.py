from __future__ import annotations

from collections import defaultdict

import pytest

from faena_systems.telemetry.analytics import Order, audience, average_duration, top_channels
from faena_systems.telemetry.analytics.channels import CEILING
from faena_systems.telemetry.analytics.totals import Totals

from .conftest import PERIODS


def grouped(views):
    channels = defaultdict(list)
    for view in views:
        channels[view.dataId].append(view)
    return channels


def seconds(views):
    return sum(view.seconds for view in views)


@pytest.mark.parametrize("period", PERIODS, ids=str)
@pytest.mark.parametrize(("order", "key"), [(Order.VIEWS, len), (Order.TIME, seconds)], ids=["views", "time"])
def test_top_channels_are_those_with_the_most(within, period, order, key):
    views = within(period)
    channels = grouped(views)
    best = sorted(channels, key=lambda channel: (-key(channels[channel]), channel))[:10]
    found = top_channels(period, 10, order)
    assert [each.channel for each in found] == best
    for each in found:
        those = channels[each.channel]
        assert each.totals == Totals(len(those), seconds(those))
        assert each.share == pytest.approx(len(those) / len(views))


def test_a_channel_has_its_newest_name_or_that_of_a_view(stored):
    names = {each.channel: each.name for each in top_channels(PERIODS[0], 50)}
    assert (names[101], names[900]) == ("Canal 101", "sin nombre 900")


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_an_audience_counts_different_subscribers_and_devices(within, period):
    channels = grouped(within(period))
    for each in audience(period, 50):
        those = channels[each.channel]
        assert each.totals == Totals(len(those), seconds(those))
        assert each.subscribers == len({view.subscriberCode for view in those} - {None})
        assert each.devices == len({view.deviceId for view in those} - {None})


def test_the_audience_goes_on_where_it_stopped(stored):
    everything = audience(PERIODS[0], 30)
    assert audience(PERIODS[0], 10) + audience(PERIODS[0], 20, offset=10) == everything
    assert audience(PERIODS[0], 10, offset=10_000) == []


def test_no_answer_is_longer_than_the_ceiling(stored):
    for answer in (top_channels(PERIODS[0], 10_000), audience(PERIODS[0], 10_000)):
        assert len(answer) == CEILING
    assert top_channels(PERIODS[0], -1) == []


@pytest.mark.parametrize("least", [1, 20])
@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_the_average_duration_is_time_over_views(within, period, least):
    views = within(period)
    found = average_duration(period, 10, least)
    assert found.totals.average_seconds == pytest.approx(seconds(views) / len(views) if views else 0)
    means = {each: seconds(those) / len(those) for each, those in grouped(views).items() if len(those) >= least}
    assert [each.channel for each in found.channels] == sorted(means, key=lambda each: (-means[each], each))[:10]
    assert all(each.totals.average_seconds == pytest.approx(means[each.channel]) for each in found.channels)
