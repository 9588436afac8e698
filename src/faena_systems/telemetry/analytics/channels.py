"""What people watch: channels by views or time, their audience, how long a view lasts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import F, QuerySet, Sum

from faena.ledger import sql

from ..models import Channel, ChannelRollup, MergedTelemetricOTT
from .period import Period
from .totals import SUMS, Totals

#: Channels in one answer, at most.
CEILING = 50


class Order(StrEnum):
    """What makes a channel come first."""

    VIEWS = "views"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class ChannelTotals:
    """A channel in the period and its share of all views, from 0 to 1. The name is its newest, or empty."""

    channel: int
    name: str
    totals: Totals
    share: float


@dataclass(frozen=True, slots=True)
class ChannelAudience(ChannelTotals):
    """The same, and how many different subscribers and devices watched the channel."""

    subscribers: int
    devices: int


@dataclass(frozen=True, slots=True)
class AverageDuration:
    """How long a view lasts: of all of them, and by channel, the longest first."""

    totals: Totals
    channels: list[ChannelTotals]


def top_channels(period: Period, limit: int = 10, order: Order = Order.VIEWS) -> list[ChannelTotals]:
    """The channels with the most views, or the most time watched; at most ``CEILING``."""
    return _with_names(_ordered(period, order)[: _at_most(limit)], _all_views(period))


def audience(period: Period, limit: int = 20, offset: int = 0, order: Order = Order.VIEWS) -> list[ChannelAudience]:
    """Who watched the channels that ``top_channels`` gives, from the ``offset``-th on; at most ``CEILING`` channels."""
    rows = _ordered(period, order)[offset : offset + _at_most(limit)]
    channels = _with_names(rows, _all_views(period))
    subscribers, devices = _people([each.channel for each in channels], period)
    return [
        ChannelAudience(
            each.channel,
            each.name,
            each.totals,
            each.share,
            subscribers.get(each.channel, 0),
            devices.get(each.channel, 0),
        )
        for each in channels
    ]


def average_duration(period: Period, limit: int = 10, least_views: int = 10) -> AverageDuration:
    """How long views last; of the channels only those with ``least_views``, at most ``CEILING``."""
    channels = (
        _by_channel(period)
        .filter(total_views__gte=least_views)
        .alias(average=F("total_seconds") * 1.0 / F("total_views"))
    )
    found = ChannelRollup.objects.filter(day__range=period.ends).aggregate(**SUMS)
    totals = Totals(found["total_views"], found["total_seconds"])
    longest = channels.order_by("-average", "dataId")[: _at_most(limit)]
    return AverageDuration(totals, _with_names(longest, totals.views))


def _at_most(limit: int) -> int:
    return max(0, min(limit, CEILING))


def _ordered(period: Period, order: Order) -> QuerySet:
    field = {Order.VIEWS: "-total_views", Order.TIME: "-total_seconds"}[order]
    return _by_channel(period).order_by(field, "dataId")


def _by_channel(period: Period) -> QuerySet:
    return ChannelRollup.objects.filter(day__range=period.ends).values_list("dataId").annotate(**SUMS)


def _all_views(period: Period) -> int:
    return ChannelRollup.objects.filter(day__range=period.ends).aggregate(views=Sum("views", default=0))["views"]


def _with_names(rows: Iterable[tuple[int, int, int]], all_views: int) -> list[ChannelTotals]:
    found = list(rows)
    names = _names([channel for channel, _views, _seconds in found])
    return [
        ChannelTotals(channel, names[channel], Totals(views, seconds), views / all_views if all_views else 0.0)
        for channel, views, seconds in found
    ]


def _names(channels: list[int]) -> dict[int, str]:
    """The newest name of each; a channel that no start named has the name of a view of it."""
    names = dict(Channel.objects.filter(pk__in=channels).values_list("dataId", "dataName"))
    for channel in channels:
        if channel not in names:
            views = MergedTelemetricOTT.objects.filter(dataId=channel).order_by("-dataDate")
            names[channel] = views.values_list("dataName", flat=True)[:1].get() or ""
    return names


def _people(channels: list[int], period: Period) -> list[dict[int, int]]:
    """How many different subscribers, and devices, watched each channel."""
    return [_different(column, channels, period) for column in ("subscriberCode", "deviceId")]


def _different(column: str, channels: list[int], period: Period) -> dict[int, int]:
    if not channels:
        return {}
    # Not count(DISTINCT …), for which PostgreSQL sorts all the views of a channel.
    return dict(
        sql.rows(
            f"""
            SELECT "dataId", count("{column}") FROM (
                SELECT DISTINCT "dataId", "{column}" FROM {MergedTelemetricOTT._meta.db_table}
                WHERE "dataId" IN {sql.holes(channels)} AND "dataDate" BETWEEN %s AND %s
            ) AS each_once GROUP BY "dataId"
            """,
            [*channels, *period.ends],
        )
    )
