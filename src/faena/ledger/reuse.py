"""An id that is used again: the finished job that had it makes room, as if it had been pruned."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from faena.ledger import sql, tally
from faena.states import FINISHED, State

_FINISHED = sorted(FINISHED)
#: The message of a job that will never run as it is: what it was to work on never came to be.
UNRUN = '{"unrun":true}'


def make_room(job_id: UUID, *, if_unrun: bool = False, older_than: UUID | None = None) -> bool:
    """Delete the job if it is over, with its items and log lines; whether it was.

    Args:
        if_unrun: only if it failed because the step before it had failed.
        older_than: only if it was enqueued before this job.
    """
    states = [State.FAILED] if if_unrun else _FINISHED
    which = f"AND message = '{UNRUN}'" if if_unrun else ""
    if older_than is not None:
        which += " AND created < (SELECT created FROM faena_job WHERE id = %s)"
    with transaction.atomic():
        gone = sql.execute(
            f"DELETE FROM faena_job WHERE id = %s AND state IN {sql.holes(states)} {which}",
            [sql.key(job_id), *states, *([] if older_than is None else [sql.key(older_than)])],
        )
        if gone:
            for table in ("faena_jobitem", "faena_joblog"):
                sql.execute(f"DELETE FROM {table} WHERE job_id = %s", [sql.key(job_id)])
            tally.note_pruned(gone)
    return bool(gone)
