"""What follows from the end of a job: its chord counts it, and Celery hears of an end that no body could tell of."""

from __future__ import annotations

import json
from uuid import UUID

from uuid6 import uuid7

from faena.ledger import doorbell, enqueue, sql
from faena.ledger.enqueue import NewJob

#: The task that tells Celery; `faena.celery.following` is its body.
FOLLOW_UP = "faena.follow_up"
#: Celery's task that waits for the parts of a chord; its row is due when the last of them has ended.
CHORD = "celery.chord_unlock"
#: The header of a chord's row that says how many parts it waits for.
PARTS = "faena_parts"


def part_ended(chord_id: UUID) -> bool:
    """Count one ended part of a chord, in the transaction that ends it; whether it was the last.

    The count is one UPDATE of the chord's own row: of two parts that end at once the second waits for the first.
    """
    found = sql.rows(
        """UPDATE faena_job SET done = done + 1
            WHERE id = %s AND state IN ('pending', 'paused') AND run_at = %s RETURNING done, message""",
        [sql.key(chord_id), sql.moment(enqueue.NOT_YET)],
    )
    if not found:
        return False
    done, message = found[0]
    if done < json.loads(message)["headers"][PARTS]:
        return False
    now = sql.now()
    sql.execute(
        f"""UPDATE faena_job SET run_at = {now}, dispatched = CASE WHEN state = 'pending' THEN {now} END
             WHERE id = %s AND state IN ('pending', 'paused')""",
        [sql.key(chord_id)],
    )
    doorbell.ring_on_commit([chord_id])
    return True


def owe(job_id: UUID) -> None:
    """A job was ended by somebody other than its body: if anything follows from it, enqueue a job that tells Celery.

    For the transaction that ends the job: neither a crash nor a kill comes between the two.
    """
    found = sql.rows("SELECT kind, queue, message FROM faena_job WHERE id = %s", [sql.key(job_id)])
    if not found:
        return
    kind, queue, message = found[0]
    if '"embed"' not in message and kind != CHORD:
        return
    telling = NewJob(id=uuid7(), kind=FOLLOW_UP, queue=queue, args=json.dumps([str(job_id)]), parent_id=job_id)
    enqueue.insert([telling])
    doorbell.ring_on_commit([telling.id])
