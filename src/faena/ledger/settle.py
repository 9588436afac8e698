"""End a hold: one guarded UPDATE that carries the fence, with the next steps of a chain in its transaction."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from faena.errors import AlreadyLive, LeaseLost
from faena.ledger import dispatch, doorbell, endings, enqueue, failure, reuse, sql
from faena.ledger.claim import Hold
from faena.ledger.enqueue import NewJob
from faena.ledger.records import Line, write_lines
from faena.states import FINISHED, LIVE, State, sources

#: How long a settlement waits for a database that does not answer: well past a restart.
PATIENCE = timedelta(minutes=2)
#: Earlier attempts that a job remembers.
ERRORS_KEPT = 20
#: Lines of its log that a job which kept killing its workers shows in place of a traceback.
LAST_WORDS = 10


@dataclass(frozen=True, slots=True)
class Error:
    """Why an attempt failed, as people will read it."""

    type: str
    message: str
    traceback: str = ""
    module: str = "builtins"
    args: tuple[Any, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The dict that the row keeps."""
        return {
            "type": self.type,
            "module": self.module,
            "message": self.message,
            "args": list(self.args),
            "traceback": self.traceback,
        }

    @property
    def failure(self) -> str:
        """What a job that ends with this is grouped by."""
        return sql.short(failure.name(self.type, self.traceback), 255)


# Outcomes are values. Each is what a body came to; `settle` writes it.


@dataclass(frozen=True, slots=True)
class Done:
    """The body returned; `result` is JSON text. With failed items it is completed_with_errors."""

    result: str | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The body failed for good."""

    error: Error


@dataclass(frozen=True, slots=True)
class Again:
    """The body is to run again: a retry (its attempt is spent) or a replacement by another task."""

    job: NewJob
    error: Error | None


@dataclass(frozen=True, slots=True)
class Paused:
    """The body stopped between two rows because somebody paused it."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Somebody, or the body itself, called it off."""

    reason: str


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The worker shuts down: the job goes on elsewhere at its next row. Spends no attempt and no crash."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """Other jobs stand in for this one. It waits, and the last of them is enqueued under its id."""


Outcome = Done | Failed | Again | Paused | Cancelled | HandedOver | Replaced


def settle(hold: Hold, outcome: Outcome) -> State:
    """Write the outcome and the jobs that follow from it, in one transaction.

    Returns:
        The state the job is in now.

    Raises:
        LeaseLost: another worker took the job over, or somebody ended it; nothing was written.
    """
    _begin_anew_if_replaced(hold, outcome)
    state, columns = _columns(hold, outcome)

    def write() -> None:
        # A settlement alone is one statement: atomic without the cost of a transaction around it.
        alone = hold.told and not (hold.follow_ups or hold.unrun or hold.chords)
        with nullcontext() if alone else transaction.atomic():
            ended_as = _update(hold, state, columns)
            hold.ended_as = ended_as or state
            if ended_as is None:
                return  # what follows is written too
            if ended_as == state or ended_as not in FINISHED:
                _insert_follow_ups(hold)  # else it was cancelled, and nothing stands in for it
            if ended_as in FINISHED:
                _pass_on(hold)

    sql.insisting(write, patience=PATIENCE, what=f"Settling job {hold.job_id}")
    hold.settled = True
    state = State(hold.ended_as)
    if state is State.PENDING and "dispatched" not in columns:
        doorbell.ring_on_commit([hold.job_id])
    if hold.limit_key is not None:
        dispatch.offer_place(hold.limit_key)
    return state


def _update(hold: Hold, state: State, columns: dict[str, Any]) -> str | None:
    """Write the outcome; the state it led to: a job that would wait is paused or cancelled if somebody asked so.

    None when it had been written before, with all that follows: its commit arrived although the answer to it did not.
    """
    sets = "".join(f', "{name}" = %s' for name in columns)
    waits = state in {State.PENDING, State.PAUSED}
    wished, finished, dispatched = "%s", sql.now(), ""
    if waits:
        wished = "CASE stop WHEN 'cancel' THEN 'cancelled' WHEN 'pause' THEN 'paused' ELSE %s END"
        finished = f"CASE WHEN stop = 'cancel' THEN {sql.now()} END"
    if state is State.PENDING and "dispatched" not in columns:
        dispatched = f", dispatched = CASE WHEN stop IN ('cancel', 'pause') THEN NULL ELSE {sql.now()} END"
    changed = sql.prepared(
        f"""UPDATE faena_job SET state = {wished}, lease_until = NULL, stop = '', finished = {finished},
                   done = %s, failed = %s, skipped = %s, total = %s, cursor = %s{dispatched}{sets}
             WHERE id = %s AND fence = %s AND {sql.STATE} IN {sql.IN_HELD} RETURNING state""",
        [
            str(state), hold.done, hold.failed, hold.skipped, hold.total, hold.place,
            *columns.values(), sql.key(hold.job_id), hold.fence,
        ],
    )  # fmt: skip
    if changed:
        return changed[0][0]
    if not _is_written(hold, state):
        raise LeaseLost(hold.job_id)
    return None


def _is_written(hold: Hold, state: State) -> bool:
    """Whether this very settlement is in the row."""
    return bool(
        sql.rows(
            "SELECT 1 FROM faena_job WHERE id = %s AND fence = %s AND worker = %s AND state = %s",
            [sql.key(hold.job_id), hold.fence, hold.worker, state],
        )
    )


def _begin_anew_if_replaced(hold: Hold, outcome: Outcome) -> None:
    """Another task in this one's stead has done nothing yet."""
    if isinstance(outcome, Replaced) or (isinstance(outcome, Again) and outcome.job.kind != hold.kind):
        hold.done = hold.failed = hold.skipped = 0
        hold.total, hold.cursor = None, {}


def _insert_follow_ups(hold: Hold) -> None:
    for job in hold.follow_ups:
        try:
            if not enqueue.insert([job]) and reuse.make_room(job.id, if_unrun=True):
                enqueue.insert([job])  # this step had failed before, and was retried
        except AlreadyLive:
            # The chain goes on under this very id: beside the live one rather than never.
            job.unique_key = None
            enqueue.insert([job])
    doorbell.ring_on_commit([job.id for job in hold.follow_ups if job.is_due])


def _pass_on(hold: Hold) -> None:
    """Let whoever waits for the end of this job know of it."""
    if not hold.told:
        endings.owe(hold.job_id)
    for job, error in hold.unrun:
        write_unrun(job, error)
    for chord_id in hold.chords:
        endings.part_ended(chord_id)


def write_unrun(job: NewJob, error: Error) -> bool:
    """Write the row of a job that will never run, as failed; whether there was none that is over already.

    Nobody can retry it, as it has no input: that comes, if ever, from the part before it. For a transaction of the
    caller's.
    """
    job.message = reuse.UNRUN
    enqueue.insert([job])
    return end_waiting(job.id, State.FAILED, error)


def _columns(hold: Hold, outcome: Outcome) -> tuple[State, dict[str, Any]]:
    """The state an outcome leads to, and the columns it sets besides."""
    match outcome:
        case Done(result):
            state = State.COMPLETED_WITH_ERRORS if hold.failed else State.COMPLETED
            return state, {"result": result, "error": None}
        case Failed(error):
            return State.FAILED, {"error": _json(error.as_json()), "failure": error.failure}
        case Again(job, error):
            return State.PENDING, _again(hold, job, error)
        case Paused():
            return State.PAUSED, {"dispatched": None}
        case Cancelled(reason):
            return State.CANCELLED, {"error": _json(Error("Cancelled", reason).as_json())}
        case HandedOver():
            return State.PENDING, {}
        case Replaced():
            return State.PENDING, {"run_at": sql.moment(enqueue.NOT_YET), "dispatched": None}


def _again(hold: Hold, job: NewJob, error: Error | None) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "kind": job.kind,
        "queue": job.queue,
        "args": job.args,
        "kwargs": job.kwargs,
        "message": job.message,
        "attempt": job.attempt,
    }
    if error is not None:
        columns["error"] = _json(error.as_json())
        columns["errors"] = with_error(hold.errors, error.as_json(), hold.attempt, hold.worker)
    if job.kind != hold.kind:
        names = ("title", "max_attempts", "max_crashes", "unique_key", "limit_key", "limit", "rate")
        columns |= {name: getattr(job, name) for name in names}
    if not job.is_due:
        columns |= {"run_at": sql.moment(job.run_at), "dispatched": None}
    return columns


def with_error(errors: list[dict], error: dict[str, Any], attempt: int, worker: str, at: str = "") -> str:
    """The row's list of earlier attempts with one more, as JSON text."""
    at = at or datetime.now().astimezone().isoformat(timespec="seconds")
    return _json([*errors, error | {"attempt": attempt, "worker": worker, "at": at}][-ERRORS_KEPT:])


def end_unheld(job_id: UUID, worker: str, state: State, error: Error, attempt: int | None = None) -> bool:
    """End a job for the process that ran it: the worker's main process, after a time limit or a revoke.

    Guarded by the worker's name instead of the fence, which only the ended process knew.

    Args:
        worker: empty to end the job only if it waits.
        attempt: only at this attempt.

    Returns:
        Whether the job was this worker's, or still waiting, and is ended now.
    """
    allowed = (sources(state) & LIVE) - {State.PAUSED}
    at_attempt = "" if attempt is None else "AND attempt = %s"
    return bool(
        sql.execute(
            f"""UPDATE faena_job SET state = %s, lease_until = NULL, stop = '', finished = {sql.now()},
                       error = %s, failure = %s
                 WHERE id = %s AND state IN {sql.holes(allowed)}
                   AND (worker = %s OR state NOT IN {sql.IN_HELD}) {at_attempt}""",
            [
                *(state, _json(error.as_json()), _failure(state, error), sql.key(job_id), *allowed, worker),
                *([] if attempt is None else [attempt]),
            ],
        )
    )


def end_waiting(job_id: UUID, state: State, error: Error) -> bool:
    """End a job that waits, paused or not; whether it did."""
    return bool(
        sql.execute(
            f"""UPDATE faena_job SET state = %s, finished = {sql.now()}, error = %s, failure = %s
                 WHERE id = %s AND state IN ('pending', 'paused')""",
            [state, _json(error.as_json()), _failure(state, error), sql.key(job_id)],
        )
    )


def crash(job_id: UUID, fence: int, reason: str) -> State | None:
    """Take a job from a worker that is gone. It spends a crash, not an attempt, and goes back to pending.

    A job that was asked to pause or to cancel gets its wish; one that killed too many workers fails.

    Returns:
        Its new state, or None when the worker settled it in the meantime.
    """
    with transaction.atomic():
        found = sql.rows(
            f"""UPDATE faena_job SET
                    state = CASE WHEN stop = 'cancel' THEN 'cancelled' WHEN crashes + 1 >= max_crashes THEN 'failed'
                                 WHEN stop = 'pause' THEN 'paused' ELSE 'pending' END,
                    finished = CASE WHEN stop = 'cancel' OR crashes + 1 >= max_crashes THEN {sql.now()} END,
                    crashes = crashes + 1, stop = '', lease_until = NULL, dispatched = NULL
              WHERE id = %s AND fence = %s AND state IN {sql.IN_HELD}
          RETURNING state, crashes, attempt""",
            [sql.key(job_id), fence],
        )
        if not found:
            return None
        state, crashes, attempt = found[0]
        line = Line(datetime.now().astimezone(), "error", f"{reason} (crash {crashes}); the job is {state}.", attempt)
        write_lines(job_id, [line])
        if state == State.FAILED:
            _say_what_it_killed(job_id, crashes)
        if state in FINISHED:
            endings.owe(job_id)
    return State(state)


def _say_what_it_killed(job_id: UUID, crashes: int) -> None:
    """The reason of a poison job. It left no traceback: the last it said is the best there is."""
    lines = sql.rows(
        "SELECT at, level, text FROM faena_joblog WHERE job_id = %s ORDER BY id DESC LIMIT %s",
        [sql.key(job_id), LAST_WORDS],
    )
    said = "\n".join(f"{str(at)[11:19]} {level:<7} {text}" for at, level, text in reversed(lines))
    error = Error("WorkerCrashed", f"killed its worker {crashes} times", f"The last lines of its log:\n{said}")
    sql.execute(
        "UPDATE faena_job SET error = %s, failure = %s WHERE id = %s",
        [_json(error.as_json()), error.failure, sql.key(job_id)],
    )


def _failure(state: State, error: Error) -> str:
    return error.failure if state is State.FAILED else ""


def _json(value: Any) -> str:
    return sql.text(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
