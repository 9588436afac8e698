"""The broker forgets everything, or is not there: it is a doorbell, so every job runs all the same."""

from __future__ import annotations

import os

import pytest

from faena.ledger import doorbell, hold
from faena.models import Job
from tests.support import jobs
from tests.support.stack import Stack
from tests.support.waiting import eventually


@pytest.fixture(autouse=True)
def alone(stack: Stack):
    stack.kill_workers()
    yield
    stack.kill_workers()
    doorbell._quiet_until = 0.0


def wipe(stack: Stack) -> None:
    """FLUSHALL, or the broker's file deleted under everybody's feet."""
    if stack.redis:
        client = stack.redis.client()
        client.flushall()
        client.close()
        return
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(f"{stack.broker_file}{suffix}"):
            os.unlink(f"{stack.broker_file}{suffix}")


def test_messages_lost_before_a_worker_starts(stack):
    sent = [jobs.add.delay(n, n) for n in range(10)]
    wipe(stack)
    stack.worker()
    stack.until_each([each.id for each in sent], "completed")


def test_messages_lost_under_a_running_worker(stack):
    stack.worker()
    blockers = [jobs.sleepy.delay(2) for _ in range(2)]
    sent = [jobs.add.delay(n, n) for n in range(30)]
    wipe(stack)
    later = jobs.add.delay(40, 2)
    stack.until_each([each.id for each in [*blockers, *sent, later]], "completed")
    assert Job.objects.filter(pk__in=[each.id for each in sent]).exclude(fence=1).count() == 0


def test_a_broker_that_is_away_while_jobs_are_enqueued(stack):
    stack.worker()
    if stack.redis:
        stack.redis.kill()
    else:
        wipe(stack)
        stack.broker_file.mkdir()  # nothing can be written there
    sent = [jobs.add.delay(n, n) for n in range(5)]
    assert Job.objects.filter(pk__in=[each.id for each in sent], state="pending").count() == 5
    if stack.redis:
        stack.redis.start()
    else:
        stack.broker_file.rmdir()
    stack.until_each([each.id for each in sent], "completed")


def test_a_job_waits_for_no_busy_worker_while_another_is_idle(stack):
    busy = stack.worker(concurrency=1)
    long = jobs.sleepy.delay(600)
    stack.until(long.id, "running")
    short = jobs.add.delay(1, 2)
    eventually(lambda: f"[{short.id}] received" in busy.log.read_text())
    stack.worker(concurrency=1)
    stack.until(short.id, "completed")
    assert stack.job(long.id).state == "running"
    hold.cancel(stack.job(long.id).pk)
