"""`faena.testing`, in a transaction that is never committed as in Django's TestCase, and with real commits."""

from __future__ import annotations

from datetime import date
from unittest import mock

import pytest
from celery import chain, chord, group

from faena.ledger import hold
from faena.models import Job, JobItem, JobLog
from faena.testing import assert_enqueued, drain, eager, fake_worker
from tests.support import inline, jobs
from tests.support.jobs import add, boom, count, flaky, picky, tsum


@pytest.fixture(params=["rolled back", "committed"], autouse=True)
def database(request, migrated):
    """Both ways to test."""
    request.getfixturevalue("db" if request.param == "rolled back" else "ledger")
    return request.param


# --- drain ---------------------------------------------------------------------------------------


def test_drain_runs_what_is_due_and_what_that_enqueues():
    sent = chain(add.s(1, 2), add.s(3)).delay()
    ran = drain()
    assert [(job.kind, job.state, job.result) for job in ran] == [
        ("tests.support.jobs.add", "completed", 3),
        ("tests.support.jobs.add", "completed", 6),
    ]
    assert sent.get(timeout=1) == 6
    assert drain() == []


def test_drain_gives_groups_and_chords_their_results():
    doubled = group(add.s(n, n) for n in range(3)).delay()
    total = chord([add.s(n, n) for n in range(3)])(tsum.s())
    drain(skip_waiting=True)
    assert doubled.get(timeout=1) == [0, 2, 4]
    assert total.get(timeout=1) == 6


def test_drain_takes_the_urgent_first():
    add.apply_async((1, 1), priority=1)
    add.apply_async((9, 9), priority=9)
    assert [job.args for job in drain()] == [[9, 9], [1, 1]]


def test_drain_leaves_what_waits_for_its_time_unless_told_otherwise():
    late = add.apply_async((1, 2), countdown=3600)
    slow = jobs.slow_flaky.delay()
    assert [job.state for job in drain()] == ["pending"]
    assert slow.state == "RETRY"
    assert {job.pk.hex: job.state for job in drain(skip_waiting=True)} == {
        late.id.replace("-", ""): "completed",
        slow.id.replace("-", ""): "completed",
    }


def test_drain_keeps_failures_as_a_worker_does():
    boom.delay("bad luck")
    (job,) = drain()
    assert (job.state, job.error["type"], job.error["message"]) == ("failed", "ValueError", "bad luck")
    assert "tests/support/jobs.py" in job.error["traceback"]


def test_drain_leaves_paused_jobs():
    add.delay(1, 2)
    (job,) = assert_enqueued(add)
    hold.pause(job.pk)
    assert drain() == []
    hold.resume(job.pk)
    assert [job.result for job in drain()] == [3]


def test_drain_says_that_there_is_no_end():
    add.delay(1, 2)
    add.delay(1, 2)
    with pytest.raises(AssertionError, match="1 jobs ran and there is no end"):
        drain(most=1)


def test_arguments_come_as_through_a_broker():
    jobs.echo.delay(date(2026, 11, 20))
    assert [job.state for job in drain()] == ["completed"]
    assert_enqueued(jobs.echo, value=date(2026, 11, 20))


def test_a_job_writes_items_and_log_also_inside_the_tests_transaction():
    picky.delay([1, 0, 2])
    jobs.batches.delay(4, 2)
    first, second = drain()
    assert (first.state, first.failed, JobItem.objects.get(job_id=first.pk).key) == ("completed_with_errors", 1, "0")
    assert list(JobLog.objects.filter(job_id=second.pk).values_list("text", flat=True)) == ["0..1", "2..3"]


# --- eager ---------------------------------------------------------------------------------------


def test_eager_runs_at_once_and_records():
    with eager():
        assert add.delay(1, 2).get(timeout=1) == 3
        assert flaky.delay(2).get(timeout=1) == 2
        assert chain(add.s(1, 2), add.s(3)).delay().get(timeout=1) == 6
        late = add.apply_async((4, 4), countdown=3600)
        assert late.get(timeout=1) == 8
    assert Job.objects.filter(state="completed").count() == 5
    assert add.delay(1, 2).state == "PENDING"


def test_eager_raises_where_the_result_is_asked_for():
    with eager():
        sent = boom.delay("bad luck")
    with pytest.raises(ValueError, match="bad luck"):
        sent.get(timeout=1)


def test_eager_sends_nothing():
    with eager():
        jobs.calls_others.delay("function")
    assert inline.sent() == []
    assert Job.objects.filter(state="completed").count() == 2


# --- assert_enqueued -----------------------------------------------------------------------------


def test_arguments_are_compared_by_name():
    add.delay(1, y=2)
    count.delay(5)
    (job,) = assert_enqueued(add, x=1, y=2)
    assert job.state == "pending"
    assert_enqueued("tests.support.jobs.add", times=1)
    assert_enqueued(count, total=5, pause=0.0)
    assert_enqueued(add, times=0, x=7)


def test_what_was_enqueued_instead_is_listed():
    add.delay(1, y=2)
    with pytest.raises(AssertionError) as failed:
        assert_enqueued(add, x=3)
    assert str(failed.value) == (
        "Found no job like tests.support.jobs.add(x=3). Enqueued was:\n  tests.support.jobs.add(1, y=2)  pending"
    )
    with pytest.raises(AssertionError, match=r"Found 1 of 2 jobs like tests.support.jobs.add\(\)"):
        assert_enqueued(add, times=2)


def test_nothing_was_enqueued():
    with pytest.raises(AssertionError, match="Nothing was enqueued"):
        assert_enqueued(add)


# --- fake_worker ---------------------------------------------------------------------------------


def test_a_worker_that_dies_holding_a_job():
    sent = add.delay(1, 2)
    with fake_worker() as worker:
        assert worker.take_next().state == "running"
        assert worker.run_next() is None
        worker.crash()
        job = worker.run_next()
    assert (str(job.pk), job.state, job.crashes) == (sent.id, "completed", 1)


def test_a_worker_that_dies_in_the_middle_goes_on_at_the_next_row():
    count.delay(5)
    with fake_worker() as worker:
        with mock.patch("tests.support.jobs.time.sleep", side_effect=iter_then(2, worker.crash)):
            job = worker.run_next()
        assert (job.state, job.done, job.crashes) == ("pending", 2, 1)
        with mock.patch("tests.support.jobs.time.sleep") as slept:
            job = worker.run_next()
    assert (job.state, job.done, slept.call_count) == ("completed", 5, 3)


def test_a_batch_that_a_crash_interrupts_is_rolled_back():
    jobs.exact.delay(6, 2)
    with fake_worker() as worker:
        with mock.patch("tests.support.jobs.time.sleep", side_effect=iter_then(1, worker.crash)):
            assert worker.run_next().done == 2
        worker.run_next()
    assert sorted(int(line.text) for line in JobLog.objects.filter(level="number")) == [0, 1, 2, 3, 4, 5]


def test_a_pause_is_heard_at_the_next_row():
    count.delay(5)
    (job,) = assert_enqueued(count)
    with fake_worker() as worker:
        with mock.patch("tests.support.jobs.time.sleep", side_effect=iter_then(1, lambda _: hold.pause(job.pk))):
            paused = worker.run_next()
        assert (paused.state, paused.done) == ("paused", 2)
        assert worker.run_next() is None
        hold.resume(job.pk)
        assert worker.run_next().done == 5


def test_there_is_nothing_to_do():
    with fake_worker() as worker:
        assert worker.run_next() is None
        assert worker.take_next() is None
        worker.crash()


def iter_then(quiet: int, act):
    """A side effect that does nothing so many times and then, once, `act`."""
    calls = iter(range(quiet + 1))

    def do(*args):
        if next(calls, None) == quiet:
            act(*args)

    return do
