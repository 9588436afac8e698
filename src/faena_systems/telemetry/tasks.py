"""Jobs of the telemetry system, under their documented names. A body is a few lines that call a verb."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from faena import job
from faena.errors import FaenaError, Invalid, PermanentFailure
from faena.run import Run

from . import merging, syncing
from .panaccess import feed

logger = logging.getLogger(__name__)

PREFIX = "TelemetriaDelancer.tasks"
RETRIES, RETRY_SECONDS = 3, 60
RETRYING: dict[str, Any] = {"attempts": 1 + RETRIES, "backoff": "fixed", "backoff_seconds": RETRY_SECONDS}


@job(name=f"{PREFIX}.sync_telemetry_task", limit=1, timeout="6h", **RETRYING)
def sync_telemetry_task(run: Run, limit: int = feed.MOST, batch_size: int = syncing.BATCH) -> dict[str, Any]:
    """Save what is new at PanAccess; see ``syncing.sync`` for the result."""
    with told(run, "sync_telemetry_task"):
        return syncing.sync(run, limit, batch_size)


@job(name=f"{PREFIX}.merge_ott_task", limit=1, timeout="6h", **RETRYING)
def merge_ott_task(
    run: Run, sync_result: dict[str, Any] | None = None, batch_size: int = merging.BATCH, backfill_last_n: int = 0
) -> dict[str, Any]:
    """Merge what is new in the raw table; see ``merging.merge`` for the result.

    A chain hands the result of the synchronisation on. What is to be merged is not in it: the merge has a watermark.
    """
    with told(run, "merge_ott_task"):
        return merging.merge(run, batch_size, backfill_last_n)


@job(name=f"{PREFIX}.sync_and_merge_telemetry_chain", unique="always the same", timeout="6h", **RETRYING)
def sync_and_merge_telemetry_chain(run: Run) -> dict[str, Any]:
    """Synchronise, then merge; its result is that of the merge.

    One job, so that whatever ends it, a crash too many or a person, ends the cycle and lets the next one come.
    """
    with told(run, "sync_and_merge_telemetry_chain"):
        syncing.sync(run)
        return merging.merge(run)


@job(name="telemetry.run", unique="always the same", throws=(FaenaError,))
def telemetry_run(
    run: Run, limit: int, batch_size: int, merge_batch_size: int, backfill_last_n: int
) -> dict[str, dict[str, Any]]:
    """Synchronise and merge once, as one job: that of ``manage.py telemetry_run``, which says itself what failed."""
    synchronised = syncing.sync(run, limit, batch_size)
    return {"sync": synchronised, "merge": merging.merge(run, merge_batch_size, backfill_last_n)}


@contextmanager
def told(run: Run, name: str) -> Iterator[None]:
    """Log how a task begins and ends, with the prefix that people look for: an error if that was the last try."""
    logger.info("[CELERY] %s: started (job %s).", name, run.id)
    try:
        yield
    except Exception as error:
        if run.attempt < RETRIES and not isinstance(error, Invalid | PermanentFailure):
            logger.warning("[CELERY] %s: %s Trying again in %d s (job %s).", name, error, RETRY_SECONDS, run.id)
        else:
            logger.error("[CELERY] %s failed: %s (job %s)", name, error, run.id, exc_info=True)
        raise
    logger.info("[CELERY] %s: done (job %s).", name, run.id)
