"""What people do to jobs: start, pause, resume, cancel, fail, retry, discard. An act and its audit row are one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from faena.errors import AlreadyLive, NoInput, NotAllowed
from faena.ledger import doorbell, endings, enqueue, reuse, settle, sql
from faena.ledger.records import SYSTEM, Actor, write_audit
from faena.states import State, Stop

#: The reason that a discarded job shows.
DISCARDED = "Discarded after it failed."

#: The reason that a job shows which somebody declared failed.
DECLARED = "Somebody declared it failed."
#: A job that waits for a time of its own or for a person, not for the other parts of a chord.
_HELD_BACK = f"AND (state = 'paused' OR run_at > {{now}}) AND run_at < '{enqueue.NOT_YET:%Y-%m-%d %H:%M:%S}'"

#: The requests to a running body that each request may replace: a cancel stands, and only a pause is taken back.
_REPLACES = {
    Stop.PAUSE: (Stop.NONE, Stop.HANDOVER),
    Stop.NONE: (Stop.PAUSE,),
    Stop.CANCEL: (Stop.NONE, Stop.PAUSE, Stop.HANDOVER),
}


def pause(job_id: UUID, by: Actor = SYSTEM) -> State:
    """Hold a waiting job back; ask a running one to stop at its next row.

    Raises:
        NotAllowed: the job is over, already paused, or asked to cancel.
    """
    return _act("pause", job_id, by, {"pending": "state = 'paused', dispatched = NULL"}, Stop.PAUSE)


def resume(job_id: UUID, by: Actor = SYSTEM) -> State:
    """Let a paused job go on at the row where it stopped; take back a pause that has not taken hold.

    A job that was delayed still waits for its time.

    Raises:
        NotAllowed: the job is not paused.
    """
    now = sql.now()
    to_pending = f"state = 'pending', dispatched = CASE WHEN run_at <= {now} THEN {now} END"
    with transaction.atomic():
        state = _act("resume", job_id, by, {"paused": to_pending}, Stop.NONE)
        if sql.rows(
            "SELECT 1 FROM faena_job WHERE id = %s AND state = 'pending' AND dispatched IS NOT NULL", [sql.key(job_id)]
        ):
            doorbell.ring_on_commit([job_id])
    return state


def start(job_id: UUID, by: Actor = SYSTEM) -> State:
    """Let a paused or a delayed job begin now, without waiting for its time.

    Raises:
        NotAllowed: the job is neither paused nor delayed, or it waits for other jobs.
    """
    now = sql.now()
    due = f"state = 'pending', run_at = {now}, dispatched = {now}"
    with transaction.atomic():
        state = _act("start", job_id, by, {"paused": due, "pending": due}, guard=_HELD_BACK.format(now=now))
        doorbell.ring_on_commit([job_id])
    return state


def cancel(job_id: UUID, by: Actor = SYSTEM) -> State:
    """Call a job off: at once when it waits, at its next row when it runs.

    Raises:
        NotAllowed: the job is over, or asked to cancel already.
    """
    ended = f"state = 'cancelled', finished = {sql.now()}"
    with transaction.atomic():
        state = _act("cancel", job_id, by, {"pending": ended, "paused": ended}, Stop.CANCEL)
        if state is State.CANCELLED:
            endings.owe(job_id)
    return state


def fail(job_id: UUID, by: Actor = SYSTEM) -> State:
    """Declare a job failed that is stuck, running or not. Whoever holds it loses it, as when its lease ran out.

    Raises:
        NotAllowed: the job is over, or paused.
    """
    error = settle.Error("DeclaredFailed", f"{DECLARED} By {by.name}.")
    over = f"state = 'failed', finished = {sql.now()}, lease_until = NULL, stop = '', errors = %s, error = %s,"
    over += " failure = %s"
    values = [_errors_so_far(job_id), json.dumps(error.as_json()), error.failure]
    with transaction.atomic():
        state = _act("fail", job_id, by, dict.fromkeys(("pending", "validating", "running"), over), values=values)
        endings.owe(job_id)
    return state


def retry(job_id: UUID, by: Actor = SYSTEM) -> State:
    """Run a job that is over once more, with fresh attempts and a fresh crash budget.

    It goes on at the first row that is not done. When it was to expire no longer matters.

    Raises:
        NotAllowed: the job is neither failed nor cancelled. One that completed with errors is complete: to start
            over would throw its record away.
        NoInput: it failed because a part of its chain or chord before it did.
        AlreadyLive: a job with the same unique key is live.
    """
    try:
        return _retry(job_id, by)
    except IntegrityError:
        live = _live_with_key_of(job_id)
        if live is None:
            return _retry(job_id, by)  # it has ended meanwhile
        raise AlreadyLive(*live) from None


def discard(job_id: UUID, by: Actor = SYSTEM) -> State:
    """Say of a failed job that nobody will retry it: it is cancelled, and its error is one of the earlier ones.

    A retry still leads back.

    Raises:
        NotAllowed: the job has not failed.
    """
    reason = json.dumps(settle.Error("Cancelled", DISCARDED).as_json())
    over = f"state = 'cancelled', finished = {sql.now()}, error = %s, errors = %s, failure = ''"
    return _act("discard", job_id, by, {"failed": over}, values=[reason, _errors_so_far(job_id)])


def _retry(job_id: UUID, by: Actor) -> State:
    now = sql.now()
    fresh = f"state = 'pending', dispatched = {now}, run_at = {now}, attempt = 0, crashes = 0, finished = NULL"
    fresh += ", errors = %s, failure = '', message = %s"
    moves = {"failed": fresh, "cancelled": fresh}
    with transaction.atomic():
        guard = f"AND message <> '{reuse.UNRUN}'"
        values = [_errors_so_far(job_id), _message_without_expiry(job_id)]
        state = _act("retry", job_id, by, moves, values=values, guard=guard)
        doorbell.ring_on_commit([job_id])
    return state


def _errors_so_far(job_id: UUID) -> str:
    """The list of earlier attempts, with the one that ended the job."""
    found = sql.rows("SELECT error, errors, attempt, worker, finished FROM faena_job WHERE id = %s", [sql.key(job_id)])
    if not found or not found[0][0]:
        return found[0][1] if found else "[]"
    error, errors, attempt, worker, finished = found[0]
    return settle.with_error(json.loads(errors), json.loads(error), attempt, worker, str(finished))


def _message_without_expiry(job_id: UUID) -> str:
    found = sql.rows("SELECT message FROM faena_job WHERE id = %s", [sql.key(job_id)])
    message = found[0][0] if found else "{}"
    if '"expires"' not in message:
        return message
    stored = json.loads(message)
    stored.get("headers", {}).pop("expires", None)
    return json.dumps(stored)


def _live_with_key_of(job_id: UUID) -> tuple[UUID, str] | None:
    found = sql.rows(
        f"""SELECT live.id, live.unique_key FROM faena_job JOIN faena_job AS live USING (unique_key)
             WHERE faena_job.id = %s AND live.state IN {sql.IN_LIVE}""",
        [sql.key(job_id)],
    )
    return (sql.uuid(found[0][0]), found[0][1]) if found else None


def _act(
    action: str,
    job_id: UUID,
    by: Actor,
    moves: dict[str, str],
    stop: Stop | None = None,
    values: Sequence[Any] = (),
    guard: str = "",
) -> State:
    """Try each guarded move, then the request to a running body; the row count says which one held."""
    # Without a savepoint: who acts on many jobs in one transaction would pay for it, and nothing here is rolled back.
    with transaction.atomic(savepoint=False):
        new_state = _move(job_id, moves, values, guard)
        if new_state is None and stop is not None:
            # Between the two its worker may have given it back: then it waits again.
            new_state = _request(job_id, stop) or _move(job_id, moves, values, guard)
        if new_state is not None:
            write_audit(by, action, job_id)
    if new_state is None:
        raise _refusal(action, job_id)
    return new_state


def _move(job_id: UUID, moves: dict[str, str], values: Sequence[Any], guard: str) -> State | None:
    for state, sets in moves.items():
        statement = f"UPDATE faena_job SET {sets} WHERE id = %s AND state = %s {guard} RETURNING state"
        if found := sql.rows(statement, [*values, sql.key(job_id), state]):
            return State(found[0][0])
    return None


def _request(job_id: UUID, stop: Stop) -> State | None:
    replaced = _REPLACES[stop]
    found = sql.rows(
        f"""UPDATE faena_job SET stop = %s
             WHERE id = %s AND state IN {sql.IN_HELD} AND stop IN {sql.holes(replaced)} RETURNING state""",
        [stop, sql.key(job_id), *replaced],
    )
    return State(found[0][0]) if found else None


def _refusal(action: str, job_id: UUID) -> NotAllowed:
    """Why the job stands against the action."""
    found = sql.rows("SELECT state, stop, message FROM faena_job WHERE id = %s", [sql.key(job_id)])
    if not found:
        return NotAllowed(job_id, action, "unknown")
    state, stop, message = found[0]
    if action == "retry" and message == reuse.UNRUN:
        return NoInput(job_id, action, state)
    return NotAllowed(job_id, action, f"{state} and asked to {stop}" if stop else state)


def hand_over(worker: str) -> int:
    """Ask every body of a worker that shuts down to stop at its next row; the number of jobs asked."""
    return sql.execute(
        f"UPDATE faena_job SET stop = 'handover' WHERE worker = %s AND state IN {sql.IN_HELD} AND stop = ''",
        [worker],
    )
