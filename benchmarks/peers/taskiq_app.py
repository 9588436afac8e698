"""Taskiq on Redis lists, its quickest broker: it does not acknowledge, and a kill loses what was prefetched."""

from __future__ import annotations

import asyncio

from benchmarks.peers import counting
from taskiq_redis import ListQueueBroker

# redis-py 8 times out after 5 s by default, which ends Taskiq's blocking pop and its worker with it.
app = ListQueueBroker(f"{counting.URL}/0", socket_timeout=None)


@app.task
async def noop() -> None:
    counting.count()


async def _send(count: int) -> None:
    await app.startup()
    for _ in range(count):
        await noop.kiq()
    await app.shutdown()


def send(count: int) -> None:
    asyncio.run(_send(count))
