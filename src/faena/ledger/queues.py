"""Pause a queue: no job of it starts until it is resumed. What runs goes on."""

from __future__ import annotations

from django.db import transaction

from faena.ledger import dispatch, doorbell, sql
from faena.ledger.records import SYSTEM, Actor, write_audit

#: Jobs sent at once when a queue goes on; the relay sends the others.
BATCH = 500


def pause(name: str, by: Actor = SYSTEM) -> bool:
    """Start no job of this queue from now on, whoever restarts; whether it was not paused before.

    Messages that are in the broker stay harmless: a worker drops them, and their jobs are sent again later.
    """
    with transaction.atomic():
        paused = sql.execute(
            f"""INSERT INTO faena_queue (name, paused, paused_by) VALUES (%s, {sql.now()}, %s)
                    ON CONFLICT (name) DO UPDATE SET paused = excluded.paused, paused_by = excluded.paused_by
                     WHERE faena_queue.paused IS NULL""",
            [name, by.name],
        )
        if paused:
            write_audit(by, "pause queue", None, {"queue": name})
    return bool(paused)


def resume(name: str, by: Actor = SYSTEM) -> bool:
    """Let the queue go on; its jobs are sent at once. Whether it was paused."""
    with transaction.atomic():
        resumed = sql.execute(
            "UPDATE faena_queue SET paused = NULL, paused_by = '' WHERE name = %s AND paused IS NOT NULL", [name]
        )
        if resumed:
            write_audit(by, "resume queue", None, {"queue": name})
            doorbell.ring_on_commit(dispatch.mark_due(BATCH))
    return bool(resumed)
