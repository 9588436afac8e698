"""Prune: delete finished jobs past their state's retention, in small batches with pauses between them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from faena import conf
from faena.ledger import sql, tally
from faena.states import State

#: Items or log lines per DELETE.
CHUNK = 2_000
#: After each transaction comes a pause as long as it took, so that others write half of the time; at most this long.
LONGEST_PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Pruned:
    """Jobs deleted, and whether the time was up before all that is old was gone."""

    deleted: int = 0
    more: bool = False


def prune_once(batch: int = 500, seconds: float = 0.5) -> Pruned:
    """Delete what is past its retention, for about this long. The keeper comes back at once for the rest."""
    return prune_before(retention_ends(), batch, seconds)


def retention_ends() -> dict[str, Any]:
    """Per state, the moment before which a job must have ended to be old; by the database's clock and in its form."""
    return {state: sql.rows(f"SELECT {sql.now(-kept)}")[0][0] for state, kept in conf.get().RETENTION.items()}


def prune_before(ends: Mapping[str, Any], batch: int = 500, seconds: float = float("inf")) -> Pruned:
    """Delete the jobs that ended in a state before its moment, with their items and log lines.

    Args:
        ends: as `retention_ends` gives them.
        seconds: stop after about this long.
    """
    deadline = time.monotonic() + seconds
    deleted = 0
    for state, end in ends.items():
        last = None
        while (old := _oldest(state, end, batch)) and old != last:
            for table in ("faena_jobitem", "faena_joblog"):
                while _delete_parts(table, old, state, end) == CHUNK:
                    if time.monotonic() > deadline:
                        return Pruned(deleted, more=True)
            deleted += _delete_jobs(old, state, end)
            if time.monotonic() > deadline:
                return Pruned(deleted, more=True)
            last = old  # the same once more: they are locked, or were retried
    return Pruned(deleted)


def _oldest(state: str, end: Any, batch: int) -> list[Any]:
    # SQLite uses a partial index only where the statement repeats its condition, word by word.
    found = sql.rows(
        f"""SELECT id FROM faena_job WHERE state = '{State(state)}' AND state IN {sql.IN_FINISHED} AND finished < %s
             ORDER BY finished LIMIT %s""",
        [end, batch],
    )
    return [job_id for (job_id,) in found]


def _delete_parts(table: str, old: Sequence[Any], state: str, end: Any) -> int:
    """Parts go first: one job may have a million. Not those of a job that was retried since it was looked up."""
    with _paced():
        return sql.execute(
            f"""DELETE FROM {table} WHERE id IN (
                    SELECT part.id FROM {table} AS part JOIN faena_job ON faena_job.id = part.job_id
                     WHERE part.job_id IN {sql.holes(old)} AND faena_job.state = %s AND faena_job.finished < %s
                     LIMIT %s)""",
            [*old, state, end, CHUNK],
        )


def _delete_jobs(old: Sequence[Any], state: str, end: Any) -> int:
    """Guarded by the state: a job that was retried stays. So does one that somebody is at: it goes next time."""
    locked = " FOR UPDATE SKIP LOCKED" if sql.is_postgresql() else ""
    with _paced():
        gone = sql.rows(
            f"""DELETE FROM faena_job WHERE id IN (
                    SELECT id FROM faena_job WHERE id IN {sql.holes(old)} AND state = %s AND finished < %s{locked})
             RETURNING id""",
            [*old, state, end],
        )
        if gone:
            ids = [job_id for (job_id,) in gone]
            for table in ("faena_jobitem", "faena_joblog"):  # written since the parts went
                sql.execute(f"DELETE FROM {table} WHERE job_id IN {sql.holes(ids)}", ids)
            tally.note_pruned(len(gone))
    return len(gone)


@contextmanager
def _paced() -> Iterator[None]:
    """One transaction, then a pause as long."""
    began = time.monotonic()
    with transaction.atomic():
        yield
    time.sleep(min(LONGEST_PAUSE, time.monotonic() - began))
