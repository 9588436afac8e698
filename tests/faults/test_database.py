"""The database drops everybody, as at a restart: workers and keepers come back, and jobs go on."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.faults.test_kills import halfway, numbers
from tests.support import jobs
from tests.support.stack import Stack


@pytest.fixture(autouse=True)
def alone(stack: Stack):
    stack.kill_workers()
    yield
    stack.kill_workers()


def test_all_connections_are_cut(stack):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server")
    stack.worker(concurrency=2)
    long = jobs.exact.delay(200, 5, 0.05)
    halfway(stack, long.id)
    plain = jobs.sleepy.delay(1)
    stack.until(plain.id, "running")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert cursor.fetchone()[0] >= 1
    # The plain task does not touch the database while it sleeps; its settlement finds the way back.
    assert plain.get(timeout=30) == "slept"
    job = stack.until(long.id, "completed")
    assert numbers(long.id) == list(range(200))
    assert (job.crashes, job.attempt) == (1, 0)
    assert jobs.add.apply_async((1, 2), countdown=0.5).get(timeout=30) == 3
