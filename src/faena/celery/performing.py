"""Run one job in this process: claim it, run the body, and turn what the body asks for into an outcome."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from traceback import format_exc
from typing import Any

from celery import Task
from celery.exceptions import Ignore, Reject, Retry
from django.db import InterfaceError, OperationalError

from faena.celery import holding, message
from faena.errors import LeaseLost, Stopped
from faena.ledger import claim, enqueue, leases, sql, turns
from faena.ledger.claim import Hold
from faena.ledger.settle import (
    Again,
    Cancelled,
    Done,
    Error,
    Failed,
    HandedOver,
    Outcome,
    Paused,
    Replaced,
    crash,
    settle,
)
from faena.run import LooseRun, Run
from faena.states import Stop

logger = logging.getLogger(__name__)

#: How long a claim waits for a database that does not answer; then the message is left to reconcile.
PATIENCE = timedelta(seconds=60)


def call(task: Task, body: Callable, direct: Callable, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """What calling a task does: run it as a job when a worker calls, as the plain function otherwise.

    Args:
        body: what the worker would call without Faena.
        direct: what anybody else would.
    """
    if is_a_job_to_run(task):
        return perform(task, body, args, kwargs)
    if hasattr(task, "faena_options"):
        return perform_loose(task, direct, args, kwargs)
    return direct(*args, **kwargs)


def is_a_job_to_run(task: Task) -> bool:
    """Whether the current call of the task is the run of a job, and not a plain call of its function."""
    request = task.request
    if request.called_directly:
        return False
    # A producer that did not know better has made a row: it is settled like any other.
    if not task.app.amqp.is_recorded(task.name) and not request.get(message.HAS_ROW):
        return False
    if request.is_eager and not holding.runs_here(request.id):
        return False
    hold = holding.current_hold()
    # A body that calls its own task as a function is still the same job.
    return hold is None or hold.settled or hold.job_id != message.job_id(request.id)


def perform(task: Task, body: Callable, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Claim the job of the current request and run its body.

    Returns:
        What the body returned; Celery then calls the result backend, which settles it.

    Raises:
        Ignore: the job is not (or no longer) this process's business; Celery drops the message.
        Whatever the body raises: Celery then calls the result backend, which settles it.
    """
    hold = take(task)
    run = Run(hold)
    holding.begin(hold)
    try:
        return _body(task, run, body, args, kwargs)
    except Stopped as asked:
        _settle_quietly(run, _stopped(asked.stop))
        raise Ignore(f"asked to {asked.stop}") from None
    except LeaseLost as lost:
        logger.warning("%s", lost)
        hold.settled = True
        raise Ignore("lease lost") from None
    except Ignore:
        _settle_quietly(run, _ignored(hold))
        raise
    except (OperationalError, InterfaceError, Retry) as raised:
        # With attempts left, Celery's autoretry has made a retry of the error.
        error = getattr(raised, "exc", None) or raised
        if not hasattr(task, "faena_options") or not sql.lost_connection(error):
            raise
        # Nobody's fault: a job goes on at its place when the database is back, as after a crash.
        hold.again = None
        _close_quietly(run)
        _give_back(hold, f"Worker {hold.worker} lost the database ({error})")
        raise Ignore("lost the database") from None
    except Reject as rejected:
        _settle_quietly(run, _rejected(rejected))
        raise Ignore("rejected") from None
    finally:
        _close_quietly(run)
        hold.body_ended = True


def perform_loose(task: Task, body: Callable, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Run a job's body without a row: eager mode, or a plain call of the function."""
    hold = Hold(message.job_id(task.request.id or "direct"), 0, 0, task.name, None, {}, 0, 0, 0, None, [], "")
    run = LooseRun(hold)
    try:
        return body(run, *args, **kwargs)
    finally:
        run.close()


def take(task: Task) -> Hold:
    """Claim the job of the current request.

    Raises:
        Ignore: somebody else has it, it waits for its time, its limit or its queue, or it is over.
    """
    request = task.request
    job_id = message.job_id(request.id)
    options = getattr(task, "faena_options", {})
    limited = bool(options.get("limit") or options.get("rate"))
    sent = request.get(message.HAS_ROW)

    def attempt() -> Hold | None:
        with turns.turn():
            return claim.claim(
                job_id, request.retries or 0, worker=holding.worker(), holder=leases.me(), limited=limited,
                fence=int(sent) - 1 if sent else None,
            )  # fmt: skip

    def claim_or_adopt() -> Hold | None:
        hold = attempt()
        # A message that had a row is a second one of a job that was pruned since.
        if hold is None and not sent and not claim.exists(job_id):
            # Sent by a producer without Faena: the row begins here.
            declared = task.app.amqp.declaration_of(task.name)
            enqueue.insert([message.adopted(task, declared)])
            hold = attempt()
        return hold

    hold = sql.insisting(claim_or_adopt, patience=PATIENCE, what=f"Claiming job {job_id}")
    if hold is None:
        raise Ignore("not claimable")
    return hold


def _body(task: Task, run: Run, body: Callable, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    if not hasattr(task, "faena_options"):
        return body(*args, **kwargs)
    result = body(run, *args, **kwargs)
    run.close()
    return run.summary() if result is None and run.has_counts else result


def _stopped(stop: Stop) -> Outcome:
    match stop:
        case Stop.PAUSE:
            return Paused()
        case Stop.HANDOVER:
            return HandedOver()
    return Cancelled("Cancelled while it ran.")


def _ignored(hold: Hold) -> Outcome:
    if hold.again is not None:
        return Again(hold.again, None)
    if hold.replaced:
        return Replaced()
    if hold.stored_state == "FAILURE":
        return Failed(Error("Ignore", "The body stored the state FAILURE itself."))
    if hold.stored_state:
        return Done(None)
    return Cancelled("The body raised Ignore.")


def _rejected(rejected: Reject) -> Outcome:
    if rejected.requeue:
        return HandedOver()
    return Failed(Error("Reject", str(rejected.reason or "The body rejected the message.")))


def _give_back(hold: Hold, reason: str) -> None:
    try:
        sql.insisting(
            lambda: crash(hold.job_id, hold.fence, reason), patience=PATIENCE, what=f"Giving job {hold.job_id} back"
        )
    except (OperationalError, InterfaceError) as error:
        logger.warning("Job %s is left to the reaper: %s", hold.job_id, error)
    hold.settled = True


def _settle_quietly(run: Run, outcome: Outcome) -> None:
    _close_quietly(run)
    try:
        settle(run.hold, outcome)
    except LeaseLost as lost:
        logger.warning("%s", lost)
        run.hold.settled = True


def _close_quietly(run: Run) -> None:
    """Close the run; what it could not write must not hide how the body ended."""
    try:
        run.close()
    except Exception:
        logger.warning("The last lines of job %s were not written.", run.id, exc_info=True)


def forget_hold(sender: Task, task_id: str = "", retval: object = None, **_: object) -> None:
    """After a task: whatever this thread sends next is no part of it. Eager tasks inside a body end here too."""
    hold = holding.current_hold()
    if hold is None or hold.job_id != message.job_id(task_id):
        return
    try:
        if hold.body_ended and not hold.settled and isinstance(retval, Retry) and hold.again is not None:
            sender.backend.mark_as_retry(task_id, retval.exc, format_exc(), sender.request)  # Celery does not, eagerly
        elif hold.body_ended and not hold.settled:
            _settle_after_all(sender, hold)
    finally:
        holding.end(hold.job_id)


def _settle_after_all(task: Task, hold: Hold) -> None:
    """Celery could not do what follows from the body, such as to call the next step of its chain: the job fails.

    Else it would be run again and again, as if it killed its workers.
    """
    raised = sys.exc_info()[1]
    if raised is not None and (not isinstance(raised, Exception) or sql.lost_connection(raised)):
        return  # the process ends, or the database is away: the reaper's
    error = raised or RuntimeError("The body ended without an outcome: raise self.retry(…) to have it run again.")
    traceback = format_exc() if raised else None
    try:
        task.backend.mark_as_failure(task.request.id, error, traceback, request=task.request)
    except Exception:
        logger.warning("The error callbacks of job %s could not be called.", hold.job_id, exc_info=True)
        task.backend.mark_as_failure(task.request.id, error, traceback, request=task.request, call_errbacks=False)
