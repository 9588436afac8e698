"""Results of groups that somebody saved: each is a finished row of its own, pruned like any other."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from faena.ledger import enqueue, reuse, sql
from faena.ledger.enqueue import NewJob

KIND = "celery.group"


def save(group_id: UUID, result: str, queue: str, title: str) -> None:
    """Keep the result (JSON text) under the group's id."""
    with transaction.atomic():
        reuse.make_room(group_id)
        enqueue.insert([NewJob(id=group_id, kind=KIND, queue=queue, title=title)])
        sql.execute(
            f"""UPDATE faena_job SET state = 'completed', finished = {sql.now()}, dispatched = NULL, result = %s
                 WHERE id = %s AND kind = %s""",
            [result, sql.key(group_id), KIND],
        )


def find(group_id: UUID) -> str | None:
    """The saved result, if there is one."""
    found = sql.rows("SELECT result FROM faena_job WHERE id = %s AND kind = %s", [sql.key(group_id), KIND])
    return found[0][0] if found else None


def forget(group_id: UUID) -> None:
    """Drop the saved result."""
    if find(group_id) is not None:
        reuse.make_room(group_id)
