"""Queues and workers as they are shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Schema

from faena.api.schemas.base import example

_QUEUE: dict[str, Any] = {
    "name": "mail", "waiting": 12, "running": 2, "workers": 1, "paused": None, "paused_by": "",
    "oldest_wait_seconds": 31.5,
}  # fmt: skip
_WORKER: dict[str, Any] = {
    "name": "celery@web1/4711", "host": "web1", "pid": 4711, "pool": "prefork", "slots": 2,
    "queues": ["celery", "mail"], "started": "2026-11-25T07:00:00Z", "seen": "2026-11-25T08:00:00Z", "alive": True,
}  # fmt: skip


class Queue(Schema):
    """A queue: jobs that wait (delayed ones too) and run, workers that listen, and since when it is paused."""

    name: str
    waiting: int
    running: int
    workers: int
    paused: datetime | None
    paused_by: str
    #: How long the job that waits longest has been due; null while none is.
    oldest_wait_seconds: float | None

    model_config = example(_QUEUE)


class QueueList(Schema):
    """Every queue with live jobs, listening workers or a pause, by name."""

    data: list[Queue]

    model_config = example({"data": [_QUEUE]})


class Changed(Schema):
    """Whether it was not so before."""

    changed: bool

    model_config = example({"changed": True})


class Worker(Schema):
    """A worker as it last said of itself; `alive` while it was heard of within the time of a lease."""

    name: str
    host: str
    pid: int
    pool: str
    slots: int
    queues: list[str]
    started: datetime
    seen: datetime
    alive: bool

    model_config = example(_WORKER)


class WorkerList(Schema):
    """The workers that were heard of within a day, those heard of last first."""

    data: list[Worker]

    model_config = example({"data": [_WORKER]})
