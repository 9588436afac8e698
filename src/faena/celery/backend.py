"""The result backend: storing a result is settling a job, and reading one is reading its row."""

from __future__ import annotations

import json
import logging
import sys
from functools import cache
from typing import Any

from billiard.einfo import ExceptionInfo
from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import Celery, chord, group
from celery import states as celery_states
from celery.backends.base import BaseBackend
from celery.canvas import maybe_signature
from celery.exceptions import NotRegistered, TaskRevokedError
from celery.result import ResultSet, result_from_tuple
from celery.worker import state as worker_state
from django.db import DatabaseError, InterfaceError, transaction
from kombu.exceptions import EncodeError
from kombu.utils.json import dumps, loads

from faena.celery import holding, message
from faena.celery.loading import set_up_django
from faena.celery.message import job_id
from faena.celery.reaching import reach
from faena.errors import ConfigurationError, LeaseLost
from faena.ledger import endings, enqueue, groups, leases, settle, sql, turns
from faena.ledger.claim import Hold
from faena.ledger.enqueue import NewJob
from faena.ledger.forking import brief_connection
from faena.ledger.settle import Again, Done, Error, Failed, Outcome
from faena.states import HELD, State

logger = logging.getLogger(__name__)

CELERY_STATE = {
    State.PENDING: celery_states.PENDING,
    State.VALIDATING: celery_states.STARTED,
    State.RUNNING: celery_states.STARTED,
    State.PAUSED: "PAUSED",
    State.COMPLETED: celery_states.SUCCESS,
    State.COMPLETED_WITH_ERRORS: celery_states.SUCCESS,
    State.FAILED: celery_states.FAILURE,
    State.CANCELLED: celery_states.REVOKED,
}


class LedgerBackend(BaseBackend):
    """Celery's result backend over the ledger; `result_backend = "faena"`."""

    supports_autoexpire = True  # the prune duty
    persistent = True

    # --- the settlement ------------------------------------------------------------------------

    def mark_as_done(self, task_id, result, request=None, store_result=True, state=celery_states.SUCCESS):
        """Settle: the body returned."""
        hold = self._hold_of(task_id)
        if hold is None:
            return
        if request and request.chord:
            self.on_chord_part_return(request, state, result)
        ignored = not store_result and not (request and request.is_eager)
        again = _retry(hold, None)
        hold.told = again is None
        self._settle(hold, again or Done(None if ignored else _encoded(result)))

    def mark_as_failure(
        self,
        task_id,
        exc,
        traceback=None,
        request=None,
        store_result=True,
        call_errbacks=True,
        state="FAILURE",
    ):
        """Settle: the body failed for good; or the worker knows no such task, ended it for its time limit, or
        lost its process.
        """
        hold = self._hold_of(task_id)
        if hold is not None:
            # The next step of a chain does not follow from a failure; the error callbacks do, with the settlement.
            hold.follow_ups.clear()
            hold.chords.clear()
            hold.told = True
            self.follow(task_id, exc, traceback, request, call_errbacks=call_errbacks, state=state)
            self._settle(hold, Failed(_error(exc, traceback)))
        elif isinstance(exc, WorkerLostError):
            # The process died: that is a crash, which costs no attempt, and the job runs again.
            self._crash(task_id, str(exc))
        elif isinstance(exc, TimeLimitExceeded | TaskRevokedError | NotRegistered):
            self._end(task_id, State.FAILED, _error(exc, traceback))
        elif request and (request.is_eager or not self.app.amqp.is_recorded(request.task)):
            self.follow(task_id, exc, traceback, request, call_errbacks=call_errbacks, state=state)
        elif request and not isinstance(exc, DatabaseError | InterfaceError):
            # What comes before the body and its claim has failed, such as `before_start` of the task's class.
            self._end(task_id, State.FAILED, _error(exc, traceback), worker="", attempt=request.retries or 0)

    def mark_as_retry(self, task_id, exc, traceback=None, request=None, store_result=True, state="RETRY"):
        """Settle: the body asked to run again."""
        hold = self._hold_of(task_id)
        # A body may ask for another run without any error, as a chord's poll does.
        error = None if exc is None else _error(exc, traceback)
        if hold is not None and (outcome := _retry(hold, error)):
            self._settle(hold, outcome)

    def mark_as_revoked(self, task_id, reason="", request=None, store_result=True, state="REVOKED"):
        """Settle: revoked before or while it ran, or expired."""
        error = Error("TaskRevokedError", str(reason or "revoked"), module="celery.exceptions")
        if reason == "expired":
            worker_state.revoked.discard(task_id)  # the row knows; who retries it wants it to run
        # Unless it was terminated, a job that runs does so by another message, and this one says nothing of it.
        self._end(task_id, State.CANCELLED, error, worker=None if reason == "terminated" else "")

    def _end(
        self, task_id: str, state: State, error: Error, worker: str | None = None, attempt: int | None = None
    ) -> None:
        """End a job that this worker ran, or `worker`, or that waits; what follows from it is a job of its own."""
        worker = holding.worker() if worker is None else worker
        with brief_connection(), transaction.atomic():
            if settle.end_unheld(job_id(task_id), worker, state, error, attempt):
                endings.owe(job_id(task_id))

    # --- what follows --------------------------------------------------------------------------

    def follow(self, task_id, exc, traceback, request, *, call_errbacks=True, state="FAILURE"):
        """What Celery does after a failure: tell the chord, give the rest of the chain up, call the errbacks."""
        # `store_result` makes Celery say which steps of a chain will never run.
        super().mark_as_failure(
            task_id,
            exc,
            traceback,
            request,
            store_result=bool(request and request.chain),
            call_errbacks=call_errbacks,
            state=state,
        )

    def apply_chord(self, header_result_args, body, interval=None, max_retries=None, **_):
        """Enqueue the job that joins the header's results and sends the body; it waits for the header's last part.

        It is Celery's own `celery.chord_unlock`, but nothing polls: the settlement of the last part makes it due.
        """
        if not self.app.amqp.is_recorded(endings.CHORD):
            # Without a row it can only poll.
            super().apply_chord(header_result_args, body, interval=interval, max_retries=max_retries)
            return
        header = self.app.GroupResult(*header_result_args)
        parts = [part.as_tuple() for part in header.results]
        self.app.tasks[endings.CHORD].apply_async(
            (header.id, body),
            {"result": parts, "interval": interval, "max_retries": max_retries},
            task_id=str(message.chord_id(header.id)),
            eta=enqueue.NOT_YET,
            queue=self._queue_of(body),
            priority=body.options.get("priority"),
            headers={endings.PARTS: _size(header)},
        )

    def _queue_of(self, signature: Any) -> Any:
        """The queue that a signature goes to, or its first task."""
        while tasks := getattr(signature, "tasks", None):
            signature = maybe_signature(tasks if isinstance(tasks, group) else tasks[0], app=self.app)
        try:
            own = getattr(signature.type, "queue", None)
        except NotRegistered:
            own = None
        return signature.options.get("queue") or own or self.app.amqp.router.route({}, signature.name).get("queue")

    def on_chord_part_return(self, request, state, result, **_):
        """A part of a chord has ended: its chord counts it, in the settlement's transaction if there is one."""
        if request.group:
            self._count_part(request.group)

    def _count_part(self, group_id: str) -> None:
        hold = holding.current_hold()
        if hold is not None and not hold.settled:
            hold.chords.append(message.chord_id(group_id))
        else:
            with transaction.atomic():
                endings.part_ended(message.chord_id(group_id))

    def chord_error_from_stack(self, callback, exc=None):
        """As Celery's; the chord's body, which will never run, gets its row with the reason."""
        for body in _results_of(callback):
            if self._write_unrun(body, body.options, exc or sys.exc_info()[1]) and body.options.get("chord"):
                # The body of a chord within a chord: the outer one waits for it.
                self._count_part(body.options["group_id"])
        return super().chord_error_from_stack(callback, exc)

    def _write_unrun(self, signature, options, exc) -> bool:
        """Write the row of a task that will never run, with the settlement if there is one; whether it is new."""
        if not options.get("task_id"):
            return False
        queue = options.get("queue") or self.app.conf.task_default_queue
        job = NewJob(
            id=job_id(options["task_id"]),
            kind=signature.task,
            queue=getattr(queue, "name", queue),
            args=dumps(signature.args),
            kwargs=dumps(signature.kwargs),
        )
        hold = holding.current_hold()
        if hold is not None and hold.body_ended and not hold.settled:
            hold.unrun.append((job, _error(exc, "")))
            return True
        with transaction.atomic():
            return settle.write_unrun(job, _error(exc, ""))

    def _settle(self, hold: Hold, outcome: Outcome) -> None:
        try:
            with turns.turn():
                settle.settle(hold, outcome)
        except LeaseLost as lost:
            logger.warning("%s Its outcome is dropped.", lost)
            hold.settled = True

    def _hold_of(self, task_id: str) -> Hold | None:
        hold = holding.current_hold()
        return hold if hold is not None and not hold.settled and hold.job_id == job_id(task_id) else None

    def _crash(self, task_id: str, reason: str) -> None:
        """Give a job back whose process died, unless the reaper was faster: then another process has it by now."""
        with brief_connection():
            found = sql.rows(
                "SELECT fence, holder FROM faena_job WHERE id = %s AND worker = %s",
                [sql.key(job_id(task_id)), holding.worker()],
            )
            if found and leases.is_alive(found[0][1]) is False:
                settle.crash(job_id(task_id), found[0][0], reason)

    # --- a body's own states -------------------------------------------------------------------

    def _store_result(self, task_id, result, state, traceback=None, request=None, **_):
        """`self.update_state(state="PROGRESS", meta={…})`: shown, and read by `AsyncResult.info`."""
        if state in celery_states.PROPAGATE_STATES and self._is_asked_for(task_id, getattr(request, "options", ())):
            # A step of a chain that will never run.
            self._write_unrun(request, request.options, self.exception_to_python(result))
            return result
        hold = holding.current_hold()
        if hold is not None and hold.job_id == job_id(task_id):
            if hold.told:
                return result
            hold.stored_state = state
        meta = dumps({"state": state, "info": result})
        sql.execute(
            f"UPDATE faena_job SET meta = %s WHERE id = %s AND state IN {sql.IN_HELD}",
            [meta, sql.key(job_id(task_id))],
        )
        return result

    def _is_asked_for(self, task_id: str, options: Any) -> bool:
        """Whether somebody waits for this very step: a chord that it is a part of, a job it was to stand in for."""
        return "chord" in options or enqueue.is_replaced(job_id(task_id))

    def exception_of(self, error: dict[str, Any]) -> BaseException:
        """The exception that a row keeps."""
        return self.exception_to_python(_as_exception(error))

    # --- reading -------------------------------------------------------------------------------

    def _get_task_meta_for(self, task_id):
        """What Celery knows of a task, from its row."""
        set_up_django(self.app)
        found = sql.rows(
            """SELECT state, result, error, meta, attempt, finished, kind, args, kwargs, worker, queue, parent_id,
                      root_id FROM faena_job WHERE id = %s""",
            [sql.key(job_id(task_id))],
        )
        if not found:
            return self._unknown(task_id)
        state, result, error, meta, attempt, finished, kind, args, kwargs, worker, queue, parent, root = found[0]
        answer = {
            "task_id": task_id,
            "status": CELERY_STATE[State(state)],
            "result": None,
            "traceback": None,
            "children": self._children(task_id, root),
            "date_done": finished,
            "name": kind,
            "args": loads(args),
            "kwargs": loads(kwargs),
            "worker": worker,
            "queue": queue,
            "retries": attempt,
            "parent_id": str(sql.uuid(parent)) if parent else None,
        }
        return answer | _outcome(State(state), result, error, meta, attempt)

    def _unknown(self, task_id: str) -> dict[str, Any]:
        return {"status": celery_states.PENDING, "result": None}

    def _children(self, task_id: str, root: Any) -> list[tuple]:
        own = sql.key(job_id(task_id))
        found = sql.rows(
            "SELECT id FROM faena_job WHERE root_id = %s AND parent_id = %s ORDER BY created, id LIMIT 1000",
            [root or own, own],
        )
        return [((str(sql.uuid(child)), None), None) for (child,) in found]

    def _forget(self, task_id):
        """Drop the result; the job's own record stays until it is pruned."""
        sql.execute("UPDATE faena_job SET result = NULL WHERE id = %s", [sql.key(job_id(task_id))])

    def _save_group(self, group_id, result):
        parts = dumps(result.as_tuple())
        groups.save(job_id(group_id), parts, self.app.conf.task_default_queue, f"Group of {len(result)}")
        return result

    def _restore_group(self, group_id):
        saved = groups.find(job_id(group_id))
        return saved and {"result": result_from_tuple(loads(saved), self.app)}

    def _delete_group(self, group_id):
        groups.forget(job_id(group_id))

    def decode_result(self, payload):
        """Rows are decoded where they are read."""
        return payload

    def meta_from_decoded(self, meta):
        """Make the exception of a failed task."""
        if meta["status"] in self.EXCEPTION_STATES and isinstance(meta["result"], dict):
            meta["result"] = self.exception_to_python(meta["result"])
        return meta

    def get_task_meta(self, task_id, cache=True):
        """The row's answer; only a final one may be cached."""
        self._ensure_not_eager()
        if cache and task_id in self._cache:
            return self._cache[task_id]
        meta = self.meta_from_decoded(reach(lambda: self._get_task_meta_for(task_id)))
        if cache and meta["status"] in celery_states.READY_STATES:
            self._cache[task_id] = meta
        return meta


class UnrecordedBackend(LedgerBackend):
    """The backend of tasks that opted out of the ledger: nothing keeps their results, and it says so."""

    def _unknown(self, task_id):
        raise ConfigurationError(
            f"Nothing keeps the state and result of task {task_id}: its kind is not recorded (faena=False, or a "
            "pattern in UNRECORDED). Record it, or do not ask for its result."
        )


@cache
def unrecorded_backend(app: Celery) -> UnrecordedBackend:
    """That app's backend for what it does not record."""
    return UnrecordedBackend(app)


def _encoded(result: Any) -> str:
    try:
        return dumps(result)
    except (TypeError, ValueError, RecursionError) as error:  # no JSON, or a list that contains itself
        # Celery's word for it: the job then fails with this reason instead of staying unsettled.
        raise EncodeError(f"The result cannot be stored as JSON: {error}. Return plain values.") from None


def _size(header: ResultSet) -> int:
    """How many tasks end before this result is complete."""
    return sum(_size(each) if isinstance(each, ResultSet) else 1 for each in header.results)


def _results_of(signature: Any) -> list[Any]:
    """The tasks whose results are a signature's result: of a chain its last, of a chord its body, of a group all."""
    if isinstance(signature, group):
        return [task for each in signature.tasks for task in _results_of(each)]
    if isinstance(signature, chord):
        return _results_of(signature.body)
    tasks = getattr(signature, "tasks", None)
    return _results_of(maybe_signature(tasks[-1])) if tasks else [signature]


def _retry(hold: Hold, error: Error | None) -> Again | None:
    return None if hold.again is None else Again(hold.again, error)


def _outcome(state: State, result: str | None, error: str | None, meta: str | None, attempt: int) -> dict[str, Any]:
    """status, result and traceback as Celery names them."""
    if state in {State.COMPLETED, State.COMPLETED_WITH_ERRORS}:
        return {"result": loads(result) if result else None}
    failed = json.loads(error) if error else None
    if state in {State.FAILED, State.CANCELLED} and failed:
        return {"result": _as_exception(failed), "traceback": failed["traceback"]}
    if state is State.CANCELLED:
        return {
            "result": {"exc_type": "TaskRevokedError", "exc_module": "celery.exceptions", "exc_message": "cancelled"}
        }
    if state is State.PENDING and attempt:
        return {
            "status": celery_states.RETRY,
            "result": _as_exception(failed) if failed else None,
            "traceback": failed["traceback"] if failed else None,
        }
    if meta and state in HELD:  # of a job that waits they are its last run's
        stored = loads(meta)
        return {"status": stored["state"], "result": stored["info"]}
    return {}


def _as_exception(failed: dict[str, Any]) -> dict[str, Any]:
    return {
        "exc_type": failed["type"],
        "exc_module": failed["module"],
        "exc_message": failed["args"] or [failed["message"]],
    }


def _error(exc: BaseException, traceback: Any) -> Error:
    """An exception as the row keeps it."""
    if isinstance(exc, ExceptionInfo):
        exc = exc.exception
    cause = getattr(exc, "exc", None) or exc  # Retry carries what made the body ask for it
    plain = tuple(each for each in cause.args if isinstance(each, str | int | float | bool | None))
    return Error(
        type(cause).__name__,
        str(cause),
        str(traceback or ""),
        type(cause).__module__,
        plain if len(plain) == len(cause.args) else (),
    )
