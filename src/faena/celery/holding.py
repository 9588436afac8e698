"""The job that this thread or greenlet runs now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from faena.ledger.claim import Hold

#: Innermost last: a body may run another job in its own process.
_holds: ContextVar[tuple[Hold, ...]] = ContextVar("faena_holds", default=())
_run_here: ContextVar[str] = ContextVar("faena_run_here", default="")
_worker: str = ""


def current_hold() -> Hold | None:
    """The job being run here; None outside a job."""
    holds = _holds.get()
    return holds[-1] if holds else None


def begin(hold: Hold) -> None:
    """From here on this thread runs that job."""
    _holds.set((*_holds.get(), hold))


def end(job_id: UUID) -> None:
    """That job has ended: this thread is back in the one that ran it, if any."""
    holds = _holds.get()
    if holds and holds[-1].job_id == job_id:
        _holds.set(holds[:-1])


def be_worker(name: str) -> None:
    """This process, and the pool processes forked from it, belong to that worker."""
    global _worker
    _worker = name


def worker() -> str:
    """The worker this process belongs to."""
    return _worker


@contextmanager
def running_here(task_id: str) -> Iterator[None]:
    """Inside the block, that one eager task is a job to claim; every other eager task is a plain call."""
    token = _run_here.set(task_id)
    try:
        yield
    finally:
        _run_here.reset(token)


def runs_here(task_id: str) -> bool:
    """Whether `running_here` names this task."""
    return _run_here.get() == task_id
