"""Huey, on Redis or with BENCH_SQLITE on SQLite: no results stored, no fsync."""

from __future__ import annotations

import os

from benchmarks.peers import counting
from huey import RedisHuey, SqliteHuey

if path := os.environ.get("BENCH_SQLITE"):
    app = SqliteHuey("bench", filename=path, results=False, fsync=False)
else:
    app = RedisHuey("bench", url=f"{counting.URL}/0", results=False)


@app.task()
def noop() -> None:
    counting.count()


@app.task()
def note(sent: float) -> None:
    counting.note(sent)


def send(count: int) -> None:
    for _ in range(count):
        noop()
