"""The only writer of schedules: what people and code decide about them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from faena.errors import NotNow
from faena.ledger import sql
from faena.ledger.firing import fire_now
from faena.ledger.records import SYSTEM, Actor, write_audit
from faena.models import Occurrence, Schedule
from faena.models.occurrence import Outcome, Reason
from faena.models.schedule import Source
from faena.timing import BadTiming

#: What the next time hangs by: while none of these changes, neither does `next_due`.
RHYTHM = (
    *("kind", "every", "crontab", "event", "latitude", "longitude", "at", "time_zone", "starts", "ends"),
    *("enabled", "removed", "problem"),
)
#: What the code says of a schedule of its own; the rest is the people's.
CODES = (
    *("source", "task", "args", "kwargs", "queue", "priority", "expires", "options", "removed", "problem"),
    *("kind", "every", "crontab", "event", "latitude", "longitude", "time_zone"),
    *("overlap", "misfire", "catch_up", "jitter"),
)
#: Two processes that synchronise take turns.
_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('faena.schedules', 0))"


# --- people ------------------------------------------------------------------------------------


def save(schedule: Schedule, by: Actor = SYSTEM) -> Schedule:
    """Write a new or a changed schedule. Its rhythm goes on undisturbed unless the change concerns it.

    Raises:
        ValidationError: by field: an impossible timing, an unknown task, arguments that the task does not take.
    """
    schedule.problem = ""
    if not schedule.enabled:
        schedule.next_due = None
    schedule.full_clean()
    with transaction.atomic():
        _write(schedule)
        _audit(by, "save schedule", schedule)
    return schedule


def set_enabled(schedule_id: int, enabled: bool, by: Actor = SYSTEM) -> Schedule:
    """Let the schedule fire, or not. What came due while it was disabled is not made up for."""
    with transaction.atomic():
        schedule = _locked(schedule_id)
        schedule.enabled = enabled
        _write(schedule)
        _audit(by, "enable schedule" if enabled else "disable schedule", schedule)
    return schedule


def delete(schedule_id: int, by: Actor = SYSTEM) -> None:
    """Forget a schedule of people and its history; its jobs stay.

    Raises:
        NotNow: the code says it, and would say it again.
    """
    with transaction.atomic():
        schedule = _locked(schedule_id)
        if schedule.source == Source.CODE:
            raise NotNow(f"{schedule} is in the code, which would bring it back: disable it instead.")
        _audit(by, "delete schedule", schedule)
        schedule.delete()


def run_now(schedule_id: int, by: Actor = SYSTEM) -> UUID | None:
    """Fire once out of turn; the times to come stay as they are.

    Returns:
        The id of the job; None where its task is not recorded.

    Raises:
        NotNow: the one before is not over and two must not overlap, or the task could not be enqueued.
    """
    with transaction.atomic():
        schedule = _locked(schedule_id)
        occurrence = fire_now(schedule, by.name)
        if occurrence.outcome not in {Outcome.FIRED, Outcome.WAITING}:
            raise NotNow(f"{schedule} did not run: {occurrence.why}", occurrence.why)
        _audit(by, "run schedule", schedule, job_id=occurrence.job_id)
    return occurrence.job_id


def skip(schedule_id: int, due_at: datetime | None = None, by: Actor = SYSTEM) -> datetime:
    """Leave one occurrence to come out: the one at that time, by default the next; its time.

    Raises:
        NotNow: the schedule is not due then, or that occurrence has come or is skipped already.
    """
    with transaction.atomic():
        schedule = _locked(schedule_id)
        due_at = due_at or _next_unskipped(schedule)
        if due_at is None or not _is_to_come(schedule, due_at):
            raise NotNow(f"{schedule} is not due then; `faena schedules show` lists the times to come.")
        taken = sql.execute(
            f"""INSERT INTO faena_occurrence (schedule_id, due_at, written, outcome, reason, detail)
                VALUES (%s, %s, {sql.now()}, %s, %s, %s) ON CONFLICT DO NOTHING""",
            [schedule.pk, sql.moment(due_at), Outcome.SKIPPED, Reason.PERSON, by.name],
        )
        if not taken:
            raise NotNow(f"The occurrence of {schedule} at {due_at} has come, or is skipped already.")
        _audit(by, "skip occurrence", schedule, due_at=due_at)
    return due_at


def unskip(schedule_id: int, due_at: datetime, by: Actor = SYSTEM) -> None:
    """Take a skip back.

    Raises:
        NotNow: that occurrence was not skipped by a person, or its time has come.
    """
    with transaction.atomic():
        schedule = _locked(schedule_id)
        freed = sql.execute(
            f"""DELETE FROM faena_occurrence WHERE schedule_id = %s AND due_at = %s AND due_at > {sql.now()}
                   AND outcome = %s AND reason = %s""",
            [schedule.pk, sql.moment(due_at), Outcome.SKIPPED, Reason.PERSON],
        )
        if not freed:
            raise NotNow(f"The occurrence of {schedule} at {due_at} is not one that is to be skipped.")
        _audit(by, "unskip occurrence", schedule, due_at=due_at)


def _next_unskipped(schedule: Schedule) -> datetime | None:
    at = schedule.next_due
    while at is not None and Occurrence.objects.filter(schedule=schedule, due_at=at).exists():
        at = schedule.timing.next_after(at)
    return at


def _is_to_come(schedule: Schedule, due_at: datetime) -> bool:
    if schedule.next_due is None or due_at < schedule.next_due:
        return False
    return schedule.timing.next_after(due_at - timedelta(microseconds=1)) == due_at


def _audit(by: Actor, action: str, schedule: Schedule, job_id: UUID | None = None, **details: object) -> None:
    if by != SYSTEM:
        write_audit(by, action, job_id, {"schedule": schedule.name} | details)


# --- code --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Synchronised:
    """How many schedules of the code are new, changed, and gone."""

    added: int
    changed: int
    removed: int


def synchronise(declared: Sequence[Schedule]) -> Synchronised:
    """Make the rows of source `code` say what the code says; people's decisions stay: enabled or not, and skips.

    A schedule that the code has no more keeps its row and its history, and fires no more until the code has it again.

    Args:
        declared: unsaved schedules, those that can never fire with their `problem`.
    """
    with transaction.atomic():
        if sql.is_postgresql():
            sql.rows(_TURN)
        # Locked: whoever enables or disables one meanwhile decides after us.
        found_now = Schedule.objects.select_for_update().filter(name__in=[each.name for each in declared])
        present = {each.name: each for each in found_now.order_by("pk")}
        added = changed = 0
        for wanted in declared:
            found = present.get(wanted.name)
            if found is None:
                _write(wanted)
                added += 1
            elif _differs(found, wanted, CODES):
                for name in CODES:
                    setattr(found, name, getattr(wanted, name))
                _write(found)
                changed += 1
        removed = sql.execute(
            f"""UPDATE faena_schedule SET removed = {sql.now()}, next_due = NULL
                 WHERE source = 'code' AND removed IS NULL AND NOT name IN {_names(declared)}""",
            [each.name for each in declared],
        )
    return Synchronised(added, changed, removed)


def _names(declared: Collection[Schedule]) -> str:
    return sql.holes(declared) if declared else "('')"


def add_new(schedules: Sequence[Schedule]) -> tuple[list[Schedule], list[tuple[Schedule, str]]]:
    """Write those whose names are free; those written, and the others each with the reason."""
    written: list[Schedule] = []
    refused: list[tuple[Schedule, str]] = []
    for schedule in schedules:
        try:
            written.append(save(schedule))
        except ValidationError as error:
            refused.append((schedule, " ".join(error.messages)))
    return written, refused


# --- the next time -----------------------------------------------------------------------------


def align() -> int:
    """Set right what is due later than it should be, as after a clock that was wrong for a while; how many."""
    now = sql.database_now()
    live = Schedule.objects.filter(enabled=True, removed=None, problem="")
    return sum(_align(each, now) for each in live.exclude(next_due__lte=now))


def _align(schedule: Schedule, now: datetime) -> bool:
    try:
        due = schedule.timing.next_after(now)
    except BadTiming as bad:
        stop(schedule, str(bad))
        return False
    if due is None or (schedule.next_due is not None and schedule.next_due <= due):
        return False
    # Guarded: a tick may have moved it on meanwhile.
    return bool(Schedule.objects.filter(pk=schedule.pk, next_due=schedule.next_due).update(next_due=due))


def stop(schedule: Schedule, problem: str) -> None:
    """Fire it no more, for this reason, until it is saved again."""
    Schedule.objects.filter(pk=schedule.pk).update(problem=problem, next_due=None)


def _write(schedule: Schedule) -> None:
    """Write the row; its next time is kept if nothing changed that it hangs by."""
    before = Schedule.objects.select_for_update().filter(pk=schedule.pk).first()
    if before is None or _differs(before, schedule, RHYTHM):
        schedule.next_due = _next(schedule)
    else:
        schedule.next_due = before.next_due
    schedule.save()


def _next(schedule: Schedule) -> datetime | None:
    if not schedule.enabled or schedule.removed or schedule.problem:
        return None
    return schedule.timing.next_after(sql.database_now())


def _differs(one: Schedule, other: Schedule, fields: tuple[str, ...]) -> bool:
    return any(getattr(one, name) != getattr(other, name) for name in fields)


def _locked(schedule_id: int) -> Schedule:
    return Schedule.objects.select_for_update().get(pk=schedule_id)


# --- history -----------------------------------------------------------------------------------


def forget_occurrences(before: datetime, batch: int = 1000) -> int:
    """Delete up to `batch` occurrences that were due before a moment and are over; how many."""
    return sql.execute(
        """DELETE FROM faena_occurrence WHERE id IN (
               SELECT id FROM faena_occurrence WHERE due_at < %s AND outcome <> 'waiting' ORDER BY due_at LIMIT %s)""",
        [sql.moment(before), batch],
    )
