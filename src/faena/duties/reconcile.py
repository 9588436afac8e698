"""Reconcile: send again what the broker lost."""

from __future__ import annotations

import logging
from datetime import timedelta

from faena.credentials import without_credentials
from faena.ledger import dispatch, doorbell, sql

logger = logging.getLogger(__name__)

#: Messages younger than this may still be on their way.
SETTLING = timedelta(seconds=5)
#: What workers have reserved counts as missing as well. In its first minute a job is sent at every look, so that it
#: does not wait in a busy worker's reserve while another is idle; then after twice the time, at most after this.
FIRST = timedelta(seconds=60)
LONGEST = timedelta(seconds=30)
#: Where other messages fill the queue, what was sent longer ago than this may be lost among them.
LONG_AGO = timedelta(seconds=60)


def reconcile_once(batch: int = 1000) -> int:
    """Send again what the broker lost; the number of messages sent. One too many is harmless: a row is claimed once.

    Where a queue holds fewer messages than the ledger expects, that many are missing. Where it holds more,
    tasks that are not recorded, or messages whose jobs run already, may hide that some are missing: then what
    was sent long ago is sent again, each time after waiting twice as long, so that a long queue stays one.
    """
    sent = 0
    expected = sql.rows(
        f"""SELECT queue, count(*), sum(CASE WHEN dispatched < {sql.now(-SETTLING)} THEN 1 ELSE 0 END)
              FROM faena_job WHERE {_SENT} AND NOT {dispatch.IS_PAUSED} GROUP BY queue"""
    )
    for queue, all_sent, settled in expected:
        try:
            depth = doorbell.broker.depth(queue)
        except Exception as error:  # whatever the broker's library raises, the other queues are looked at
            logger.warning("The broker does not say what queue %s holds: %s", queue, without_credentials(error))
            continue
        if depth is not None and depth < settled:
            patient = f"{_waited_twice()} OR run_at > {sql.now(-FIRST)} OR dispatched < {sql.now(-LONGEST)}"
            which = f"dispatched < {sql.now(-SETTLING)} AND ({patient})"
            sent += _send_again(queue, which, min(settled - depth, batch))
        elif depth is not None and depth > all_sent:
            sent += _send_again(queue, f"dispatched < {sql.now(-LONG_AGO)} AND {_waited_twice()}", batch)
    return sent


_SENT = "state = 'pending' AND dispatched IS NOT NULL"


def _waited_twice() -> str:
    """SQL: sent longer ago than the job had waited until then."""
    if sql.is_postgresql():
        return "clock_timestamp() - dispatched > dispatched - run_at"
    return "julianday('now') - julianday(dispatched) > julianday(dispatched) - julianday(run_at)"


def _send_again(queue: str, which: str, count: int) -> int:
    # Whoever acts on many jobs locks the same rows in another order.
    locked = " FOR UPDATE SKIP LOCKED" if sql.is_postgresql() else ""
    found = sql.rows(
        f"""UPDATE faena_job SET dispatched = {sql.now()} WHERE id IN (
                SELECT id FROM faena_job WHERE queue = %s AND {_SENT} AND {which} ORDER BY dispatched LIMIT %s{locked})
         RETURNING id""",
        [queue, count],
    )
    missing = [sql.uuid(row[0]) for row in found]
    return len(missing) if missing and doorbell.ring(missing) else 0
