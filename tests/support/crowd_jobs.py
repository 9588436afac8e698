"""Jobs whose limits a crowd of workers tries: `celery worker -I tests.support.crowd_jobs`."""

from __future__ import annotations

import time

from faena import job
from faena.ledger import limits


@job(limit=2)
def two_at_once(run, seconds: float):
    time.sleep(seconds)


@job(limit=1, limit_key="{shop}")
def one_per_shop(run, shop: str, seconds: float):
    time.sleep(seconds)


@job(rate="5/2s")
def five_in_two_seconds(run):
    pass


@job(unique="{name}")
def only_one(run, name: str):
    time.sleep(0.05)


@job
def asks_for_one(run, name: str):
    return str(only_one.delay(name).id)


@job
def logs_in(run):
    """Whether it was allowed to."""
    try:
        limits.acquire("login", "3/h", timeout=0)
    except TimeoutError:
        return False
    return True


@job
def unlimited(run):
    time.sleep(0.02)
