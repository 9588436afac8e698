"""Take a pending job for this process: one guarded UPDATE that raises the fence."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from faena import conf
from faena.ledger import dispatch, limits, sql
from faena.ledger.enqueue import NewJob

if TYPE_CHECKING:
    from faena.ledger.settle import Error


@dataclass(slots=True)
class Hold:
    """A job in the hands of this process: what `settle` and `checkpoint` must show to be believed."""

    job_id: UUID
    fence: int
    attempt: int
    kind: str
    limit_key: str | None
    cursor: dict[str, Any]
    done: int
    failed: int
    skipped: int
    total: int | None
    errors: list[dict[str, Any]]
    worker: str
    #: The body has returned: jobs enqueued from here on belong to the settlement.
    body_ended: bool = False
    settled: bool = False
    #: The state that the settlement wrote.
    ended_as: str = ""
    #: The job as it asked to be run again (`self.retry`, `self.replace`).
    again: NewJob | None = None
    #: Other tasks stand in for the job (`self.replace`); the last of them takes its id over.
    replaced: bool = False
    #: Next steps of chains and callbacks, written in the transaction that settles this job.
    follow_ups: list[NewJob] = field(default_factory=list)
    #: Jobs that will never run because this one failed, with the reason; written as failed with the settlement.
    unrun: list[tuple[NewJob, Error]] = field(default_factory=list)
    #: Rows of chords that count this end.
    chords: list[UUID] = field(default_factory=list)
    #: Celery knows how the body ended, and whatever follows from it is in this hold.
    told: bool = False
    #: The last state a body stored by hand, for bodies that then raise Ignore.
    stored_state: str = ""

    @property
    def place(self) -> str | None:
        """The cursor as the row keeps it."""
        return sql.text(json.dumps(self.cursor)) if self.cursor else None


def claim(
    job_id: UUID, attempt: int, *, worker: str, holder: str, limited: bool = False, fence: int | None = None
) -> Hold | None:
    """Take the job if it is pending, due, at this attempt and in a queue that is not paused.

    Args:
        attempt: the message's own count of retries; a message of an earlier attempt takes nothing.
        fence: the fence when the message was sent, if it knows; one that was sent before the last claim takes nothing,
            as it may name a task, or arguments, that the job was replaced by others since.
        limited: the job's kind has a limit or a rate, which is then checked under a lock.

    Returns:
        None when somebody else has or had it; or when it may not start now: then it is sent again in time.
    """
    # What was dispatched was due then, and is so still when somebody puts the clock back.
    is_due = f"(dispatched IS NOT NULL OR run_at <= {sql.now()})"
    is_latest = "" if fence is None else "AND fence = %s"
    guard = limits.locked(job_id) if limited else limits.unlocked()
    with sql.unsynced(), guard as place:
        found = sql.prepared(
            f"""UPDATE faena_job SET state = 'running', fence = fence + 1, stop = '',
                       lease_until = {sql.now(conf.get().LEASE)}, started = {sql.now()}, finished = NULL,
                       worker = %s, holder = %s
                 WHERE id = %s AND {sql.STATE} = 'pending' AND attempt = %s {is_latest} AND {is_due}
                   AND NOT {dispatch.IS_PAUSED} AND {place}
             RETURNING fence, attempt, kind, limit_key, cursor, done, failed, skipped, total, errors, rate""",
            [worker, holder, sql.key(job_id), attempt, *([] if fence is None else [fence])],
        )
        if found and limited and found[0][-1]:
            limits.note_start(found[0][3])
    if found:
        fence, attempt, kind, limit_key, cursor, done, failed, skipped, total, errors, _ = found[0]
        return Hold(
            job_id, fence, attempt, kind, limit_key, json.loads(cursor) if cursor else {},
            done, failed, skipped, total, json.loads(errors), worker,
        )  # fmt: skip
    _drop(job_id, limited)
    return None


def _drop(job_id: UUID, limited: bool) -> None:
    """The message is lost on a job over its limit or in a paused queue: the relay sends it again in time."""
    held_back = "" if limited else f" AND {dispatch.IS_PAUSED}"
    sql.execute(
        f"UPDATE faena_job SET dispatched = NULL WHERE id = %s AND state = 'pending'{held_back}", [sql.key(job_id)]
    )


def exists(job_id: UUID) -> bool:
    """Whether the ledger knows this job at all; a plain Celery producer's message may come without a row."""
    return bool(sql.rows("SELECT 1 FROM faena_job WHERE id = %s", [sql.key(job_id)]))


def extend(job_ids: list[UUID], worker: str) -> list[tuple[UUID, str, datetime]]:
    """The heartbeat: extend the leases of what this worker runs.

    Returns:
        (id, what it is asked to do) of the jobs that have been asked to stop.
    """
    if not job_ids:
        return []
    with sql.unsynced():
        found = sql.rows(
            f"""UPDATE faena_job SET lease_until = {sql.now(conf.get().LEASE)}
                 WHERE id IN {sql.holes(job_ids)} AND {sql.STATE} IN {sql.IN_HELD} AND worker = %s
             RETURNING id, stop, started""",
            [*(sql.key(each) for each in job_ids), worker],
        )
    return [(sql.uuid(job_id), stop, started) for job_id, stop, started in found if stop]
