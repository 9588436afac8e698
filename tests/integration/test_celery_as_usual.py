"""What every Celery user does, with real workers: nothing of it may behave differently for being recorded."""

from __future__ import annotations

import pytest
from celery import chain, chord, group
from celery.exceptions import TaskRevokedError, TimeLimitExceeded
from celery.result import AsyncResult

from faena.models import Job
from faena_server import app
from tests.support import jobs
from tests.support.jobs import add, boom, tsum
from tests.support.stack import Stack
from tests.support.waiting import eventually


@pytest.fixture(autouse=True)
def worker(stack: Stack):
    return stack.a_worker()


def test_a_plain_task_is_recorded_and_gives_its_result(stack):
    sent = add.delay(1, 2)
    assert sent.get(timeout=30) == 3
    job = stack.job(sent.id)
    assert (job.state, job.kind, job.args, job.result) == ("completed", "tests.support.jobs.add", [1, 2], 3)
    assert job.created <= job.started <= job.finished


def test_a_failure_is_raised_where_the_result_is_asked_for(stack):
    with pytest.raises(ValueError, match="bad luck"):
        boom.delay("bad luck").get(timeout=30)


def test_retries_wait_as_rows(stack):
    sent = jobs.slow_flaky.delay()
    waiting = eventually(lambda: Job.objects.filter(pk=sent.id, attempt=1, dispatched=None).first())
    assert (waiting.state, sent.state) == ("pending", "RETRY")
    assert sent.get(timeout=30) == 1
    assert stack.job(sent.id).errors[0]["message"] == "wait"


def test_a_countdown(stack):
    sent = add.apply_async((1, 2), countdown=1)
    assert stack.job(sent.id).dispatched is None
    assert sent.get(timeout=30) == 3
    job = stack.job(sent.id)
    assert job.started >= job.run_at


def test_a_chain(stack):
    sent = chain(add.s(1, 2), add.s(3), add.s(4)).delay()
    assert sent.get(timeout=30) == 10
    last = stack.job(sent.id)
    middle = stack.job(last.parent_id)
    assert stack.job(middle.parent_id).pk == last.root_id
    assert sent.parent.get(timeout=5) == 6


def test_a_chain_ends_where_a_step_fails(stack):
    sent = chain(add.s(1, 2), boom.s(), add.s(4)).delay()
    stack.until(sent.parent.id, "failed")
    assert not Job.objects.filter(pk=sent.id).exists()
    with pytest.raises(ValueError, match="3"):
        sent.get(timeout=5)


def test_a_group(stack):
    sent = group(add.s(n, n) for n in range(5)).delay()
    assert sent.get(timeout=30) == [0, 2, 4, 6, 8]


def test_a_chord(stack):
    assert chord([add.s(n, n) for n in range(4)])(tsum.s()).get(timeout=60) == 12


def test_a_chord_whose_header_takes_a_while(stack):
    assert chord([jobs.sleepy_number.s(2, 1), jobs.sleepy_number.s(3, 2)])(tsum.s()).get(timeout=60) == 5
    unlock = Job.objects.get(kind="celery.chord_unlock", args__contains=str(Job.objects.latest("created").pk))
    assert (unlock.state, unlock.crashes) == ("completed", 0)


def test_link_and_link_error(stack):
    sent = add.apply_async((1, 2), link=add.s(10))
    job = eventually(lambda: Job.objects.filter(parent_id=sent.id, state="completed").first())
    assert job.result == 13
    failed = boom.apply_async(("x",), link_error=jobs.failed_id.s())
    job = eventually(lambda: Job.objects.filter(parent_id=failed.id, state="completed").first())
    assert job.result == failed.id


def test_a_task_that_ignores_its_result(stack):
    sent = jobs.quiet_flaky.delay(1)
    job = stack.until(sent.id, "completed")
    assert (job.attempt, job.crashes) == (1, 0)


def test_a_hard_time_limit(stack):
    sent = jobs.too_long.delay()
    job = stack.until(sent.id, "failed")
    assert job.error["type"] == "TimeLimitExceeded"
    assert job.crashes == 0
    with pytest.raises(TimeLimitExceeded):
        sent.get(timeout=5)


def test_a_soft_time_limit(stack):
    assert jobs.told_in_time.delay().get(timeout=30) == "told"


def test_a_task_is_revoked_before_it_runs(stack):
    sent = add.apply_async((1, 2), countdown=3600)
    sent.revoke()
    assert stack.until(sent.id, "cancelled").started is None
    with pytest.raises(TaskRevokedError):
        sent.get(timeout=5)


def test_a_task_is_revoked_while_it_runs(stack):
    sent = jobs.sleepy.delay(600)
    stack.until(sent.id, "running")
    eventually(lambda: any(app.control.inspect().active().values()))
    sent.revoke(terminate=True)
    assert stack.until(sent.id, "cancelled").crashes == 0


def test_an_expired_task_is_cancelled(stack):
    sent = add.apply_async((1, 2), expires=-1)
    assert "expired" in stack.until(sent.id, "cancelled").error["message"]


def test_progress_by_update_state(stack):
    sent = jobs.reports_slowly.delay()
    eventually(lambda: sent.state == "PROGRESS")
    assert sent.info == {"percent": 50}
    assert sent.get(timeout=30) == "reported"


def test_replace_with_a_chain_and_a_group(stack):
    assert jobs.becomes.delay(chain(add.s(1, 2), add.s(3))).get(timeout=60) == 6
    assert jobs.becomes.delay(group(add.s(1, 2), add.s(3, 4))).get(timeout=60) == [3, 7]


def test_a_task_that_no_worker_knows_fails_like_in_celery(stack):
    sent = app.send_task("unheard.of", (1,))
    assert stack.until(sent.id, "failed").error["type"] == "NotRegistered"


def test_a_task_id_of_ones_own(stack):
    sent = add.apply_async((1, 2), task_id="nightly")
    assert sent.get(timeout=30) == 3
    assert AsyncResult("nightly").result == 3


def test_the_celery_command_from_another_terminal(stack, worker):
    called = stack.celery("call", "tests.support.jobs.add", "-a", "[2, 3]").strip()
    stack.until(called, "completed")
    assert stack.celery("result", called).strip() == "5"
    running = jobs.sleepy.delay(600)
    stack.until(running.id, "running")
    eventually(lambda: any(app.control.inspect().active().values()))
    assert running.id in stack.celery("inspect", "active")
    assert "tests.support.jobs.add" in stack.celery("inspect", "registered")
    assert "OK" in stack.celery("inspect", "scheduled")
    assert "task events enabled" in stack.celery("control", "enable_events")
    running.revoke(terminate=True)
    stack.until(running.id, "cancelled")


def test_purging_the_broker_loses_no_job(stack):
    stack.kill_workers()
    waiting = [add.delay(n, n) for n in range(20)]
    assert "Purged" in stack.celery("purge", "-f")
    stack.worker()
    # Messages are gone, rows are not: reconcile sends them again. To call jobs off, cancel them.
    stack.until_each([each.id for each in waiting], "completed")
