from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from uuid6 import uuid7

from faena.errors import LeaseLost
from faena.ledger import doorbell, endings, enqueue, settle, sql
from faena.ledger import hold as people
from faena.ledger.enqueue import NewJob
from faena.ledger.records import Line, write_lines
from faena.ledger.settle import Again, Cancelled, Done, Error, Failed, HandedOver, Paused
from faena.models import Job, JobLog
from faena.states import State
from tests.support import inline

pytestmark = pytest.mark.usefixtures("ledger")

ERROR = Error("ValueError", "no", "Traceback …")


def again(**values: object) -> NewJob:
    return NewJob(**({"id": uuid7(), "kind": "k2", "queue": "q2", "attempt": 1} | values))


def test_done(make_job, take, row):
    job_id = make_job()
    assert settle.settle(take(job_id), Done('{"a": 1}')) is State.COMPLETED
    job = row(job_id)
    assert (job.state, job.result, job.error) == ("completed", {"a": 1}, None)
    assert job.started <= job.finished


def test_done_with_failed_items(make_job, take, row):
    hold = take(make_job())
    hold.done, hold.failed, hold.skipped, hold.total = 3, 2, 1, 6
    assert settle.settle(hold, Done(None)) is State.COMPLETED_WITH_ERRORS
    job = row(hold.job_id)
    assert (job.done, job.failed, job.skipped, job.total, job.percent) == (3, 2, 1, 6, 100)


def test_failed(make_job, take, row):
    hold = take(make_job())
    assert settle.settle(hold, Failed(ERROR)) is State.FAILED
    assert row(hold.job_id).error | {"traceback": ""} == ERROR.as_json() | {"traceback": ""}


def test_an_error_of_any_text(make_job, take, row):
    hold = take(make_job())
    settle.settle(hold, Failed(Error("OSError", "no such file: '\udcff\x00'", "t\udcff\x00")))
    assert "no such file" in row(hold.job_id).error["message"]


def test_again_at_once(make_job, take, row):
    hold = take(make_job())
    assert settle.settle(hold, Again(again(queue="celery"), ERROR)) is State.PENDING
    job = row(hold.job_id)
    assert (job.attempt, job.kind, job.dispatched is not None, job.lease_until) == (1, "k2", True, None)
    assert [(each["attempt"], each["worker"], each["message"]) for each in job.errors] == [(0, "w1", "no")]
    assert inline.ids(inline.sent()) == [str(job.pk)]


def test_again_later_waits_as_a_row(make_job, take, row):
    hold = take(make_job())
    later = timezone.now() + timedelta(hours=1)
    settle.settle(hold, Again(again(run_at=later, queue="celery"), ERROR))
    job = row(hold.job_id)
    assert (job.dispatched, abs(job.run_at - later) < timedelta(milliseconds=2)) == (None, True)
    assert inline.sent() == []


def test_only_the_last_errors_are_kept(make_job, take, row):
    job_id = make_job()
    for attempt in range(25):
        settle.settle(take(job_id, attempt), Again(again(attempt=attempt + 1), ERROR))
    assert [each["attempt"] for each in row(job_id).errors] == list(range(5, 25))


def test_a_replacement_starts_at_its_own_beginning(make_job, take, row):
    hold = take(make_job())
    hold.cursor, hold.done, hold.total = {"loops": {"1": 5}}, 5, 10
    settle.settle(hold, Again(again(attempt=0, kind="other", title="Other"), None))
    job = row(hold.job_id)
    assert (job.kind, job.title, job.cursor, job.done, job.total) == ("other", "Other", None, 0, None)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Paused(), State.PAUSED),
        (Cancelled("no"), State.CANCELLED),
        (HandedOver(), State.PENDING),
        (Failed(ERROR), State.FAILED),
    ],
)
def test_the_place_is_settled_with_the_counts(make_job, take, row, outcome, state):
    hold = take(make_job())
    hold.cursor, hold.done = {"loops": {"1": 5}}, 5
    assert settle.settle(hold, outcome) is state
    job = row(hold.job_id)
    assert (job.cursor, job.done, job.attempt) == ({"loops": {"1": 5}}, 5, 0)


def test_a_handover_is_sent_again(make_job, take):
    hold = take(make_job())
    settle.settle(hold, HandedOver())
    assert inline.ids(inline.sent()) == [str(hold.job_id)]


def test_a_hold_that_was_taken_over_is_refused_with_its_follow_ups(make_job, take, row):
    job_id = make_job()
    stale = take(job_id)
    settle.crash(job_id, stale.fence, "died")
    current = take(job_id)
    stale.follow_ups.append(again())
    with pytest.raises(LeaseLost):
        settle.settle(stale, Done("1"))
    assert (row(job_id).state, row(job_id).fence, Job.objects.count()) == ("running", current.fence, 1)


def test_follow_ups_are_in_the_same_transaction(make_job, take, row, monkeypatch):
    hold = take(make_job())
    hold.follow_ups += [again(queue="celery"), again(queue="celery", run_at=timezone.now() + timedelta(hours=1))]
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        settle.settle(hold, Done("1"))
        raise ZeroDivisionError
    assert (row(hold.job_id).state, Job.objects.count()) == ("running", 1)
    settle.settle(hold, Done("1"))
    assert (row(hold.job_id).state, Job.objects.count()) == ("completed", 3)
    assert inline.ids(inline.sent()) == [str(hold.follow_ups[0].id)]


def test_a_follow_up_like_a_live_job_leaves_that_one_alone(make_job, take):
    live = make_job(unique_key="k")
    hold = take(make_job())
    hold.follow_ups += [again(unique_key="k"), again()]
    settle.settle(hold, Done("1"))
    assert Job.objects.filter(unique_key="k").get().pk == live
    assert Job.objects.count() == 4


def test_a_settlement_whose_answer_was_lost_may_be_said_again(make_job, take):
    hold = take(make_job())
    hold.follow_ups.append(again())
    settle.settle(hold, Done("1"))
    assert settle.settle(hold, Done("1")) is State.COMPLETED
    assert Job.objects.count() == 2


@pytest.mark.postgresql
def test_a_lost_connection_does_not_lose_the_settlement(make_job, take, row):
    hold = take(make_job())
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    other.close()
    assert settle.settle(hold, Done("1")) is State.COMPLETED
    assert row(hold.job_id).state == "completed"


def test_a_crash_spends_no_attempt(make_job, take, row):
    hold = take(make_job(max_crashes=3))
    assert settle.crash(hold.job_id, hold.fence, "Worker w1 died") is State.PENDING
    job = row(hold.job_id)
    assert (job.crashes, job.attempt, job.dispatched, job.lease_until) == (1, 0, None, None)
    assert "Worker w1 died" in JobLog.objects.get().text
    assert settle.crash(hold.job_id, hold.fence, "again") is None


def test_a_poison_job_ends_with_its_reason(make_job, take, row):
    job_id = make_job(max_crashes=3)
    for expected in (State.PENDING, State.PENDING, State.FAILED):
        assert settle.crash(job_id, take(job_id).fence, "died") is expected
    job = row(job_id)
    assert job.error["message"] == "killed its worker 3 times"
    assert job.finished


def test_a_poison_job_shows_the_last_it_said(make_job, take, row):
    job_id = make_job(max_crashes=1)
    write_lines(job_id, [Line(timezone.now(), "info", f"line {n}", 0) for n in range(15)])
    settle.crash(job_id, take(job_id).fence, "Worker w1 died")
    said = row(job_id).error["traceback"]
    assert said.startswith("The last lines of its log:")
    assert [n for n in range(15) if f"line {n}\n" in said] == list(range(6, 15))
    assert said.endswith("Worker w1 died (crash 1); the job is failed.")


def test_a_job_asked_to_cancel_that_kills_its_last_worker_is_cancelled_without_an_error(make_job, take, row):
    hold = take(make_job(max_crashes=1))
    people.cancel(hold.job_id)
    assert settle.crash(hold.job_id, hold.fence, "died") is State.CANCELLED
    assert (row(hold.job_id).error, row(hold.job_id).failure) == (None, "")


@pytest.mark.parametrize(("stop", "state"), [("pause", "paused"), ("cancel", "cancelled"), ("handover", "pending")])
def test_a_crash_grants_what_was_asked(make_job, take, row, stop, state):
    hold = take(make_job())
    sql.execute("UPDATE faena_job SET stop = %s", [stop])
    assert settle.crash(hold.job_id, hold.fence, "died") == state
    job = row(hold.job_id)
    assert (job.stop, job.finished is not None) == ("", state == "cancelled")


def test_ending_for_another_process_needs_its_worker(make_job, take, row):
    hold = take(make_job(), worker="w1")
    assert not settle.end_unheld(hold.job_id, "w2", State.CANCELLED, ERROR)
    assert settle.end_unheld(hold.job_id, "w1", State.FAILED, ERROR)
    assert row(hold.job_id).state == "failed"
    with pytest.raises(LeaseLost):
        settle.settle(hold, Done("1"))


def test_the_end_of_a_limited_job_sends_the_next(make_job, take, row):
    limit = {"limit_key": "l", "limit": 1}
    first, second, third = (make_job(**limit) for _ in range(3))
    hold = take(first, limited=True)
    for each in (second, third):
        doorbell.forget_dispatch([each])
    settle.settle(hold, Done("1"))
    assert inline.ids(inline.sent()) == [str(second)]
    assert row(third).dispatched is None


@pytest.mark.parametrize("wish", ["cancel", "pause"])
@pytest.mark.parametrize("outcome", [HandedOver(), Paused(), "again"])
def test_a_wish_that_came_too_late_for_the_body_is_kept(make_job, take, row, wish, outcome):
    """Asked for between the body's last look and its settlement, or of a body that then asks for a retry."""
    job_id = make_job()
    hold = take(job_id)
    sql.execute("UPDATE faena_job SET stop = %s WHERE id = %s", [wish, sql.key(job_id)])
    if outcome == "again":
        outcome = Again(NewJob(id=job_id, kind="tests.nothing", queue="celery", attempt=1), Error("E", "no"))
    state = settle.settle(hold, outcome)
    job = row(job_id)
    assert state == job.state == {"cancel": State.CANCELLED, "pause": State.PAUSED}[wish]
    assert (job.dispatched, job.stop, job.finished is not None) == (None, "", wish == "cancel")
    assert inline.sent() == []


def test_the_next_step_of_a_chain_is_written_although_a_like_job_is_live(make_job, take, row):
    live = make_job(unique_key="one")
    hold = take(make_job())
    step = NewJob(id=uuid7(), kind="tests.nothing", queue="celery", unique_key="one")
    hold.follow_ups.append(step)
    settle.settle(hold, Done(None))
    assert (row(live).state, row(step.id).state) == ("pending", "pending")


def test_a_settlement_whose_commit_was_not_answered_counts_once(make_job, take, row, monkeypatch):
    headers = json.dumps({"headers": {endings.PARTS: 2}})
    chord = make_job(kind=endings.CHORD, run_at=enqueue.NOT_YET, message=headers)
    part = make_job(message='{"embed":{"callbacks":[]}}')
    hold = take(part)
    hold.chords.append(chord)
    commit, answers = connection._commit, []

    def commits_without_an_answer():
        commit()
        answers.append(1)
        if len(answers) == 1:
            raise OperationalError("the connection was lost")

    monkeypatch.setattr(connection, "_commit", commits_without_an_answer)
    assert settle.settle(hold, Failed(ERROR)) is State.FAILED
    assert len(answers) == 2
    assert (row(chord).done, row(chord).run_at) == (1, enqueue.NOT_YET)
    assert Job.objects.filter(kind=endings.FOLLOW_UP).count() == 1


def test_a_replaced_job_that_is_paused_meanwhile_still_gets_its_stand_in(make_job, take, row):
    job_id = make_job()
    settle.settle(take(job_id), settle.Replaced())
    people.pause(job_id)
    enqueue.insert([NewJob(id=job_id, kind="tests.last", queue="celery")])
    assert (row(job_id).state, row(job_id).kind, row(job_id).dispatched) == ("paused", "tests.last", None)
    people.resume(job_id)
    assert row(job_id).state == "pending"
    assert row(job_id).run_at <= timezone.now()
