"""What becomes of a body, through Celery's own tracer and our backend."""

from __future__ import annotations

from unittest import mock
from uuid import UUID

import pytest
from celery import chain, group
from django.db import connection, transaction
from uuid6 import uuid7

from faena.celery import holding
from faena.duties.relay import relay_once
from faena.ledger import enqueue, reuse, settle, sql
from faena.ledger import hold as people
from faena.ledger.enqueue import NewJob
from faena.models import Job, JobItem, JobLog
from tests.support import inline, jobs

pytestmark = pytest.mark.usefixtures("ledger")


@pytest.fixture(autouse=True)
def nothing_is_left_behind(ledger):
    yield
    assert holding.current_hold() is None
    assert connection.get_autocommit()


def run(task, *args, **kwargs) -> Job:
    """Enqueue it, be the worker until nothing is left to do; the job."""
    sent = task.delay(*args, **kwargs)
    inline.drain()
    return Job.objects.get(pk=sent.id)


def test_a_plain_task():
    job = run(jobs.add, 1, 2)
    assert (job.state, job.result, job.attempt, job.fence) == ("completed", 3, 0, 1)


def test_the_same_message_twice_runs_once():
    sent = jobs.add.delay(1, 2)
    [message] = inline.sent()
    inline.perform(message)
    inline.perform(message)
    assert Job.objects.get(pk=sent.id).fence == 1


def test_a_second_message_of_a_job_that_was_pruned_runs_nothing():
    sent = jobs.add.delay(1, 2)
    [message] = inline.sent()
    inline.perform(message)
    assert reuse.make_room(UUID(sent.id))
    inline.perform(message)
    assert not Job.objects.exists()


def test_an_id_that_a_body_uses_every_night_is_a_new_job_each_time():
    for night in ("first", "second"):
        run(jobs.sends_nightly, night)
        assert Job.objects.get(kind=jobs.echo.name).result == night


def test_but_the_same_one_when_the_body_runs_again_after_a_crash(row):
    sent = jobs.sends_nightly.delay("once")
    [message] = inline.sent()

    def die_after(*_: object) -> None:
        jobs.sends_nightly.run("once")
        raise SystemExit

    with mock.patch("faena.celery.performing._body", die_after), pytest.raises(SystemExit):
        inline.perform(message)
    inline.drain()
    settle.crash(UUID(sent.id), row(sent.id).fence, "died")
    relay_once()
    inline.drain()
    assert row(sent.id).state == "completed"
    assert Job.objects.get(kind=jobs.echo.name).fence == 1


def test_a_failure():
    job = run(jobs.boom, "bad")
    assert (job.state, job.error["type"], job.error["message"]) == ("failed", "ValueError", "bad")
    assert "raise ValueError(text)" in job.error["traceback"]


def test_retries_are_attempts_of_one_row():
    job = run(jobs.flaky, 2)
    assert (job.state, job.result, job.attempt) == ("completed", 2, 2)
    assert [each["message"] for each in job.errors] == ["attempt 0", "attempt 1"]
    assert Job.objects.count() == 1


def test_retries_that_are_exhausted():
    job = run(jobs.flaky, 9)
    assert (job.state, job.attempt, job.error["message"]) == ("failed", 3, "attempt 3")


@pytest.mark.parametrize(("fail_times", "state"), [(1, "completed"), (2, "failed")])
def test_a_task_that_ignores_its_result_is_settled_all_the_same(fail_times, state):
    job = run(jobs.quiet_flaky, fail_times)
    assert (job.state, job.attempt) == (state, 1)


def test_the_error_of_a_task_that_ignores_its_result_is_kept():
    assert run(jobs.quiet_boom).error["message"] == "quiet"


def test_a_retry_may_change_the_arguments():
    job = run(jobs.retry_with, 1)
    assert (job.result, job.args, job.attempt) == (2, [2], 1)


def test_a_task_that_replaces_itself():
    job = run(jobs.becomes, jobs.add.s(3, 4))
    assert (job.state, job.kind, job.result) == ("completed", "tests.support.jobs.add", 7)
    assert Job.objects.count() == 1


@pytest.mark.parametrize(("task", "argument", "runs"), [(jobs.becomes, jobs.add.s(3, 4), 2), (jobs.counts_down, 2, 3)])
def test_a_second_message_of_what_was_replaced_since_runs_nothing(task, argument, runs):
    sent = task.delay(argument)
    [first] = inline.sent()
    inline.perform(first)
    inline.perform(first)
    inline.drain()
    job = Job.objects.get(pk=sent.id)
    assert (job.state, job.fence) == ("completed", runs)


@pytest.mark.parametrize(
    "signature", [chain(jobs.add.s(1, 2), jobs.add.s(3)), group(jobs.add.s(1, 2), jobs.add.s(3, 4))]
)
def test_nothing_stands_in_for_a_job_that_was_cancelled_meanwhile(signature):
    job = run(jobs.becomes_cancelled, signature)
    assert job.state == "cancelled"
    assert not Job.objects.filter(kind=jobs.add.name).exists()


@pytest.mark.parametrize(
    "steps",
    [
        chain(jobs.boom.s("no"), jobs.add.s(2)),
        chain(jobs.add.s(1, 2), jobs.boom.s(), jobs.add.s(2)),
        chain(jobs.becomes.si(chain(jobs.boom.s("no"), jobs.add.s(2))), jobs.add.s(2)),
    ],
)
def test_what_stood_in_fails_where_a_step_before_it_fails(row, steps):
    sent = jobs.becomes.delay(steps)
    inline.drain()
    assert row(sent.id).state == "failed"
    with pytest.raises(ValueError, match=row(sent.id).error["message"]):
        sent.get(timeout=5)


def test_a_job_that_stands_in_for_another_is_run_by_its_first_message(row):
    sent = jobs.becomes.delay(group(jobs.add.s(1, 2), jobs.add.s(3, 4)))
    inline.drain()
    assert (row(sent.id).state, row(sent.id).result) == ("completed", [3, 7])


@pytest.mark.parametrize(("state", "expected"), [(None, "cancelled"), ("FAILURE", "failed"), ("SUCCESS", "completed")])
def test_ignore(state, expected):
    assert run(jobs.ignores, state).state == expected


def test_reject():
    assert run(jobs.rejects, False).state == "failed"


def test_reject_and_requeue_goes_back_to_the_queue():
    sent = jobs.rejects.delay(True)
    inline.perform(inline.sent()[0])
    assert Job.objects.get(pk=sent.id).state == "pending"
    assert inline.ids(inline.sent()) == [sent.id]


@pytest.mark.parametrize("failing", [None, jobs.failed_id.s(), jobs.takes_two.s()])
@pytest.mark.filterwarnings("ignore:Exception raised outside body")
def test_a_next_step_that_cannot_be_called_fails_the_job_once(failing):
    calling = jobs.add.s(1, 2) if failing is None else jobs.add.s(1, 2).on_error(failing)
    sent = chain(calling, jobs.takes_two.s())()
    inline.drain()
    job = Job.objects.get(pk=sent.parent.id)
    assert (job.state, job.error["type"], job.fence, job.crashes) == ("failed", "TypeError", 1, 0)
    assert "missing 1 required positional argument" in job.error["message"]
    assert Job.objects.filter(kind=jobs.failed_id.name).count() == (failing == jobs.failed_id.s())


def test_run_here_too(row):
    task_id = str(uuid7())
    enqueue.insert([NewJob(id=UUID(task_id), kind=jobs.add.name, queue="celery")])
    with holding.running_here(task_id), pytest.raises(TypeError, match="missing 1 required"):
        jobs.add.apply((1, 2), task_id=task_id, link=jobs.takes_two.s())
    assert (row(task_id).state, row(task_id).error["type"]) == ("failed", "TypeError")


def test_a_job_fails_by_what_its_class_does_before_its_body():
    sent = jobs.chosen.apply_async(("bad",), link_error=jobs.failed_id.s())
    inline.drain()
    job = Job.objects.get(pk=sent.id)
    assert (job.state, job.error["type"], job.fence) == ("failed", "ValueError", 0)
    assert Job.objects.get(kind=jobs.failed_id.name).result == sent.id
    assert run(jobs.chosen, "good").result == "good"


@pytest.mark.parametrize("where", ["elsewhere", "at a later attempt"])
def test_but_not_by_a_second_message(row, take, where):
    sent = jobs.chosen.delay("bad")
    [message] = inline.sent()
    if where == "elsewhere":
        take(UUID(sent.id))
    else:
        sql.execute("UPDATE faena_job SET attempt = 1")
    inline.perform(message)
    assert row(sent.id).state == ("running" if where == "elsewhere" else "pending")


def test_a_body_that_ends_without_an_outcome_has_failed():
    job = run(jobs.asks_for_nothing)
    assert (job.state, job.fence) == ("failed", 1)
    assert "without an outcome" in job.error["message"]


@pytest.mark.parametrize("task", [jobs.returns_nonsense, jobs.returns_itself])
def test_a_result_that_is_no_json_fails_the_job_with_that_reason(task):
    job = run(task)
    assert (job.state, job.error["type"]) == ("failed", "EncodeError")
    assert "plain values" in job.error["message"]


@pytest.mark.parametrize("way", ["function", "apply", "run_now", "job"])
def test_a_body_that_runs_others_in_its_own_process_stays_itself(way):
    job = run(jobs.calls_others, way)
    assert job.state == "completed"
    done, child = job.result
    assert done == 3
    assert Job.objects.get(pk=child).state == "completed"
    assert Job.objects.count() == (3 if way == "run_now" else 2)


@pytest.mark.parametrize(("what", "state"), [("autocommit", "completed"), ("atomic", "completed"), ("error", "failed")])
def test_a_transaction_that_the_body_left_open_does_not_swallow_the_settlement(what, state):
    sent = jobs.leaves_open.delay(what)
    inline.drain()
    connection.close()
    assert Job.objects.get(pk=sent.id).state == state


def test_breaking_out_of_a_batch_rolls_that_batch_back():
    job = run(jobs.leaves_batch, "break")
    assert (job.state, job.done, job.result["done"]) == ("completed", 3, 3)
    assert [item.key for item in JobItem.objects.all()] == ["0"]


def test_an_error_inside_a_batch_leaves_no_transaction_open():
    job = run(jobs.leaves_batch, "error")
    assert (job.state, job.done, job.cursor["loops"]) == ("failed", 3, {"1": 3})
    assert [item.key for item in JobItem.objects.all()] == ["0"]


def test_after_an_error_a_retry_goes_on_at_the_row_that_failed():
    job = run(jobs.fails_at, 10, 6)
    assert (job.state, job.done, job.attempt) == ("completed", 10, 1)
    seen = [line.text for line in JobLog.objects.order_by("id")]
    assert seen == [*map(str, range(7)), *map(str, range(6, 10))]


def test_a_job_fails_on_invalid_input_without_a_retry():
    job = run(jobs.picky, [])
    assert (job.state, job.error["type"], job.attempt) == ("failed", "Invalid", 0)


def test_a_job_with_bad_rows_completes_with_errors():
    job = run(jobs.picky, [1, 0, 2])
    assert (job.state, job.done, job.failed, job.total) == ("completed_with_errors", 2, 1, 3)
    [item] = JobItem.objects.all()
    assert (item.key, item.state) == ("0", "failed")
    assert "ZeroDivisionError" in item.message


def test_a_cancelled_job_is_not_run():
    sent = jobs.add.delay(1, 2)
    people.cancel(Job.objects.get().pk)
    assert inline.drain() == 1
    assert Job.objects.get(pk=sent.id).state == "cancelled"


def test_called_as_a_function_or_eagerly_it_touches_no_ledger():
    assert jobs.add(1, 2) == 3
    assert jobs.add.apply((1, 2)).get() == 3
    assert jobs.count(3)["done"] == 3
    assert jobs.count.apply((3,)).get()["done"] == 3
    assert jobs.boom.apply(("x",)).state == "FAILURE"
    assert jobs.flaky.apply((2,)).get() == 2
    assert not Job.objects.exists()


def test_always_eager(settings):
    from faena_server import app

    app.conf.task_always_eager = True
    try:
        assert jobs.add.delay(1, 2).get() == 3
        assert (jobs.add.s(1, 2) | jobs.add.s(3)).delay().get() == 6
        assert jobs.batches.delay(10, 3).get()["done"] == 10
    finally:
        app.conf.task_always_eager = False
    assert not Job.objects.exists()
    assert inline.sent() == []


def test_eagerly_inside_a_callers_transaction():
    with transaction.atomic():
        assert jobs.batches.apply((10, 3)).get()["done"] == 10


def test_an_unrecorded_task_leaves_no_row():
    jobs.plain.delay(1)
    assert inline.drain() == 1
    assert not Job.objects.exists()


def test_a_row_for_a_task_that_only_the_worker_knows_to_be_unrecorded_is_settled(make_job, row):
    from faena.ledger import doorbell

    job_id = make_job(kind="tests.support.jobs.plain", args="[1]")
    doorbell.ring([job_id])
    inline.drain()
    assert row(job_id).state == "completed"


def test_a_message_of_a_producer_without_faena_gets_its_row(row):
    from faena_server import app

    message = app.amqp.as_task_v2("0b1f5d3e-6f0a-4c6e-9d54-0c1b8c0d7a11", "tests.support.jobs.add", (1, 2), {})
    with app.producer_or_acquire() as producer:
        app.amqp.plain_sender(producer, "tests.support.jobs.add", message, queue="celery")
    assert not Job.objects.exists()
    assert inline.drain() == 1
    job = row("0b1f5d3e-6f0a-4c6e-9d54-0c1b8c0d7a11")
    assert (job.state, job.result, job.args) == ("completed", 3, [1, 2])


def test_one_with_wrong_arguments_is_seen_to_fail(row):
    from faena_server import app

    for task in (jobs.titled, jobs.one_per_shop):
        message = app.amqp.as_task_v2(str(uuid7()), task.name, (), {"colour": "red"})
        with app.producer_or_acquire() as producer:
            app.amqp.plain_sender(producer, task.name, message, queue="celery")
    inline.drain()
    for job in Job.objects.all():
        assert (job.state, job.error["type"]) == ("failed", "TypeError")
        assert "unexpected keyword argument 'colour'" in job.error["message"]
    assert Job.objects.count() == 2


def test_run_here_a_job_that_fails_has_its_other_attempts():
    done = jobs.fails_at.run_now(5, 2)
    job = Job.objects.get(pk=done.id)
    assert (done.state, done.result["done"]) == ("SUCCESS", 5)
    assert (job.state, job.done, job.attempt, job.fence) == ("completed", 5, 1, 2)
    assert [each["message"] for each in job.errors] == ["at 2"]


def test_run_here_an_attempt_that_is_delayed_is_left_to_a_worker():
    done = jobs.fails_later.run_now()
    job = Job.objects.get(pk=done.id)
    assert (job.state, job.attempt, job.dispatched) == ("pending", 1, None)
    assert job.run_at > job.created
    inline.make_due()
    inline.drain()
    assert Job.objects.get(pk=done.id).state == "completed"
