"""Choose what goes to the broker next: due jobs that were not sent, of limited ones as many as may start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from faena.ledger import doorbell, limits, sql

#: SQL: the queue of the row `faena_job` is paused.
IS_PAUSED = "EXISTS (SELECT 1 FROM faena_queue WHERE faena_queue.name = faena_job.queue AND paused IS NOT NULL)"


def mark_due(batch: int) -> list[UUID]:
    """Mark up to `batch` due jobs as sent, and name them in the order in which they should run."""
    with transaction.atomic():  # one commit for all lanes
        marked = _mark("faena_job_due", "limit_key IS NULL", [], batch)
        for lane, places in _open_lanes():
            if len(marked) >= batch:
                break
            marked += _mark_limited(lane, min(places, batch - len(marked)))
    return [job_id for *_, job_id in sorted(marked)]


def offer_place(limit_key: str) -> None:
    """A place under the limit is free: send the jobs whose turn it is, of each queue that waits for it."""
    marked = [row for lane, places in _open_lanes(limit_key) for row in _mark_limited(lane, places)]
    doorbell.ring_on_commit([job_id for *_, job_id in sorted(marked)])


def _due() -> str:
    return f"state = 'pending' AND dispatched IS NULL AND run_at <= {sql.now()} AND NOT {IS_PAUSED}"


def _through(index: str) -> str:
    """The index named outright: SQLite, which nobody analyzes, would rather read all pending rows by their state."""
    return "" if sql.is_postgresql() else f" INDEXED BY {index}"


def _open_lanes(limit_key: str | None = None) -> list[tuple[tuple[str, str, str], int]]:
    """The lanes (limit key, queue, kind) with unsent jobs whose first may have a place, with how many places.

    From one lane to the next it jumps along an index, however long they are. By queue, since nobody may ever take
    what waits in another; by kind, since kinds that share a key may have different limits and rates.
    """
    table = f"faena_job AS following{_through('faena_job_unsent')}"
    unsent = "following.state = 'pending' AND following.dispatched IS NULL AND following.limit_key IS NOT NULL"
    unsent += " AND following.limit_key = %s" if limit_key is not None else ""
    lane = "following.limit_key, following.queue, following.kind"
    first = "ORDER BY following.limit_key, following.queue, following.kind LIMIT 1"
    least = "LEAST" if sql.is_postgresql() else "MIN"
    free = f"{least}(COALESCE({limits.places_left()}, {limits.MOST}), COALESCE({limits.permits_left()}, {limits.MOST}))"
    found = sql.rows(
        f"""WITH RECURSIVE lane(id) AS (
                SELECT (SELECT following.id FROM {table} WHERE {unsent} {first})
                 UNION ALL
                SELECT (SELECT following.id FROM {table}
                         WHERE {unsent} AND ({lane}) > (here.limit_key, here.queue, here.kind) {first})
                  FROM lane JOIN faena_job AS here ON here.id = lane.id)
            SELECT limit_key, queue, kind, places FROM (
                SELECT limit_key, queue, kind, {free} AS places
                  FROM lane JOIN faena_job ON faena_job.id = lane.id WHERE NOT {IS_PAUSED}
            ) AS waited WHERE places > 0""",
        [] if limit_key is None else [limit_key, limit_key],
    )
    return [((key, queue, kind), places) for key, queue, kind, places in found]


def _mark_limited(lane: tuple[str, str, str], most: int) -> list[tuple]:
    """Mark the first of the lane that would get a place if they were claimed now."""
    return _mark("faena_job_unsent", "limit_key = %s AND queue = %s AND kind = %s", lane, most, limits.has_place())


def _mark(index: str, condition: str, parameters: Sequence[Any], batch: int, chosen: str = "1 = 1") -> list[tuple]:
    """(-priority, run_at, id) of the jobs that are marked now: of the first `batch` those that are `chosen`."""
    # Rows that another process marks are skipped. Materialized: run inside the UPDATE's own plan, the choice
    # could be made once per row, and more than `batch` would be marked.
    locked = " FOR UPDATE SKIP LOCKED" if sql.is_postgresql() else ""
    found = sql.rows(
        f"""WITH due AS MATERIALIZED (
                SELECT id, queue, priority, run_at, limit_key, "limit", rate FROM faena_job{_through(index)}
                 WHERE {_due()} AND {condition} ORDER BY priority DESC, run_at, id LIMIT %s{locked})
            UPDATE faena_job SET dispatched = {sql.now()}
             WHERE {sql.STATE} = 'pending' AND dispatched IS NULL
               AND id IN (SELECT id FROM due AS faena_job WHERE {chosen})
         RETURNING -priority, run_at, id""",
        [*parameters, batch],
    )
    return [(priority, run_at, sql.uuid(job_id)) for priority, run_at, job_id in found]
