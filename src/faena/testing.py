"""For the tests of projects that use Faena: jobs without a broker and without a worker.

    from faena.testing import assert_enqueued, drain, eager, fake_worker

All of it works inside Django's TestCase, whose transaction is never committed, and outside of one. See
docs/testing.md.
"""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from celery import Celery, Task
from celery.app.trace import build_tracer
from celery.exceptions import NotRegistered
from django.db.models import DateTimeField
from django.db.models.expressions import RawSQL
from kombu.utils.json import dumps, loads

from faena import run, standalone
from faena.celery import holding, message
from faena.celery.amqp import CeleryBroker
from faena.celery.loading import load
from faena.errors import ConfigurationError
from faena.ledger import claim, doorbell, leases, settle, sql
from faena.ledger.enqueue import NOT_YET
from faena.states import HELD, State

standalone.set_up()
from faena.models import Job  # noqa: E402  a project that is not Django may import this module before its app

#: What the worker of the tests is called in the rows.
WORKER = "faena.testing"
#: How many jobs `drain` runs before it takes them for endless.
MOST = 1000
#: How many jobs a failed `assert_enqueued` lists.
SHOWN = 20


@contextmanager
def eager() -> Iterator[None]:
    """Inside the block, `.delay()` runs the job at once in this process, recorded like any other, retries included.

    What the job enqueues runs after it, still inside the `.delay()`. Nothing is sent to a broker.
    """
    amqp = _app().amqp
    send = amqp.send_task_message

    def send_and_run(*args: Any, **options: Any) -> Any:
        sent = send(*args, **options)
        if holding.current_hold() is None:
            drain(skip_waiting=True)
        return sent

    with doorbell.silence():
        amqp.send_task_message = send_and_run
        try:
            yield
        finally:
            amqp.send_task_message = send


def drain(*, skip_waiting: bool = False, most: int = MOST) -> list[Job]:
    """Run every job that is due in this process, and what those enqueue, until nothing is due.

    Args:
        skip_waiting: run jobs that wait for their time too: countdowns, and the pauses before retries.
        most: how many runs are taken for endless.

    Returns:
        The jobs in the order in which they ran, as they are now. One that ran twice is there twice.

    Raises:
        AssertionError: there is no end.
    """
    ran: list[UUID] = []
    refused: set[UUID] = set()
    with fake_worker() as worker:
        while (job := _next(refused, waited_for=Counter(ran) if skip_waiting else None)) is not None:
            if len(ran) == most:
                raise AssertionError(f"{most} jobs ran and there is no end: does one enqueue itself again?")
            if worker.run(job.pk).fence == job.fence:
                refused.add(job.pk)  # its queue is paused, or its limit is full
            else:
                ran.append(job.pk)
    found = Job.objects.in_bulk(ran)
    return [found[job_id] for job_id in ran]


def assert_enqueued(kind_or_task: Task | str, *, times: int | None = None, **arguments: Any) -> list[Job]:
    """See that such a job was enqueued, whatever became of it; the jobs that match, oldest first.

    Args:
        kind_or_task: the task, or its name.
        times: exactly so many; at least one if not given.
        arguments: the job's arguments by name that must be equal, however the caller passed them.

    Raises:
        AssertionError: no such job, or another number of them; it lists what was enqueued instead.
    """
    kind = kind_or_task if isinstance(kind_or_task, str) else kind_or_task.name
    everything = list(Job.objects.order_by("created", "id")[:MOST])
    matching = [job for job in everything if job.kind == kind and _matches(job, arguments)]
    if len(matching) != times if times is not None else not matching:
        found = f"{len(matching)} of {times} jobs" if times is not None else "no job"
        lines = [f"  {_call(job.kind, job.args, job.kwargs)}  {job.state}" for job in everything[-SHOWN:]]
        told = "\n".join(["Enqueued was:", *lines]) if lines else "Nothing was enqueued."
        raise AssertionError(f"Found {found} like {_call(kind, [], arguments)}. {told}")
    return matching


@contextmanager
def fake_worker() -> Iterator[FakeWorker]:
    """A worker in this process that runs one job when told to, and can die in the middle of it.

    Inside the block a job saves its place, and hears that it was paused, at every row instead of every second.
    """
    usual, run.SAVE_SECONDS = run.SAVE_SECONDS, 0.0
    before = holding.worker()
    holding.be_worker(WORKER)
    try:
        with doorbell.silence():
            yield FakeWorker(_app())
    finally:
        run.SAVE_SECONDS = usual
        holding.be_worker(before)


class FakeWorker:
    """What `fake_worker()` yields."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def run_next(self) -> Job | None:
        """Run the job that is due next; as it is afterwards, or None if none is due.

        A body that calls `crash()` ends there, as if its process had been killed.
        """
        job = _next()
        return job and self.run(job.pk)

    def run(self, job_id: UUID) -> Job:
        """Run this job, as `run_next` does; what is not due, paused or over is left alone."""
        try:
            _send(self._app, Job.objects.get(pk=job_id))
        except _Killed:
            self.crash()
        return Job.objects.get(pk=job_id)

    def take_next(self) -> Job | None:
        """Claim the job that is due next and do nothing with it: it is running. `crash()` gives it back."""
        job = _next()
        if job is None:
            return None
        claim.claim(job.pk, job.attempt, worker=WORKER, holder=leases.me(), limited=job.limit_key is not None)
        return Job.objects.get(pk=job.pk)

    def crash(self, *_: Any, **__: Any) -> None:
        """Die as by `kill -9`: what the worker holds goes back to the queue and has spent a crash.

        Called inside a job's body, it does not return. It takes any arguments, so that it can stand in for a
        function that the body calls: `mock.patch("shop.tasks.charge", side_effect=worker.crash)`.
        """
        if holding.current_hold() is not None:
            raise _Killed
        for job_id, fence in Job.objects.filter(worker=WORKER, state__in=HELD).values_list("pk", "fence"):
            settle.crash(job_id, fence, f"Worker {WORKER} died")


class _Killed(BaseException):
    """No `except Exception` of a body survives its process."""


def _app() -> Celery:
    if isinstance(doorbell.broker, CeleryBroker):
        return doorbell.broker.app
    raise ConfigurationError(
        "faena.install(app) has not run in this process: import the module of your Celery app before faena.testing "
        "is used, as the __init__.py of a Django project does."
    )


def _next(refused: Collection[UUID] = (), waited_for: Counter[UUID] | None = None) -> Job | None:
    """The job that a worker would get next.

    Args:
        refused: jobs that no worker would get.
        waited_for: take also what waits for its time: of those the one that ran least often.
    """
    pending = Job.objects.filter(state=State.PENDING).exclude(pk__in=refused)
    now = RawSQL(sql.now(), [], DateTimeField())  # noqa: S611  a constant
    if job := pending.filter(run_at__lte=now).order_by("-priority", "run_at", "id").first():
        return job
    if waited_for is None:
        return None
    waiting = pending.filter(run_at__lt=NOT_YET).order_by("run_at", "id")[:MOST]
    job = min(waiting, key=lambda each: waited_for[each.pk], default=None)
    if job is not None:
        sql.execute(f"UPDATE faena_job SET run_at = {sql.now()} WHERE id = %s", [sql.key(job.pk)])
    return job


def _send(app: Celery, job: Job) -> None:
    """Hand the job's message over, with what a broker would do to it."""
    row = {name: getattr(job, name) for name in ("id", "kind", "queue", "attempt", "fence")}
    row |= {name: json.dumps(getattr(job, name)) for name in ("args", "kwargs", "message")}
    (headers, properties, body, _), _ = message.celery_message(app, row)
    # Dates and decimals are made of what JSON can hold.
    delivery_info = {"routing_key": job.queue, "priority": job.priority}
    trace(app, headers, loads(dumps(body)), reply_to=properties.get("reply_to"), delivery_info=delivery_info)


def trace(app: Celery, headers: dict[str, Any], body: Any, **properties: Any) -> Any:
    """Do what a worker's pool process does with a message; what Celery's tracer returns.

    Args:
        body: (args, kwargs, embedded signatures), decoded.
        properties: whatever else a request knows of its message.
    """
    args, kwargs, embed = body
    task = _task(app, headers["task"])
    request = headers | embed | properties | {"hostname": WORKER, "is_eager": False}
    return build_tracer(task.name, task, app=app, hostname=WORKER)(headers["id"], args, kwargs, request)


def _task(app: Celery, kind: str) -> Task:
    if kind not in app.tasks:
        load(app)
    try:
        return app.tasks[kind]
    except NotRegistered:
        raise ConfigurationError(f"A job of kind {kind} was enqueued, but {app.main} has no such task.") from None


def _matches(job: Job, wanted: Mapping[str, Any]) -> bool:
    given = _arguments(job)
    return all(name in given and given[name] == loads(dumps(value)) for name, value in wanted.items())


def _arguments(job: Job) -> dict[str, Any]:
    """The job's arguments by name; those of a task that this process does not know only if passed so."""
    args, kwargs = loads(dumps(job.args)), loads(dumps(job.kwargs))
    task = _app().tasks.get(job.kind)
    if task is None:
        return kwargs
    signature = getattr(task, "faena_options", {}).get("signature") or inspect.signature(task.run)
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError:
        return kwargs
    bound.apply_defaults()
    return bound.arguments


def _call(kind: str, args: Any, kwargs: Any) -> str:
    shown = [*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())]
    return f"{kind}({', '.join(shown)})"
