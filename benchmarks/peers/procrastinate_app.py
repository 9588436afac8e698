"""Procrastinate on PostgreSQL: an async task, as its documentation recommends for many at once."""

from __future__ import annotations

import os

from procrastinate import App, PsycopgConnector, SyncPsycopgConnector

_DSN = os.environ["BENCH_POSTGRESQL"]
app = App(connector=PsycopgConnector(conninfo=_DSN))


@app.task(name="bench.noop")
async def noop(number: int) -> None:
    """Do nothing."""


def migrate() -> None:
    with app.replace_connector(SyncPsycopgConnector(conninfo=_DSN)), app.open():
        app.schema_manager.apply_schema()


def send(count: int) -> None:
    """Enqueue in its own bulk way, a thousand at a time."""
    with app.replace_connector(SyncPsycopgConnector(conninfo=_DSN)), app.open():
        for start in range(0, count, 1000):
            noop.batch_defer(*({"number": number} for number in range(start, min(start + 1000, count))))
