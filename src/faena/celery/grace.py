"""End cancelled bodies that do not stop by themselves, on a pool whose processes can be ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from celery.concurrency.prefork import TaskPool
from celery.worker import state as worker_state
from celery.worker.request import Request
from django.db import transaction

from faena import conf
from faena.celery import holding, message
from faena.celery.heartbeat import Asked
from faena.ledger import endings, settle, sql
from faena.ledger.forking import brief_connection
from faena.states import State, Stop

logger = logging.getLogger(__name__)

#: The reason that such a job shows.
ENDED = "Cancelled; its process was ended, as it did not stop by itself in time."


class Grace:
    """Called at every beat. Counts from when this worker first heard of the cancel: no clocks are compared."""

    def __init__(self, worker: Any) -> None:
        """Args:
        worker: Celery's WorkController.
        """
        self._worker = worker
        self._heard: dict[tuple[UUID, datetime], float] = {}

    def look(self, asked: Iterable[Asked]) -> None:
        """Have the bodies ended whose time is up."""
        grace = conf.get().CANCEL_GRACE
        if grace is None or not isinstance(self._worker.pool, TaskPool):
            return
        now = time.monotonic()
        cancelled = [(job_id, started) for job_id, stop, started in asked if stop == Stop.CANCEL]
        self._heard = {each: self._heard.get(each, now) for each in cancelled}
        for (job_id, _), since in self._heard.items():
            if now - since >= grace.total_seconds() and (request := _request_of(job_id)):
                # In the worker's own thread, which also acknowledges the message.
                self._worker.consumer.call_soon(self._end, request, job_id)

    def _end(self, request: Request, job_id: UUID) -> None:
        error = settle.Error("Cancelled", ENDED)
        with brief_connection(), transaction.atomic():
            ended = settle.end_unheld(job_id, holding.worker(), State.CANCELLED, error)
            if ended:
                endings.owe(job_id)
        if ended:  # else the body has just settled it, and its process may be at something else
            logger.warning("Job %s: %s", job_id, ENDED)
            request.terminate(self._worker.pool, signal="KILL")


def _request_of(job_id: UUID) -> Request | None:
    """The request whose process holds the job: its message may be here a second time, in another process."""
    found = sql.rows(
        f"SELECT holder FROM faena_job WHERE id = %s AND stop = 'cancel' AND state IN {sql.IN_HELD}",
        [sql.key(job_id)],
    )
    for request in list(worker_state.active_requests):
        if found and message.job_id(request.id) == job_id and f"|{request.worker_pid}|" in found[0][0]:
            return request
    return None
