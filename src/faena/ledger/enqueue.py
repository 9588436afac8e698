"""Write the rows of new jobs, in the caller's transaction. The broker hears of them after the commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from uuid import UUID

from faena.errors import AlreadyLive
from faena.ledger import sql

#: Rows per INSERT.
BATCH = 5_000
#: The `run_at` of a job that was replaced by others, until the last of them takes its place.
NOT_YET = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class NewJob:
    """One job to be; `args`, `kwargs`, `message` and `tags` are JSON text already."""

    id: UUID
    kind: str
    queue: str
    args: str = "[]"
    kwargs: str = "{}"
    message: str = "{}"
    title: str = ""
    priority: int = 0
    run_at: datetime | None = None
    attempt: int = 0
    max_attempts: int = 1
    max_crashes: int = 5
    unique_key: str | None = None
    limit_key: str | None = None
    limit: int | None = None
    rate: str | None = None
    parent_id: UUID | None = None
    root_id: UUID | None = None
    group_id: UUID | None = None
    retry_of: UUID | None = None
    schedule_id: int | None = None
    created_by: str = ""
    tags: str = "[]"
    #: That of a row which was there: `insert` says so of a job that stands in for another.
    fence: int = 0

    @property
    def is_due(self) -> bool:
        """Nothing delays it: its message goes out with the commit."""
        return self.run_at is None


_FAMILY = ("parent_id", "root_id", "group_id")
_IDS = ("id", *_FAMILY, "retry_of")
_PLAIN = [each.name for each in fields(NewJob) if each.name not in {"run_at", "fence", *_IDS}]
_NAMED = (*_IDS, *_PLAIN)
#: PostgreSQL's types of the columns that are not text.
_TYPES = dict.fromkeys(_IDS, "uuid") | dict.fromkeys(
    ("priority", "attempt", "max_attempts", "max_crashes", "limit"), "integer"
)
_COLUMNS = ", ".join(
    [
        *(f'"{name}"' for name in _NAMED),
        *("run_at", "created", "dispatched"),
        # Columns that Django fills in Python have no default in the database.
        *("state", "stop", "crashes", "fence", "worker", "holder", "done", "failed", "skipped", "errors", "failure"),
    ]
)
_HOLES = ", ".join("%s" for _ in _NAMED)
_CONSTANTS = "'pending', '', 0, 0, '', '', 0, 0, 0, '[]', ''"


def insert(jobs: Sequence[NewJob]) -> int:
    """Write these jobs as pending rows; the number of rows that are new.

    A row that exists under the same id stays as it is: a step of a chain that is asked for again after a crash.

    Raises:
        AlreadyLive: a job with the same unique key is live. Nothing of that job was written.
    """
    plain = [job for job in jobs if job.unique_key is None]
    written = _insert_one(plain[0]) if len(plain) == 1 else _insert_many(plain)
    if written < len(plain):
        written += sum(_stand_in(job) for job in plain)
    return written + sum(_insert_unique(job) for job in jobs if job.unique_key is not None)


def _insert_one(job: NewJob) -> int:
    """The number of rows that are new, 0 or 1."""
    values = [getattr(job, name) for name in _NAMED]
    parameters = [sql.key(value) if isinstance(value, UUID) else value for value in values]
    times = _times(job.is_due)
    if not job.is_due:
        parameters.append(sql.moment(job.run_at))
    return len(
        sql.prepared(
            f"INSERT INTO faena_job ({_COLUMNS}) VALUES ({_HOLES}, {times}, {_CONSTANTS})"
            " ON CONFLICT DO NOTHING RETURNING 1",
            parameters,
        )
    )


def _insert_many(jobs: Sequence[NewJob]) -> int:
    due, later = ([job for job in jobs if job.is_due is wanted] for wanted in (True, False))
    return sum(
        _insert_alike(part[start : start + BATCH]) for part in (due, later) for start in range(0, len(part), BATCH)
    )


def _insert_alike(jobs: Sequence[NewJob]) -> int:
    """Write jobs that are all due, or all not."""
    names = [*_NAMED, *([] if jobs[0].is_due else ["run_at"])]
    columns = {name: [getattr(job, name) for job in jobs] for name in names}
    times = _times(jobs[0].is_due)
    if not sql.is_postgresql():
        for name in _IDS:
            columns[name] = list(map(sql.key, columns[name]))
        if "run_at" in columns:
            columns["run_at"] = list(map(sql.moment, columns["run_at"]))
        return sql.execute_many(
            f"INSERT INTO faena_job ({_COLUMNS}) VALUES ({_HOLES}, {times}, {_CONSTANTS}) ON CONFLICT DO NOTHING",
            list(zip(*columns.values(), strict=True)),
        )
    # What differs travels as one array per column, what does not only once.
    many = {name: values for name, values in columns.items() if name == "id" or values.count(values[0]) < len(values)}
    holes = {name: f'many."{name}"' if name in many else "%s" for name in names}
    run_at = holes.pop("run_at", "")
    arrays = ", ".join(f"%s::{_TYPES.get(name, 'timestamptz' if name == 'run_at' else 'text')}[]" for name in many)
    return sql.execute(
        f"""INSERT INTO faena_job ({_COLUMNS})
            SELECT {", ".join(holes.values())}, {times.replace("%s", run_at)}, {_CONSTANTS}
              FROM unnest({arrays}) AS many({", ".join(f'"{name}"' for name in many)}) ON CONFLICT DO NOTHING""",
        [*(values[0] for name, values in columns.items() if name not in many), *many.values()],
    )


def _times(is_due: bool) -> str:
    """SQL for run_at, created and dispatched."""
    now = sql.now()
    return f"{now}, {now}, {now}" if is_due else f"%s, {now}, NULL"


def _stand_in(job: NewJob) -> int:
    """Give the row of a job that was replaced to the one that takes its id over."""
    now = sql.now()
    names = [name for name in _PLAIN if name not in {"unique_key", "schedule_id", "created_by", "tags"}]
    run_at = now if job.is_due else "%s"
    # Paused meanwhile, it stays so: its message goes out when it is resumed.
    dispatched = f"CASE WHEN state = 'pending' THEN {now} END" if job.is_due else "NULL"
    sets = ", ".join(f'"{name}" = %s' for name in (*names, *_FAMILY))
    found = sql.rows(
        f"""UPDATE faena_job SET {sets}, run_at = {run_at}, dispatched = {dispatched}
             WHERE id = %s AND state IN ('pending', 'paused') AND run_at = %s RETURNING fence""",
        [
            *(getattr(job, name) for name in names), *(sql.key(getattr(job, name)) for name in _FAMILY),
            *([] if job.is_due else [sql.moment(job.run_at)]), sql.key(job.id), sql.moment(NOT_YET),
        ],
    )  # fmt: skip
    if found:
        job.fence = found[0][0]
    return len(found)


def is_replaced(job_id: UUID) -> bool:
    """Whether the job waits for another that takes its id over."""
    return bool(
        sql.rows(
            "SELECT 1 FROM faena_job WHERE id = %s AND state IN ('pending', 'paused') AND run_at = %s",
            [sql.key(job_id), sql.moment(NOT_YET)],
        )
    )


def _insert_unique(job: NewJob) -> int:
    while not _insert_one(job):
        live = sql.rows(f"SELECT id FROM faena_job WHERE unique_key = %s AND state IN {sql.IN_LIVE}", [job.unique_key])
        if live:
            raise AlreadyLive(sql.uuid(live[0][0]), job.unique_key or "")
        if sql.rows("SELECT 1 FROM faena_job WHERE id = %s", [sql.key(job.id)]):
            return _stand_in(job)
        # The live one ended between the two statements: there is a place now.
    return 1
