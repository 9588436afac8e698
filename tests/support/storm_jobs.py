"""The jobs of a storm. Each execution says when it begins and ends, and sees whether another one of its job lives."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Any

from celery import shared_task
from django.utils import timezone

from faena import job
from faena.celery.holding import current_hold
from faena.ledger import leases
from faena.models import Job, JobLog
from faena.states import HELD

#: Where executions leave their traces.
TRACES = Path(os.environ.get("FAENA_STORM_TRACES", "/nonexistent"))
EXECUTIONS = "executions.jsonl"
PLACES = 2


def trace(**what: Any) -> None:
    """One line, written at once: a kill leaves it whole or leaves it out."""
    line = json.dumps(what | {"at": time.monotonic(), "pid": os.getpid()}) + "\n"
    handle = os.open(TRACES / EXECUTIONS, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, line.encode())
    os.close(handle)


@contextmanager
def execution() -> Iterator[None]:
    """Hold a lock that only the process's death or the body's end gives up: who finds it taken runs a live job."""
    hold = current_hold()
    assert hold is not None
    job_id, fence = str(hold.job_id), hold.fence
    lock = os.open(TRACES / job_id, os.O_RDWR | os.O_CREAT)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(lock, 200, 0).decode()
            trace(event="live", job=job_id, fence=fence, owner=owner, stopped=bool(owner) and leases.is_stopped(owner))
        else:
            os.ftruncate(lock, 0)
            os.pwrite(lock, leases.me().encode(), 0)
        trace(event="begin", job=job_id, fence=fence)
        yield
        trace(event="end", job=job_id, fence=fence)
    finally:
        os.close(lock)


def traced(body: Callable) -> Callable:
    """The body as an execution."""

    @wraps(body)
    def run(*args: Any, **kwargs: Any) -> Any:
        with execution():
            return body(*args, **kwargs)

    return run


def effect(job_id: object, text: str) -> None:
    """What must not happen twice: a row, written in the transaction of a checkpoint."""
    JobLog.objects.create(job_id=job_id, at=timezone.now(), level="effect", text=text)


@shared_task
@traced
def plain(value: int, seconds: float) -> int:
    time.sleep(seconds)
    return value


@shared_task
@traced
def total(values: list[int]) -> int:
    return sum(values)


@job(max_crashes=1000)
@traced
def batches(run, rows: int, size: int, pause: float):
    for batch in run.each(range(rows), batch=size):
        for number in batch:
            effect(run.id, str(number))
        time.sleep(pause / 10)
    return run.summary()


@job(max_crashes=1000)
@traced
def places(run, rows: int, pause: float):
    """As `batches`, but it does not keep others from SQLite while it waits."""
    while (number := run.cursor.get("next", 0)) < rows:
        with run.checkpoint():
            effect(run.id, str(number))
            run.cursor["next"] = number + 1
        time.sleep(pause)
    return run.cursor["next"]


@job(max_crashes=1000)
@traced
def link(run, so_far: int, pause: float = 0.1):
    """One step of a chain."""
    run.step("effect", lambda: effect(run.id, "step"))
    time.sleep(pause)
    return so_far + 1


@job(max_crashes=1000)
def dying_link(run, so_far: int, line: int):
    """As `link`; the first time its process dies before the n-th line that the ledger executes after the body."""
    sys.settrace(None)
    run.step("effect", lambda: effect(run.id, "step"))
    if run.hold.fence == 1 and so_far == 0:
        _die_at(line)
    return so_far + 1


def _die_at(line: int) -> None:
    lines = itertools.count(1)

    def at_line(frame: FrameType, event: str, _: object) -> Any:
        if event == "line" and next(lines) == line:
            os.kill(os.getpid(), 9)
        return at_line

    def at_call(frame: FrameType, event: str, _: object) -> Any:
        return at_line if "/faena/ledger/" in frame.f_code.co_filename else None

    sys.settrace(at_call)


@shared_task(bind=True, max_retries=2)
@traced
def flaky(self, pause: float):
    time.sleep(pause)
    if self.request.retries < 2:
        raise self.retry(exc=ValueError(f"attempt {self.request.retries}"), countdown=self.request.retries)
    return self.request.retries


@job(attempts=3, backoff="fixed", backoff_seconds=1, max_crashes=1000)
@traced
def stumbles(run, pause: float):
    time.sleep(pause)
    if run.attempt < 2:
        raise ValueError(f"attempt {run.attempt}")
    return run.attempt


@job(limit=PLACES, max_crashes=1000)
@traced
def limited(run, pause: float):
    held = Job.objects.filter(kind=limited.name, state__in=HELD).count()
    if held > PLACES:
        trace(event="over", job=str(run.id), fence=run.hold.fence, held=held)
    time.sleep(pause)
    return "limited"


@job(unique="{name}", max_crashes=1000)
@traced
def only_one(run, name: str, pause: float):
    time.sleep(pause)
    return name
