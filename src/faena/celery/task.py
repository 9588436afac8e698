"""The base class of every task of an app that has Faena installed."""

from __future__ import annotations

from functools import partial
from typing import Any

from asgiref.sync import sync_to_async
from celery import Task
from celery.app.annotations import prepare
from celery.contrib.django.task import DjangoTask
from celery.result import AsyncResult, EagerResult
from uuid6 import uuid7

from faena.celery import holding
from faena.celery.backend import LedgerBackend, unrecorded_backend
from faena.celery.here import run_now
from faena.celery.holding import current_hold
from faena.celery.message import job_id
from faena.celery.performing import call
from faena.errors import AlreadyLive

#: How our workers take tasks out of their messages.
STRATEGY = "faena.celery.strategy:default"


def backend_of(task: Task) -> LedgerBackend:
    """The ledger; for a task that opted out of it, one that says so."""
    if task._backend is not None:
        return task._backend
    return task.app.backend if task.app.amqp.is_recorded(task.name) else unrecorded_backend(task.app)


def replace_held(task: Task) -> None:
    """The running body gives its place to other tasks."""
    hold = current_hold()
    if hold is not None and hold.job_id == job_id(task.request.id):
        hold.body_ended = hold.replaced = True


class LedgerTask(DjangoTask):
    """A Celery task whose runs are jobs. `faena=False` on a task leaves it pure Celery."""

    abstract = True
    faena = True
    Strategy = STRATEGY
    #: Celery tells the backend of retries and errors only then; `ignore_result` still keeps the result out.
    store_errors_even_if_ignored = True

    def apply_async(
        self, args: Any = None, kwargs: Any = None, task_id: str | None = None, **options: Any
    ) -> AsyncResult:
        """As Celery's, with an id that sorts by age. A unique job that is live already is returned instead."""
        try:
            return super().apply_async(args, kwargs, task_id=task_id or str(uuid7()), **options)
        except AlreadyLive as live:
            return self.AsyncResult(str(live.job_id))

    async def aapply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> AsyncResult:
        """As `apply_async`, for `async def` code: the event loop goes on while the row is written."""
        return await sync_to_async(self.apply_async)(args, kwargs, **options)

    async def adelay(self, *args: Any, **kwargs: Any) -> AsyncResult:
        """As `delay`, for `async def` code."""
        return await self.aapply_async(args, kwargs)

    def delay_on_commit(self, *args: Any, **kwargs: Any) -> AsyncResult:
        """As `delay`, which writes the row in the caller's transaction anyway; so there is an id to return."""
        return self.delay(*args, **kwargs)

    def apply_async_on_commit(self, *args: Any, **kwargs: Any) -> AsyncResult:
        """As `apply_async`; see `delay_on_commit`."""
        return self.apply_async(*args, **kwargs)

    def run_now(self, *args: Any, **kwargs: Any) -> EagerResult:
        """Run it as a job in this process, at once: recorded, fenced and limited like any other.

        For commands and scripts; no broker and no worker are needed.

        Raises:
            AlreadyLive: a unique job of the same key is live.
        """
        return run_now(self, args, kwargs)

    def retry(self, *args: Any, **kwargs: Any) -> Any:
        """As Celery's. Of a job that `run_now` runs the row keeps the next attempt too, and when it is due."""
        request = self.request
        if not (request.is_eager and holding.runs_here(request.id)):
            return super().retry(*args, **kwargs)
        request.is_eager = False  # Celery would only call the body once more
        try:
            return super().retry(*args, **kwargs)
        finally:
            request.is_eager = True

    def on_replace(self, sig: Any) -> Any:
        """As Celery's: what stands in for this job is sent with its settlement, as its id may be among it."""
        replace_held(self)
        return super().on_replace(sig)

    backend = property(backend_of, Task.backend.fset)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the body: as a job when a worker calls, as the plain function otherwise."""
        # Called as a function, a job runs without a request of its own, as Celery's tracer would run it.
        direct = self.run if hasattr(self, "faena_options") else super().__call__
        return call(self, self.run, direct, args, kwargs)


class Recording:
    """An annotation, as Celery's `task_annotations` takes them: makes jobs of tasks whose class is not `LedgerTask`.

    Args:
        others: the app's own annotations, which apply as well.
    """

    def __init__(self, others: Any) -> None:
        self._others = prepare(others)

    def annotate(self, task: type[Task]) -> dict[str, Any]:
        """What to set on the class of a task when the app learns of it."""
        own = {} if issubclass(task, LedgerTask) else as_jobs(task)
        for other in self._others:
            if hasattr(other, "annotate") and (found := other.annotate(task)):
                return own | found
        return own

    def annotate_any(self) -> dict[str, Any] | None:
        """What the app sets on every task."""
        found = (other.annotate_any() for other in self._others if hasattr(other, "annotate_any"))
        return next(filter(None, found), None)


def as_jobs(theirs: type[Task]) -> dict[str, Any]:
    """A task class of somebody else's, as one whose runs are jobs: claimed before anything of it is called."""
    own_call, own_send, own_replace = theirs.__call__, theirs.apply_async, theirs.on_replace
    has_own_call = own_call is not Task.__call__

    def __call__(self: Task, *args: Any, **kwargs: Any) -> Any:
        direct = partial(own_call, self)
        return call(self, direct if has_own_call else self.run, direct, args, kwargs)

    def apply_async(self: Task, *args: Any, **kwargs: Any) -> AsyncResult:
        try:
            return own_send(self, *args, **kwargs)
        except AlreadyLive as live:
            return self.AsyncResult(str(live.job_id))

    def on_replace(self: Task, sig: Any) -> Any:
        replace_held(self)
        return own_replace(self, sig)

    return {
        "Strategy": STRATEGY if theirs.Strategy == Task.Strategy else theirs.Strategy,
        "__call__": __call__,
        "apply_async": apply_async,
        "on_replace": on_replace,
        "backend": property(backend_of, Task.backend.fset),
        "store_errors_even_if_ignored": True,
    }
