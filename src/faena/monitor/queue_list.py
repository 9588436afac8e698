"""Everything the page of the queues shows, gathered from the queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from faena import conf, queries, throughput
from faena.monitor.overview import busiest
from faena.queries import QueueStanding

#: Minutes over which a queue's rate is taken.
OVER = 10
#: The sparkline: an hour in steps of three minutes.
SPAN, STEP = timedelta(hours=1), timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Row:
    """One queue, who listens to it, and how much it gets done."""

    queue: QueueStanding
    listeners: Sequence[str]
    rate: throughput.Rate | None
    ended: Sequence[int]


def about() -> dict[str, Any]:
    """The context of the page and of its live part."""
    now = timezone.now()
    rates = throughput.rates(OVER, now)
    standing = busiest(queries.queues(now))
    alive = [each for each in queries.workers() if each.seen > now - conf.get().LEASE]
    history = throughput.by_queue(SPAN, STEP, now)
    rows = [
        Row(
            queue=each,
            listeners=[worker.name for worker in alive if each.name in worker.queues],
            rate=rates.get(each.name),
            ended=history.get(each.name, []),
        )
        for each in standing
    ]
    return {"now": now, "rows": rows, "over": OVER}
