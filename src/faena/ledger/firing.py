"""Fire what is due: an occurrence, its job and the schedule's next time are written in one transaction.

However many processes do this, one guarded UPDATE of the schedule says which of them fires, and an occurrence has
one row.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import uniform
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from uuid6 import uuid7

from faena import registry
from faena.ledger import endings, settle, sql
from faena.ledger.enqueue import NOT_YET
from faena.ledger.settle import Error
from faena.models import Occurrence, Schedule
from faena.models.occurrence import Outcome, Reason
from faena.models.schedule import Misfire, Overlap
from faena.registry import Call
from faena.states import State
from faena.timing import latest

logger = logging.getLogger(__name__)

#: An occurrence that is later than this was missed.
GRACE = timedelta(seconds=60)
#: Of a long time of missed occurrences the latest so many are recorded.
RECORDED = 100
#: Jobs of this many of a schedule's latest occurrences are asked whether they, and all they have enqueued, are over.
LOOKED_AT = 5

_EXPIRED = Error("TaskRevokedError", "expired", module="celery.exceptions")


@dataclass(frozen=True, slots=True)
class Agenda:
    """What a tick has to do, by the database's clock."""

    now: datetime
    next_due: datetime | None
    expiring: bool
    waiting: bool

    @property
    def is_empty(self) -> bool:
        """Nothing is due, nothing waits, nothing has expired."""
        return not (self.expiring or self.waiting or (self.next_due is not None and self.next_due <= self.now))


def agenda() -> Agenda:
    """Look, with one query, whether there is anything to do."""
    now, next_due, expiring, waiting = sql.rows(
        f"""SELECT {sql.now()}, (SELECT min(next_due) FROM faena_schedule WHERE next_due IS NOT NULL),
                   EXISTS (SELECT 1 FROM faena_occurrence WHERE expires <= {sql.now()}),
                   EXISTS (SELECT 1 FROM faena_occurrence WHERE outcome = 'waiting')"""
    )[0]
    due = None if next_due is None else sql.as_time(next_due)
    return Agenda(sql.as_time(now), due, bool(expiring), bool(waiting))


# --- due occurrences ---------------------------------------------------------------------------


def fire(schedule: Schedule, now: datetime) -> Counter[Outcome]:
    """Fire the schedule's due occurrences as it says, and move it on; how many came out how.

    Empty when another process was first.

    Raises:
        BadTiming: its fields make no timing.
    """
    assert schedule.next_due is not None  # noqa: S101  the caller has asked for those that are due
    timing = schedule.timing
    due = latest(timing, schedule.next_due, now, RECORDED)
    to_run = _to_run(schedule, due, now)
    with transaction.atomic():
        if not _move_on(schedule, timing.next_after(now)):
            return Counter()
        missed = due[: len(due) - len(to_run)]
        _write_missed(schedule, missed)
        outcomes = [_occur(schedule, at, now) for at in to_run]
    if missed:
        logger.warning("Schedule %s: %d occurrence(s) until %s were missed.", schedule, len(missed), missed[-1])
    return Counter(filter(None, [*outcomes, *[Outcome.MISSED for _ in missed]]))


def _to_run(schedule: Schedule, due: list[datetime], now: datetime) -> list[datetime]:
    """Those of the due times, of which several mean that some were missed, at which a job is to run."""
    if schedule.misfire == Misfire.ALL:
        return due[-schedule.catch_up :]
    if schedule.misfire == Misfire.SKIP and due and now - due[-1] > GRACE:
        return []
    return due[-1:]


def _move_on(schedule: Schedule, following: datetime | None) -> bool:
    """The one UPDATE that says who fires."""
    return bool(
        sql.execute(
            "UPDATE faena_schedule SET next_due = %s WHERE id = %s AND next_due = %s",
            [sql.moment(following), schedule.pk, sql.moment(schedule.next_due)],
        )
    )


def _write_missed(schedule: Schedule, times: list[datetime]) -> None:
    Occurrence.objects.bulk_create(
        [Occurrence(schedule=schedule, due_at=at, outcome=Outcome.MISSED) for at in times], ignore_conflicts=True
    )


def _occur(schedule: Schedule, due_at: datetime, now: datetime, by: str = "") -> Outcome | None:
    """Take the occurrence's place and enqueue its job; None when the place is taken: fired before, or skipped."""
    taken = sql.execute(
        f"""INSERT INTO faena_occurrence (schedule_id, due_at, written, outcome, reason, detail)
            VALUES (%s, %s, {sql.now()}, 'fired', '', '') ON CONFLICT DO NOTHING""",
        [schedule.pk, sql.moment(due_at)],
    )
    if not taken:
        return None
    came_out = _enqueue(schedule, now, by)
    sql.execute(
        """UPDATE faena_occurrence SET outcome = %s, reason = %s, detail = %s, job_id = %s, expires = %s
            WHERE schedule_id = %s AND due_at = %s""",
        [
            *(came_out.outcome, came_out.reason, sql.text(came_out.detail), sql.key(came_out.job_id)),
            *(sql.moment(came_out.expires), schedule.pk, sql.moment(due_at)),
        ],
    )
    return came_out.outcome


@dataclass(frozen=True, slots=True)
class _CameOut:
    outcome: Outcome
    reason: str = Reason.NONE
    detail: str = ""
    job_id: UUID | None = None
    expires: datetime | None = None


def _enqueue(schedule: Schedule, now: datetime, by: str) -> _CameOut:
    """Enqueue the job of an occurrence, unless the one before is in its way."""
    reason, detail = (Reason.PERSON, by) if by else (Reason.NONE, "")
    blocking = None if schedule.overlap == Overlap.ALLOW else live_job(schedule.pk)
    if blocking and schedule.overlap == Overlap.SKIP:
        return _CameOut(Outcome.SKIPPED, Reason.OVERLAP, str(blocking))
    if blocking and _has_waiting(schedule.pk):
        return _CameOut(Outcome.SKIPPED, Reason.WAITING)
    run_at = now + timedelta(seconds=uniform(0, schedule.jitter)) if schedule.jitter else None  # noqa: S311
    expires = (run_at or now) + timedelta(seconds=schedule.expires) if schedule.expires else None
    call = _call(schedule, NOT_YET if blocking else run_at, expires)
    try:
        with transaction.atomic():
            job_id = registry.tasks.enqueue(call)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.error("Schedule %s could not enqueue %s: %s", schedule, schedule.task, error)
        return _CameOut(Outcome.REFUSED, Reason.ERROR, f"{type(error).__name__}: {error}")
    if job_id not in {None, call.job_id}:
        return _CameOut(Outcome.SKIPPED, Reason.UNIQUE, str(job_id), job_id)
    return _CameOut(Outcome.WAITING if blocking else Outcome.FIRED, reason, detail, job_id, expires if job_id else None)


def _call(schedule: Schedule, run_at: datetime | None, expires: datetime | None) -> Call:
    own = {"queue": schedule.queue or None, "priority": schedule.priority, "expires": expires}
    return Call(
        task=schedule.task,
        args=schedule.args,
        kwargs=schedule.kwargs,
        job_id=uuid7(),
        schedule_id=schedule.pk,
        created_by=f"schedule {schedule.name}",
        run_at=run_at,
        options=schedule.options | {name: value for name, value in own.items() if value is not None},
    )


def fire_now(schedule: Schedule, by: str) -> Occurrence:
    """An occurrence out of turn, for a person; those to come are as they were. For a transaction that locks the row."""
    now = sql.database_now()
    _occur(schedule, now, now, by)
    return Occurrence.objects.get(schedule=schedule, due_at=now)


# --- what waits --------------------------------------------------------------------------------


def live_job(schedule_id: int, besides: UUID | None = None) -> UUID | None:
    """A job of the schedule that is not over, or one that such a job has enqueued: the rest of its chain."""
    for whose, parameters in (
        ("schedule_id = %s", [schedule_id]),
        (
            """root_id IN (SELECT job_id FROM faena_occurrence WHERE schedule_id = %s AND job_id IS NOT NULL
                            ORDER BY due_at DESC LIMIT %s)""",
            [schedule_id, LOOKED_AT],
        ),
    ):
        found = sql.rows(
            f"SELECT id FROM faena_job WHERE state IN {sql.IN_LIVE} AND id <> %s AND {whose} LIMIT 1",
            [sql.key(besides or UUID(int=0)), *parameters],
        )
        if found:
            return sql.uuid(found[0][0])
    return None


def _has_waiting(schedule_id: int) -> bool:
    return bool(
        sql.rows("SELECT 1 FROM faena_occurrence WHERE schedule_id = %s AND outcome = 'waiting' LIMIT 1", [schedule_id])
    )


def release_waiting() -> int:
    """Make the jobs due that waited for the occurrence before theirs, where that is over now; how many."""
    waiting = sql.rows("SELECT id, schedule_id, job_id FROM faena_occurrence WHERE outcome = 'waiting'")
    return sum(_release(*each) for each in waiting)


def _release(occurrence_id: int, schedule_id: int, job_id: Any) -> int:
    if live_job(schedule_id, besides=sql.uuid(job_id)):
        return 0
    with transaction.atomic():
        # Of two tickers one does it. Once it has fired, the next occurrence may wait.
        if not sql.execute(
            "UPDATE faena_occurrence SET outcome = 'fired' WHERE id = %s AND outcome = 'waiting'", [occurrence_id]
        ):
            return 0
        return sql.execute(
            f"""UPDATE faena_job SET run_at = {sql.now()}
                 WHERE id = %s AND state IN ('pending', 'paused') AND run_at = %s""",
            [job_id, sql.moment(NOT_YET)],
        )


def expire() -> int:
    """Cancel the jobs of occurrences that have not started in time; how many."""
    with transaction.atomic():
        late = sql.rows(f"UPDATE faena_occurrence SET expires = NULL WHERE expires <= {sql.now()} RETURNING job_id")
        return sum(_cancel_if_unstarted(sql.uuid(job_id)) for (job_id,) in late)


def _cancel_if_unstarted(job_id: UUID) -> bool:
    if not sql.rows("SELECT 1 FROM faena_job WHERE id = %s AND fence = 0", [sql.key(job_id)]):
        return False
    ended = settle.end_waiting(job_id, State.CANCELLED, _EXPIRED)
    if ended:
        endings.owe(job_id)
    return ended
