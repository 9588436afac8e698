"""The broker as the ledger knows it: something to ring once a row is committed, and never a reason to fail.

`faena.celery.install` puts the real broker here, so that the ledger need not know Celery.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID

from django.db import transaction

from faena import conf
from faena.credentials import without_credentials
from faena.ledger import sql

logger = logging.getLogger(__name__)


class Broker(Protocol):
    """What the ledger asks of a broker."""

    def publish(self, job_ids: Sequence[UUID]) -> None:
        """Send one message for each of these rows; raises when the broker refuses."""

    def depth(self, queue: str) -> int | None:
        """How many messages of the queue no worker has reserved; None if it cannot tell."""


class _Silent:
    """Before `install`: nobody to ring. The rows wait for a process that has a broker."""

    def publish(self, job_ids: Sequence[UUID]) -> None:
        raise ConnectionError("No broker here: faena.install(app) has not run in this process.")

    def depth(self, queue: str) -> int | None:
        return None


broker: Broker = _Silent()
_quiet_until = 0.0


def connect(real: Broker) -> None:
    """Use this broker from now on."""
    global broker
    broker = real


def is_connected() -> bool:
    """Whether this process has a broker to ring."""
    return not isinstance(broker, _Silent)


@contextmanager
def silence() -> Iterator[None]:
    """Inside the block nothing is sent, as after a refusal of the broker: the rows wait for the relay."""
    global _quiet_until
    before, _quiet_until = _quiet_until, math.inf
    try:
        yield
    finally:
        _quiet_until = before


def ring_on_commit(job_ids: Sequence[UUID], publish: Callable[[], None] | None = None) -> None:
    """Once the current transaction is committed, send these jobs' messages; at once outside a transaction.

    Args:
        publish: sends the messages when the caller still has them; by default they are made from the rows.
    """
    if job_ids:
        transaction.on_commit(lambda: ring(job_ids, publish))


def ring(job_ids: Sequence[UUID], publish: Callable[[], None] | None = None) -> bool:
    """Send the messages of these jobs; when the broker refuses, leave them to the relay. Never raises.

    After a refusal the broker is left alone for a while, so that callers do not wait for it one by one.
    """
    global _quiet_until
    if time.monotonic() >= _quiet_until:
        try:
            publish() if publish else broker.publish(job_ids)
            return True
        except Exception as error:  # whatever the broker's library raises, the row is safe
            _quiet_until = time.monotonic() + conf.get().BROKER_PAUSE.total_seconds()
            said = without_credentials(error)
            logger.warning("The broker took no message (%s); the keeper will send %d job(s).", said, len(job_ids))
    try:
        forget_dispatch(job_ids)
    except Exception:
        logger.warning("Could not mark %d job(s) as unsent; reconcile will find them.", len(job_ids), exc_info=True)
    return False


def forget_dispatch(job_ids: Sequence[UUID]) -> int:
    """Mark pending jobs as not sent, so that the relay sends them."""
    return sql.execute(
        f"UPDATE faena_job SET dispatched = NULL WHERE {sql.STATE} = 'pending' AND id IN {sql.holes(job_ids)}",
        [sql.key(each) for each in job_ids],
    )
