"""What becomes of a task, and what its result says, with real workers: as Celery's users expect it."""

from __future__ import annotations

import pytest
from celery import Celery, chain, chord, group
from celery.exceptions import MaxRetriesExceededError, SoftTimeLimitExceeded, TaskRevokedError
from celery.result import AsyncResult, GroupResult

from faena.celery.message import job_id
from faena.errors import ConfigurationError
from faena.ledger import hold as people
from faena.models import Job, JobLog
from faena_server import app
from tests.support import jobs
from tests.support.jobs import add, boom
from tests.support.stack import Stack
from tests.support.waiting import eventually


@pytest.fixture(autouse=True)
def worker(stack: Stack):
    return stack.a_worker()


def test_retries_that_back_off_and_run_out(stack):
    sent = jobs.backs_off.delay("bad luck")
    with pytest.raises(ValueError, match="bad luck"):
        sent.get(timeout=60)
    job = stack.job(sent.id)
    assert (job.state, job.attempt, job.max_attempts, len(job.errors)) == ("failed", 2, 3, 2)


def test_retries_without_a_reason_that_run_out(stack):
    sent = jobs.retries_in_vain.delay()
    with pytest.raises(MaxRetriesExceededError):
        sent.get(timeout=60)
    assert stack.job(sent.id).state == "failed"


def test_a_soft_time_limit_that_nobody_catches(stack):
    with pytest.raises(SoftTimeLimitExceeded):
        jobs.not_told.delay().get(timeout=60)


@pytest.mark.parametrize(("requeue", "state"), [(True, "completed"), (False, "failed")])
def test_reject(stack, requeue, state):
    sent = jobs.rejects_once.delay(requeue)
    assert stack.until(sent.id, state).fence == (2 if requeue else 1)


def test_ignore_and_ignored_results(stack):
    assert jobs.quiet_flaky.delay(0).get(timeout=30) is None
    assert stack.until(jobs.ignores.delay().id, "cancelled").result is None


def test_revoking_a_paused_one_a_finished_one_and_one_that_runs(stack):
    paused = add.apply_async((1, 2), countdown=3600)
    people.pause(stack.job(paused.id).pk)
    paused.revoke()
    assert stack.until(paused.id, "cancelled").started is None

    running, finished = jobs.sleepy.delay(1.5), add.delay(1, 2)
    assert finished.get(timeout=30) == 3
    stack.until(running.id, "running")
    running.revoke()
    finished.revoke()
    # Without `terminate` Celery lets a task that runs come to its end.
    assert running.get(timeout=30) == "slept"
    assert finished.state == "SUCCESS"


def test_a_finished_id_runs_again_and_a_live_one_once(stack):
    assert add.apply_async((1, 2), task_id="again").get(timeout=30) == 3
    first = stack.job(job_id("again"))
    assert add.apply_async((5, 6), task_id="again").get(timeout=30) in {3, 11}
    again = eventually(lambda: Job.objects.filter(pk=first.pk, created__gt=first.created, state="completed").first())
    assert (again.args, again.result, again.fence) == ([5, 6], 11, 1)
    add.apply_async((1, 2), task_id="later", countdown=3600)
    add.apply_async((9, 9), task_id="later")
    later = stack.job(job_id("later"))
    assert (later.args, later.state) == ([1, 2], "pending")


def test_a_task_class_that_has_never_heard_of_faena(stack, worker):
    assert jobs.theirs.delay(7).get(timeout=30) == ["called", [7, "yes"]]
    assert jobs.theirs_retries.delay(2).get(timeout=30) == ["called", 2]
    assert chain(jobs.theirs_plain.si(0), jobs.theirs.s()).delay().get(timeout=30)[1][0] == "plain"
    first, second = jobs.theirs_job.delay("one"), jobs.theirs_job.delay("one")
    assert first.get(timeout=30) == ["called", "one"]
    assert second.get(timeout=30) == ["called", "one"]
    assert JobLog.objects.filter(job_id=first.id, text="inside").count() == 1
    # Fenced and taken over like any other.
    sent = jobs.theirs_plain.delay(2)
    stack.until(sent.id, "running")
    worker.kill()
    stack.worker()
    assert sent.get(timeout=60) == "plain"
    assert (stack.job(sent.id).crashes, stack.job(sent.id).fence) == (1, 2)


def test_a_producer_that_has_no_faena(stack):
    plain = Celery("plain", broker=stack.broker_url, set_as_current=False)
    sent = plain.send_task(add.name, (1, 2))
    assert stack.until(sent.id, "completed").result == 3
    steps = [plain.signature(add.name, args) for args in ((1, 2), (3,), (4,))]
    last = chain(*steps, app=plain).apply_async()
    assert stack.until(last.id, "completed").result == 10
    delayed = plain.send_task(add.name, (2, 2), countdown=1)
    assert stack.until(delayed.id, "completed").result == 4


def test_results_as_a_tree(stack):
    sent = chain(add.s(1, 2), add.s(3)).delay()
    assert sent.get(timeout=30) == 6
    assert (sent.parent.get(timeout=5), sent.parent.parent) == (3, None)
    child_of = jobs.sends_child.delay()
    child = child_of.get(timeout=30)
    assert [each.id for each in child_of.children] == [child]
    AsyncResult(child).get(timeout=30)
    assert [value for _, value in child_of.collect(timeout=30)] == [child, 3]
    child_of.forget()
    assert (AsyncResult(child_of.id).result, stack.job(child_of.id).state) == (None, "completed")


def test_groups_are_saved_and_restored(stack):
    sent = group(add.s(n, n) for n in range(3)).delay()
    assert sent.join(timeout=30) == [0, 2, 4]
    sent.save()
    again = GroupResult.restore(sent.id)
    assert (again.id, again.completed_count(), again.successful(), again.get(timeout=5)) == (
        sent.id,
        3,
        True,
        [0, 2, 4],
    )
    again.delete()
    assert GroupResult.restore(sent.id) is None


def test_a_group_with_a_failure(stack):
    sent = group(add.s(1, 1), boom.s("bad luck")).delay()
    eventually(sent.ready)
    assert (sent.completed_count(), sent.failed()) == (1, True)
    with pytest.raises(ValueError, match="bad luck"):
        sent.join(timeout=30)


def test_the_result_of_what_is_not_recorded_is_an_error_at_once():
    with pytest.raises(ConfigurationError, match="not recorded"):
        jobs.plain.delay(1).get(timeout=30)
    with pytest.raises(ConfigurationError, match="part of a chord"):
        chord([jobs.plain.s(1)])(jobs.tsum.s())


def test_the_first_priority_is_nine(stack, worker):
    stack.kill_workers()
    sent = {priority: jobs.own_id.apply_async(queue="by-priority", priority=priority) for priority in (0, 9)}
    stack.worker("-Q", "by-priority", "--prefetch-multiplier", "1", pool="solo", concurrency=1)
    for each in sent.values():
        each.get(timeout=30)
    assert stack.job(sent[9].id).started < stack.job(sent[0].id).started
    stack.kill_workers()


def test_cancelled_by_a_person_is_revoked_for_celery(stack):
    sent = add.apply_async((1, 2), countdown=3600)
    people.cancel(stack.job(sent.id).pk)
    with pytest.raises(TaskRevokedError):
        sent.get(timeout=5)


def test_on_commit_returns_an_id(stack):
    assert add.delay_on_commit(1, 2).get(timeout=30) == 3
    assert app.AsyncResult(add.apply_async_on_commit((1, 2)).id).get(timeout=30) == 3
