"""Processes die at the worst moment: nothing is lost, nothing in a checkpoint happens twice, and it goes on.

How soon it goes on is measured by `make faults`; a machine that is busy with tests says little about it.
"""

from __future__ import annotations

import signal

import psutil
import pytest

from faena.ledger import hold, leases
from faena.models import Job, JobLog, Lease
from tests.support import jobs
from tests.support.stack import Stack, holder_pid
from tests.support.stopping import are_stopped_without_a_lock
from tests.support.waiting import eventually


@pytest.fixture(autouse=True)
def alone(stack: Stack):
    """Every test starts and kills workers of its own."""
    stack.kill_workers()
    yield
    stack.kill_workers()


def numbers(job_id) -> list[int]:
    """What the job `exact` has written, in the order of writing."""
    found = JobLog.objects.filter(job_id=job_id, level="number").order_by("id")
    return [int(text) for text in found.values_list("text", flat=True)]


def halfway(stack: Stack, job_id, at_least: int = 10) -> Job:
    """Wait until the job has written that much."""
    eventually(lambda: len(numbers(job_id)) >= at_least)
    return stack.job(job_id)


def test_a_killed_worker_costs_no_row_and_doubles_none(stack):
    worker = stack.worker(concurrency=1)
    sent = jobs.exact.delay(300, 5, 0.05)
    halfway(stack, sent.id)
    worker.kill()
    assert stack.job(sent.id).state == "running"
    stack.worker(concurrency=1)
    eventually(lambda: stack.job(sent.id).fence == 2)
    job = stack.until(sent.id, "completed")
    assert numbers(sent.id) == list(range(300))
    assert (job.done, job.crashes, job.attempt, job.fence) == (300, 1, 0, 2)


def test_a_second_worker_takes_over(stack):
    first, second = stack.worker(concurrency=1), stack.worker(concurrency=1)
    sent = jobs.exact.delay(200, 5, 0.05)
    job = halfway(stack, sent.id)
    victim = first if job.worker.startswith("w") and job.worker.split("@")[0] == first.name else second
    victim.kill()
    job = stack.until(sent.id, "completed")
    assert numbers(sent.id) == list(range(200))
    assert job.crashes == 1


def test_a_killed_pool_process_costs_no_attempt(stack):
    stack.worker(concurrency=2)
    sent = jobs.exact.delay(200, 5, 0.05)
    pid = holder_pid(halfway(stack, sent.id))
    psutil.Process(pid).kill()
    job = stack.until(sent.id, "completed")
    assert numbers(sent.id) == list(range(200))
    assert (job.crashes, job.attempt) == (1, 0)


def test_pool_processes_do_not_outlive_their_worker(stack):
    worker = stack.worker(concurrency=1)
    sent = jobs.sleepy.delay(600)
    job = stack.until(sent.id, "running")
    child = psutil.Process(holder_pid(job))
    worker.process.kill()
    eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    hold.cancel(job.pk)


def test_a_poison_job_ends_failed_and_the_others_go_on(stack):
    stack.worker(concurrency=1)
    poison = jobs.poison.delay()
    others = [jobs.add.delay(n, n) for n in range(3)]
    job = stack.until(poison.id, "failed")
    assert (job.crashes, job.error["message"]) == (2, "killed its worker 2 times")
    stack.until_each([each.id for each in others], "completed")


def test_a_warm_shutdown_hands_the_running_job_over(stack):
    worker = stack.worker(concurrency=1)
    sent = jobs.exact.delay(300, 5, 0.05)
    halfway(stack, sent.id)
    worker.stop()
    job = stack.job(sent.id)
    assert (job.state, job.crashes, job.attempt) == ("pending", 0, 0)
    assert 10 <= job.done < 300
    stack.worker(concurrency=1)
    job = stack.until(sent.id, "completed")
    assert numbers(sent.id) == list(range(300))
    assert (job.done, job.crashes, job.fence) == (300, 0, 2)


def test_pause_resume_and_cancel_of_a_running_job(stack):
    stack.worker(concurrency=1)
    sent = jobs.exact.delay(4000, 5, 0.05)  # long enough to be caught, however slow the machine
    job = halfway(stack, sent.id)
    hold.pause(job.pk)
    stack.until(sent.id, "paused")
    so_far = numbers(sent.id)
    assert stack.job(sent.id).done == len(so_far) < 4000
    hold.resume(job.pk)
    eventually(lambda: len(numbers(sent.id)) > len(so_far))
    hold.cancel(job.pk)
    job = stack.until(sent.id, "cancelled")
    assert numbers(sent.id) == list(range(job.done))
    assert job.done < 4000


@pytest.mark.parametrize("pool", ["threads", "solo"])
def test_other_pools_lose_nothing_either(stack, pool):
    worker = stack.worker(pool=pool, concurrency=2)
    plain = [jobs.add.delay(n, n) for n in range(5)]
    stack.until_each([each.id for each in plain], "completed")
    sent = jobs.exact.delay(200, 5, 0.05)
    halfway(stack, sent.id)
    worker.kill()
    stack.worker(pool=pool, concurrency=2)
    job = stack.until(sent.id, "completed")
    assert numbers(sent.id) == list(range(200))
    assert job.crashes == 1


def test_of_two_keepers_one_holds_the_post_and_the_other_inherits_it(stack):
    workers = {each.process.pid: each for each in (stack.worker(concurrency=1), stack.worker(concurrency=1))}

    def holder() -> int | None:
        found = Lease.objects.filter(name="keeper").exclude(holder="").first()
        return int(found.holder.rsplit("|", 2)[1]) if found and leases.is_alive(found.holder) else None

    first = eventually(holder)
    workers.pop(first).kill()
    eventually(lambda: holder() in workers)
    sent = jobs.add.apply_async((1, 2), countdown=0.5)
    stack.until(sent.id, "completed")


def test_a_worker_that_was_stopped_past_its_lease_can_write_nothing_any_more(stack):
    sleeper = stack.worker(concurrency=1)
    sent = jobs.unhurried.delay(60, 0.1)
    halfway(stack, sent.id)
    pids = [sleeper.process.pid, *(child.pid for child in sleeper.children())]
    eventually(lambda: are_stopped_without_a_lock(pids, stack.files))
    stack.worker(concurrency=1)
    eventually(lambda: stack.job(sent.id).fence == 2)
    sleeper.signal(signal.SIGCONT)
    eventually(lambda: "is no longer held by this worker" in sleeper.log.read_text())
    job = stack.until(sent.id, "completed")
    assert numbers(sent.id) == list(range(60))
    assert (job.cursor["own"], job.crashes) == ({"next": 60}, 1)
