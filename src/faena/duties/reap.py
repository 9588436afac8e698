"""Reap: take jobs back from workers that are gone."""

from __future__ import annotations

from dataclasses import dataclass

from faena import conf
from faena.duties import steady
from faena.ledger import leases, settle, sql


@dataclass(frozen=True, slots=True)
class Reaped:
    """Jobs given back to the queue, and jobs that ended instead."""

    returned: int = 0
    ended: int = 0


def reap_once(batch: int = 500) -> Reaped:
    """Return the jobs whose worker died.

    On this host the process itself is asked: dead, and its jobs are taken at once; alive, and they are left
    alone although their lease is overdue, since a long write lock on SQLite delays heartbeats too. Of other
    hosts the lease alone tells, once the database has been `steady` for a while.
    """
    returned = ended = 0
    believed = steady.look()
    holders = sql.rows(f"SELECT DISTINCT holder FROM faena_job WHERE state IN {sql.IN_HELD}")
    dead = [holder for (holder,) in holders if leases.is_alive(holder) is False]
    here = f"OR holder IN {sql.holes(dead)}" if dead else ""
    candidates = sql.rows(
        f"""SELECT id, fence, holder, worker, lease_until < {sql.now()},
                   lease_until < {sql.now(-conf.get().LEASE_GRACE)}
              FROM faena_job WHERE state IN {sql.IN_HELD} AND (lease_until < {sql.now()} {here}) LIMIT %s""",
        [*dead, batch],
    )
    for job_id, fence, holder, worker, expired, long_expired in candidates:
        reason = _why_gone(holder, expired=expired and believed, long_expired=long_expired)
        if reason is not None:
            state = settle.crash(sql.uuid(job_id), fence, f"Worker {worker} {reason}")
            returned += state == "pending"
            ended += state not in {None, "pending"}
    return Reaped(returned, ended)


def _why_gone(holder: str, *, expired: bool, long_expired: bool) -> str | None:
    """Why the holder has to be taken for gone; None while the job is its own."""
    alive = leases.is_alive(holder)
    if alive is False:
        return "died"
    if not expired:
        return None
    if alive is None:
        return "was not heard of in time"
    # It lives: only what cannot beat any more is gone.
    return "does not answer" if long_expired or leases.is_stopped(holder) else None
