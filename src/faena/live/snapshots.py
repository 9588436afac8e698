"""What is read of the jobs that somebody watches: one statement for all of them, by their ids."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from faena.models import Job, JobLog

#: Ids per statement: below SQLite's limit of 32,766 parameters.
BATCH = 10_000
_COLUMNS = "id, state, stop, done, failed, skipped, total"
_LAST_LINE = "(SELECT max(id) FROM faena_joblog WHERE job_id = faena_job.id)"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What of a job changes while it runs; `line` is the id of the last line of its log."""

    id: UUID
    state: str
    stop: str
    done: int
    failed: int
    skipped: int
    total: int | None
    line: int | None

    @property
    def processed(self) -> int:
        """Parts that came out, one way or another."""
        return self.done + self.failed + self.skipped

    @property
    def percentage(self) -> int | None:
        """0 to 100; None while the total is unknown."""
        return min(100, 100 * self.processed // self.total) if self.total else None


def read(ids: Collection[UUID]) -> dict[UUID, Snapshot]:
    """The jobs as they are now; those that are gone are missing."""
    found: dict[UUID, Snapshot] = {}
    with connection.cursor() as cursor:
        for batch in _batches(list(ids)):
            cursor.execute(*_statement(batch))
            for pk, *values in cursor.fetchall():
                key = pk if isinstance(pk, UUID) else UUID(pk)
                found[key] = Snapshot(key, *values)
    return found


def last_lines(ids: Iterable[int]) -> dict[int, JobLog]:
    """These lines of logs, by their ids."""
    return JobLog.objects.in_bulk(list(ids))


def endings(ids: Iterable[UUID]) -> dict[UUID, Job]:
    """Of these jobs, how they ended."""
    return Job.objects.only("result", "error").in_bulk(list(ids))


def _statement(ids: list[UUID]) -> tuple[str, list[Any]]:
    select = f"SELECT {_COLUMNS}, {_LAST_LINE} FROM faena_job WHERE id"
    if connection.vendor == "postgresql":
        # One text whatever their number: PostgreSQL keeps its plan.
        return f"{select} = ANY(%s)", [ids]
    return f"{select} IN ({', '.join('%s' for _ in ids)})", [each.hex for each in ids]


def _batches(ids: list[UUID]) -> Iterator[list[UUID]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
