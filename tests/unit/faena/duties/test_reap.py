from __future__ import annotations

import signal
import subprocess
from datetime import timedelta

import pytest

from faena import conf
from faena.duties.reap import Reaped, reap_once
from faena.ledger import leases, sql
from faena.ledger.claim import claim
from faena.models import JobLog
from tests.support.waiting import eventually, holder_of

pytestmark = pytest.mark.usefixtures("ledger")


@pytest.fixture
def process():
    started = subprocess.Popen(["sleep", "600"])
    yield started
    started.kill()
    started.wait()


@pytest.fixture
def held_by(make_job):
    """A job that this holder runs, its lease overdue by so many seconds."""

    def make(holder: str, overdue: float = -5, **values):
        job_id = make_job(**values)
        assert claim(job_id, 0, worker="w1", holder=holder)
        sql.execute(
            f"UPDATE faena_job SET lease_until = {sql.now(-timedelta(seconds=overdue))} WHERE id = %s",
            [sql.key(job_id)],
        )
        return job_id

    return make


def me(process: subprocess.Popen) -> str:
    return holder_of(process.pid)


def test_a_lease_that_holds_is_left_alone(held_by):
    held_by("elsewhere|1|1")
    assert reap_once() == Reaped()


def test_of_another_host_the_lease_tells(held_by, row):
    job_id = held_by("elsewhere|1|1", overdue=1)
    assert reap_once() == Reaped(returned=1)
    job = row(job_id)
    assert (job.state, job.crashes, job.attempt, job.dispatched) == ("pending", 1, 0, None)
    assert "was not heard of in time" in JobLog.objects.get().text


def test_a_dead_process_here_is_seen_at_once(held_by, process, row):
    job_id = held_by(me(process))
    assert reap_once() == Reaped()
    process.kill()
    process.wait()
    assert reap_once() == Reaped(returned=1)
    assert row(job_id).crashes == 1


def test_a_live_process_here_is_believed_although_its_lease_is_overdue(held_by, process):
    held_by(me(process), overdue=30)
    assert reap_once() == Reaped()


def test_but_not_for_ever(held_by, process):
    held_by(me(process), overdue=conf.get().LEASE_GRACE.total_seconds() + 1)
    assert reap_once() == Reaped(returned=1)


def test_a_stopped_process_keeps_its_job_until_the_lease_ends(held_by, process):
    job_id = held_by(me(process))
    process.send_signal(signal.SIGSTOP)
    eventually(lambda: leases.is_stopped(me(process)))
    assert reap_once() == Reaped()
    sql.execute(f"UPDATE faena_job SET lease_until = {sql.now(-timedelta(seconds=1))} WHERE id = %s", [sql.key(job_id)])
    assert reap_once() == Reaped(returned=1)


def test_a_poison_job_and_a_cancelled_one_end(held_by, row):
    poison = held_by("elsewhere|1|1", overdue=1, max_crashes=1)
    called_off = held_by("elsewhere|1|1", overdue=1)
    sql.execute("UPDATE faena_job SET stop = 'cancel' WHERE id = %s", [sql.key(called_off)])
    assert reap_once() == Reaped(ended=2)
    assert (row(poison).state, row(called_off).state) == ("failed", "cancelled")


def test_dead_holders_are_found_among_many_live_ones(held_by, process):
    for _ in range(20):
        held_by(leases.me())
    held_by(me(process))
    process.kill()
    process.wait()
    assert reap_once(batch=5) == Reaped(returned=1)
