"""Dramatiq on Redis, with its standard middleware."""

from __future__ import annotations

import dramatiq
from benchmarks.peers import counting
from dramatiq.brokers.redis import RedisBroker

app = RedisBroker(url=f"{counting.URL}/0")
dramatiq.set_broker(app)


@dramatiq.actor
def noop() -> None:
    counting.count()


def send(count: int) -> None:
    for _ in range(count):
        noop.send()
