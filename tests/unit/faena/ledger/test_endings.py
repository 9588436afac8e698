"""What follows from the end of a job, written with that end."""

from __future__ import annotations

import json

import pytest
from celery import chain, chord

from faena.celery import message
from faena.errors import NoInput
from faena.ledger import doorbell, endings, enqueue, reuse, settle, sql
from faena.ledger import hold as people
from faena.ledger.settle import Cancelled, Done, Error, Failed
from faena.models import Job, JobLog
from faena.states import State
from tests.support import inline, jobs

pytestmark = pytest.mark.usefixtures("ledger")


def owed() -> list[list[str]]:
    return [each.args for each in Job.objects.filter(kind=endings.FOLLOW_UP)]


@pytest.fixture
def with_errback(make_job):
    return make_job(message=json.dumps({"embed": {"errbacks": [jobs.failed_id.s()]}}), max_crashes=1)


@pytest.mark.parametrize(
    "end",
    [
        lambda job_id, take: settle.crash(job_id, take(job_id).fence, "died"),
        lambda job_id, take: people.cancel(job_id),
        lambda job_id, take: settle.settle(take(job_id), Cancelled("enough")),
        lambda job_id, take: settle.settle(take(job_id), Failed(Error("ValueError", "no"))),
    ],
    ids=["crash", "cancel", "cancelled body", "rejected"],
)
def test_an_end_that_celery_has_not_seen_is_told_by_a_job(with_errback, take, end):
    end(with_errback, take)
    assert owed() == [[str(with_errback)]]


def test_nothing_is_owed_where_nothing_follows(make_job, take):
    settle.settle(take(make_job()), Done("1"))
    people.cancel(make_job())
    assert owed() == []


def test_the_follow_up_calls_the_errbacks_once(take):
    sent = jobs.add.apply_async((1, 2), link_error=jobs.failed_id.s())
    job_id = message.job_id(sent.id)
    sql.execute("UPDATE faena_job SET max_crashes = 1 WHERE id = %s", [sql.key(job_id)])
    inline.sent()
    settle.crash(job_id, take(job_id).fence, "died")
    [follow_up] = inline.sent()
    inline.perform(follow_up)
    inline.perform(follow_up)
    inline.drain()
    assert Job.objects.get(kind=jobs.failed_id.name).result == str(job_id)


def test_a_chord_counts_each_part_and_is_due_with_the_last(row):
    chord([jobs.add.s(1, 1), jobs.add.s(2, 2)])(jobs.tsum.s())
    waiting = Job.objects.get(kind=endings.CHORD)
    first, second = inline.sent()
    inline.perform(first)
    inline.perform(first)
    assert (row(waiting.pk).done, row(waiting.pk).run_at) == (1, enqueue.NOT_YET)
    assert inline.sent() == []
    inline.perform(second)
    assert row(waiting.pk).done == 2
    assert inline.drain() == 2
    assert Job.objects.get(kind=jobs.tsum.name).result == 6


def test_a_part_that_was_taken_over_does_not_count_twice(take, row):
    chord([jobs.add.s(1, 1), jobs.add.s(2, 2)])(jobs.tsum.s())
    waiting = Job.objects.get(kind=endings.CHORD)
    part = Job.objects.filter(kind=jobs.add.name).first()
    stale = take(part.pk)
    settle.crash(part.pk, stale.fence, "died")
    stale.chords.append(waiting.pk)
    with pytest.raises(settle.LeaseLost):
        settle.settle(stale, Done("2"))
    assert row(waiting.pk).done == 0


def test_a_paused_wait_goes_on_when_it_is_resumed(row):
    chord([jobs.add.s(1, 1)])(jobs.tsum.s())
    waiting = Job.objects.get(kind=endings.CHORD)
    people.pause(waiting.pk)
    inline.drain()
    assert row(waiting.pk).state == "paused"
    people.resume(waiting.pk)
    inline.drain()
    assert Job.objects.get(kind=jobs.tsum.name).state == "completed"


def test_a_job_that_is_over_makes_room_for_its_id_and_a_live_one_does_not(make_job, take):
    job_id = make_job()
    assert not reuse.make_room(job_id)
    settle.settle(take(job_id), Done("1"))
    JobLog.objects.create(job_id=job_id, at=Job.objects.get(pk=job_id).created, level="info", text="x")
    assert reuse.make_room(job_id)
    assert not JobLog.objects.exists()


def test_the_row_of_a_job_that_will_never_run(make_job, row):
    job = enqueue.NewJob(id=make_job(), kind="tests.nothing", queue="celery")
    assert settle.write_unrun(job, Error("ChordError", "no"))
    assert not settle.write_unrun(job, Error("ChordError", "again"))
    assert (row(job.id).state, row(job.id).error["message"]) == (State.FAILED, "no")


def test_a_step_of_a_header_that_is_retried_goes_on_with_its_chain(row):
    chord([chain(jobs.flaky.s(9).set(retries=3), jobs.add.s(1))])(jobs.tsum.s())
    inline.drain()
    first, last = Job.objects.get(kind=jobs.flaky.name), Job.objects.get(kind=jobs.add.name)
    assert (first.state, last.state, last.fence) == ("failed", "failed", 0)
    sql.execute("UPDATE faena_job SET args = '[0]' WHERE id = %s", [sql.key(first.pk)])
    people.retry(first.pk)
    inline.drain()
    assert (row(first.pk).state, row(last.pk).state, row(last.pk).result) == ("completed", "completed", 1)


def test_what_never_had_its_input_is_not_retried_and_the_part_before_it_is(row):
    chord([chain(jobs.flaky.s(9).set(retries=3), jobs.add.s(1))])(jobs.tsum.s())
    inline.drain()
    first, step, body = (Job.objects.get(kind=each.name) for each in (jobs.flaky, jobs.add, jobs.tsum))
    for each in (step, body):
        with pytest.raises(NoInput, match="never had its input"):
            people.retry(each.pk)
        assert row(each.pk).state == "failed"
    people.discard(body.pk)
    with pytest.raises(NoInput):
        people.retry(body.pk)
    assert people.retry(first.pk) is State.PENDING


def test_the_last_step_of_a_chain_that_stands_in_for_a_job_can_come_after_a_retry(row):
    part = jobs.becomes.s(chain(jobs.flaky.s(9).set(retries=3), jobs.add.s(1)))
    chord([part])(jobs.tsum.s())
    inline.drain()
    first, step = (Job.objects.get(kind=each.name) for each in (jobs.flaky, jobs.add))
    assert (step.state, step.fence) == ("failed", 1)
    with pytest.raises(NoInput):
        people.retry(step.pk)
    sql.execute("UPDATE faena_job SET args = '[0]' WHERE id = %s", [sql.key(first.pk)])
    people.retry(first.pk)
    inline.drain()
    assert (row(step.pk).state, row(step.pk).result) == ("completed", 1)


def test_what_failed_before_it_ran_for_a_reason_of_its_own_can_be_retried(make_job):
    job_id = make_job()
    assert settle.end_unheld(job_id, "", State.FAILED, Error("NotRegistered", "no"))
    assert people.retry(job_id) is State.PENDING


def test_a_wait_that_died_after_it_had_sent_the_body_does_not_send_it_twice(row):
    sent = chord([jobs.add.s(1, 1)])(jobs.tsum.s())
    inline.drain()
    waiting = Job.objects.get(kind=endings.CHORD)
    sql.execute("UPDATE faena_job SET state = 'pending', finished = NULL WHERE id = %s", [sql.key(waiting.pk)])
    doorbell.ring([waiting.pk])
    inline.drain()
    assert (row(waiting.pk).fence, row(sent.id).fence, row(sent.id).result) == (2, 1, 2)
