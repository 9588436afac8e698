"""Every pool that Celery has: what a worker runs side by side never gets into each other's way."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone

from faena.models import Job
from tests.support import jobs
from tests.support.stack import Stack
from tests.support.waiting import eventually

POOLS = {
    "threads": (),
    "gevent": (),
    "solo": (),
    # As on Windows and macOS: a pool process is a new interpreter that inherits nothing.
    "spawn": ("--", "worker.pool_start_method=spawn"),
}


@pytest.fixture(params=POOLS)
def pool(stack: Stack, request: pytest.FixtureRequest):
    stack.kill_workers()
    stack.worker(*POOLS[request.param], pool="prefork" if request.param == "spawn" else request.param, concurrency=4)
    yield request.param
    stack.kill_workers()


def test_jobs_side_by_side_in_any_pool(stack, pool):
    counting = [jobs.unhurried.delay(10 + n, 0.05) for n in range(4)]
    failing = jobs.fails_at.delay(10, 6)
    chained = (jobs.add.s(1, 2) | jobs.add.s(3)).delay()
    delayed = jobs.add.apply_async((5, 5), countdown=1)
    many = [jobs.add.delay(n, n) for n in range(30)]
    assert chained.get(timeout=60) == 6
    assert [each.get(timeout=60) for each in many] == [2 * n for n in range(30)]
    for n, each in enumerate(counting):
        job = stack.until(each.id, "completed")
        assert (job.cursor["own"]["next"], job.crashes, job.fence) == (10 + n, 0, 1)
        assert job.worker.startswith(stack.workers[-1].name)
    assert stack.until(failing.id, "completed").attempt == 1
    if stack.database_url.startswith("postgresql"):
        # Four bodies, keeper, heartbeat, the worker's main thread and this process: no body leaves one behind.
        eventually(lambda: connections_open() <= 10, timeout=20, what="connections are closed")
    # The keeper is not held up by bodies that wait, nor are the heartbeats.
    assert delayed.get(timeout=30) == 10
    sent = jobs.sleepy.delay(6)
    lease = stack.until(sent.id, "running").lease_until
    assert eventually(lambda: Job.objects.filter(pk=sent.id, lease_until__gt=lease).exists(), what="a heartbeat")
    assert stack.job(sent.id).lease_until > timezone.now()
    assert stack.until(sent.id, "completed").crashes == 0


def connections_open() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return cursor.fetchone()[0]
