"""Why jobs failed: the failed jobs, grouped by kind and by failure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from faena.ledger import sql
from faena.models import Job
from faena.queries import PAGE
from faena.states import State

#: Groups that are listed, and jobs of one that are counted.
GROUPS = 500
CEILING = 1_000
#: Failed jobs of the last day that the history looks at.
RECENT = 20_000


@dataclass(frozen=True, slots=True)
class Group:
    """The failed jobs of one kind that failed alike."""

    kind: str
    failure: str
    #: Up to `CEILING + 1`, which says that there are more.
    count: int
    first: datetime
    last: datetime
    #: The job that failed last, and what it said.
    example: UUID
    message: str


def groups() -> list[Group]:
    """The groups, the one that failed last first. One statement, which hops from group to group along an index."""
    of_group = "state = 'failed' AND kind = this.kind AND failure = this.failure"
    first = "state = 'failed' ORDER BY kind, failure, finished LIMIT 1"
    statement = f"""
        WITH RECURSIVE hop(id) AS (
            SELECT (SELECT id FROM faena_job WHERE {first})
            UNION ALL
            SELECT (SELECT id FROM faena_job WHERE (kind, failure) > (this.kind, this.failure) AND {first})
              FROM hop JOIN faena_job AS this ON this.id = hop.id)
        SELECT this.kind, this.failure, this.finished, latest.finished, latest.id, latest.error,
               (SELECT count(*) FROM (SELECT 1 FROM faena_job WHERE {of_group} LIMIT %s) AS few)
          FROM hop JOIN faena_job AS this ON this.id = hop.id
          JOIN faena_job AS latest
            ON latest.id = (SELECT id FROM faena_job WHERE {of_group} ORDER BY finished DESC LIMIT 1)
         LIMIT %s"""
    found = [_group(*row) for row in sql.rows(statement, [CEILING + 1, GROUPS])]
    return sorted(found, key=lambda each: each.last, reverse=True)


def history(hours: int = 24) -> dict[tuple[str, str], list[int]]:
    """By kind and failure, how many jobs failed in each of the last hours, oldest first; of the latest `RECENT`."""
    hour = (
        "floor(extract(epoch FROM (clock_timestamp() - finished)) / 3600)"
        if sql.is_postgresql()
        else "CAST((julianday('now') - julianday(finished)) * 24 AS INTEGER)"
    )
    since = sql.now(-timedelta(hours=hours))
    latest = f"""SELECT kind, failure, finished FROM faena_job
                  WHERE state = 'failed' AND state IN {sql.IN_FINISHED} AND finished > {since}
                  ORDER BY finished DESC LIMIT %s"""
    found: dict[tuple[str, str], list[int]] = {}
    for kind, failure, ago, count in sql.rows(
        f"SELECT kind, failure, {hour}, count(*) FROM ({latest}) AS latest GROUP BY 1, 2, 3", [RECENT]
    ):
        if 0 <= int(ago) < hours:
            found.setdefault((kind, failure), [0] * hours)[hours - 1 - int(ago)] += count
    return found


def jobs(kind: str, failure: str, size: int = PAGE) -> list[Job]:
    """The jobs of a group that failed last."""
    found = Job.objects.filter(state=State.FAILED, kind=kind, failure=failure).defer("args", "kwargs", "message")
    return list(found.order_by("-finished")[:size])


def _group(kind: str, failure: str, first: Any, last: Any, example: Any, error: str | None, count: int) -> Group:
    message = str(json.loads(error).get("message", "")) if error else ""
    return Group(kind, failure, count, sql.as_time(first), sql.as_time(last), sql.uuid(example), message)
