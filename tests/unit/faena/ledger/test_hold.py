from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from uuid6 import uuid7

from faena.errors import AlreadyLive, LeaseLost, NotAllowed
from faena.ledger import enqueue, hold, settle, sql
from faena.ledger.enqueue import NewJob
from faena.ledger.hold import cancel, discard, fail, hand_over, pause, resume, retry, start
from faena.ledger.records import Actor, Item, write_items
from faena.ledger.settle import Done, Error, Failed
from faena.models import AuditEntry, JobItem
from faena.states import ItemState, State
from tests.support import inline

pytestmark = pytest.mark.usefixtures("ledger")

ANA = Actor("ana", "10.0.0.7")
FAILED = Failed(Error("ValueError", "no"))


def test_pausing_a_waiting_job_holds_it_back_and_resuming_sends_it(make_job, row):
    job_id = make_job()
    assert pause(job_id, ANA) is State.PAUSED
    assert row(job_id).dispatched is None
    inline.sent()
    assert resume(job_id, ANA) is State.PENDING
    assert inline.ids(inline.sent()) == [str(job_id)]


def test_every_act_is_one_audit_row(make_job):
    job_id = make_job()
    for act in (pause, resume, cancel, retry):
        act(job_id, ANA)
    with pytest.raises(NotAllowed):
        retry(job_id, ANA)
    entries = AuditEntry.objects.order_by("id")
    assert [each.action for each in entries] == ["pause", "resume", "cancel", "retry"]
    assert {(each.actor, each.address, each.job_id) for each in entries} == {("ana", "10.0.0.7", job_id)}


def test_a_running_job_is_asked(make_job, take, row):
    job_id = make_job()
    take(job_id)
    assert pause(job_id) is State.RUNNING
    assert row(job_id).stop == "pause"
    assert resume(job_id) is State.RUNNING
    assert row(job_id).stop == ""
    assert cancel(job_id) is State.RUNNING
    assert row(job_id).stop == "cancel"


@pytest.mark.parametrize(("act", "state"), [(pause, State.PAUSED), (cancel, State.CANCELLED)])
def test_a_job_that_is_given_back_at_that_very_moment_is_held_all_the_same(make_job, take, monkeypatch, act, state):
    job_id = make_job()
    held, request = take(job_id), hold._request

    def given_back_first(*args):
        settle.settle(held, settle.HandedOver())
        return request(*args)

    monkeypatch.setattr(hold, "_request", given_back_first)
    assert act(job_id) is state


@pytest.mark.parametrize("act", [pause, resume])
def test_a_request_to_cancel_is_not_taken_back_by_pause_or_resume(make_job, take, row, act):
    job_id = make_job()
    take(job_id)
    cancel(job_id)
    with pytest.raises(NotAllowed):
        act(job_id)
    assert row(job_id).stop == "cancel"


def test_resuming_does_not_call_off_a_handover(make_job, take, row):
    job_id = make_job()
    take(job_id)
    hand_over("w1")
    with pytest.raises(NotAllowed):
        resume(job_id)
    assert row(job_id).stop == "handover"


def test_a_pause_wins_over_a_handover(make_job, take, row):
    job_id = make_job()
    take(job_id)
    hand_over("w1")
    pause(job_id)
    assert row(job_id).stop == "pause"
    assert hand_over("w1") == 0


def test_a_delayed_job_that_was_paused_still_waits_for_its_time(make_job, row):
    tomorrow = timezone.now() + timedelta(days=1)
    job_id = make_job(run_at=tomorrow)
    pause(job_id)
    resume(job_id)
    job = row(job_id)
    assert abs(job.run_at - tomorrow) < timedelta(milliseconds=2)
    assert job.dispatched is None


def test_a_retry_is_fresh_and_goes_on_where_it_was(make_job, take, row):
    job_id = make_job()
    hold = take(job_id)
    hold.cursor, hold.done, hold.failed = {"loops": {"1": 7}}, 6, 1
    settle.settle(hold, FAILED)
    sql.execute("UPDATE faena_job SET attempt = 4, crashes = 3")
    assert retry(job_id) is State.PENDING
    job = row(job_id)
    assert (job.attempt, job.crashes, job.finished) == (0, 0, None)
    assert (job.cursor, job.done, job.failed) == ({"loops": {"1": 7}}, 6, 1)
    assert inline.ids(inline.sent()) == [str(job_id)]


def test_what_completed_with_errors_keeps_its_record(make_job, take, row):
    job_id = make_job()
    hold = take(job_id)
    hold.done, hold.failed = 6, 1
    write_items(job_id, [Item("a", ItemState.FAILED, "bad", None, timezone.now(), None)])
    assert settle.settle(hold, Done("7")) is State.COMPLETED_WITH_ERRORS
    with pytest.raises(NotAllowed):
        retry(job_id)
    job = row(job_id)
    assert (job.done, job.failed, job.result) == (6, 1, 7)
    assert JobItem.objects.count() == 1


def test_a_retry_keeps_the_error_among_the_earlier_ones(make_job, take, row):
    job_id = make_job()
    settle.settle(take(job_id), FAILED)
    retry(job_id)
    job = row(job_id)
    assert [each["message"] for each in job.errors] == ["no"]
    settle.settle(take(job_id), Done("1"))
    assert row(job_id).error is None


def test_a_discarded_job_is_cancelled_and_keeps_its_error(make_job, take, row):
    job_id = make_job()
    settle.settle(take(job_id), FAILED)
    assert discard(job_id, ANA) is State.CANCELLED
    job = row(job_id)
    assert (job.error["type"], job.error["message"]) == ("Cancelled", "Discarded after it failed.")
    assert ([each["message"] for each in job.errors], job.failure) == (["no"], "")
    assert [(each.actor, each.action, each.job_id) for each in AuditEntry.objects.all()] == [("ana", "discard", job_id)]
    with pytest.raises(NotAllowed, match="cancelled"):
        discard(job_id)
    assert retry(job_id) is State.PENDING


@pytest.mark.parametrize("state", ["pending", "running", "paused", "completed", "cancelled"])
def test_only_a_failed_job_can_be_discarded(make_job, take, row, state):
    job_id = make_job()
    {
        "pending": lambda: None,
        "running": lambda: take(job_id),
        "paused": lambda: pause(job_id),
        "completed": lambda: settle.settle(take(job_id), Done(None)),
        "cancelled": lambda: cancel(job_id),
    }[state]()
    with pytest.raises(NotAllowed, match=state):
        discard(job_id)
    assert row(job_id).state == state


def test_a_revoke_does_not_discard(make_job, take, row):
    job_id = make_job()
    settle.settle(take(job_id), FAILED)
    assert not settle.end_unheld(job_id, "w1", State.CANCELLED, Error("TaskRevokedError", "revoked"))
    assert row(job_id).state == "failed"


def test_retrying_beside_a_live_job_of_the_same_key_names_that(make_job, take, row):
    old = make_job(unique_key="k")
    settle.settle(take(old), FAILED)
    new = make_job(unique_key="k")
    with pytest.raises(AlreadyLive) as caught:
        retry(old)
    assert caught.value.job_id == new
    assert row(old).state == "failed"
    assert not AuditEntry.objects.exists()


def test_an_unknown_job_is_said_to_be_unknown():
    with pytest.raises(NotAllowed, match="unknown"):
        pause(uuid7())


@pytest.mark.parametrize("act", [pause, cancel, resume])
def test_what_is_over_is_over(make_job, take, act):
    job_id = make_job()
    settle.settle(take(job_id), Done(None))
    with pytest.raises(NotAllowed, match="completed"):
        act(job_id)


def test_a_cancelled_job_frees_its_unique_key(make_job):
    job_id = make_job(unique_key="k")
    cancel(job_id)
    assert enqueue.insert([NewJob(id=uuid7(), kind="k", queue="q", unique_key="k")]) == 1


def test_a_paused_job_is_started(make_job, row):
    job_id = make_job()
    pause(job_id)
    inline.sent()
    assert start(job_id, ANA) is State.PENDING
    assert inline.ids(inline.sent()) == [str(job_id)]
    assert AuditEntry.objects.filter(action="start", actor="ana", job_id=job_id).count() == 1


def test_a_delayed_job_is_started_before_its_time(make_job, row):
    job_id = make_job(run_at=timezone.now() + timedelta(hours=1))
    start(job_id)
    assert row(job_id).run_at <= sql.database_now()
    assert inline.ids(inline.sent()) == [str(job_id)]


@pytest.mark.parametrize("values", [{}, {"run_at": enqueue.NOT_YET}])
def test_a_job_that_is_due_or_waits_for_others_is_not_started(make_job, values):
    job_id = make_job(**values)
    with pytest.raises(NotAllowed):
        start(job_id)


@pytest.mark.parametrize("held", [True, False])
def test_a_stuck_job_is_declared_failed(make_job, take, row, held):
    job_id = make_job()
    hold = take(job_id) if held else None
    assert fail(job_id, ANA) is State.FAILED
    job = row(job_id)
    assert (job.error["type"], job.failure, job.lease_until) == ("DeclaredFailed", "DeclaredFailed", None)
    assert "ana" in job.error["message"]
    if hold:
        with pytest.raises(LeaseLost):
            settle.settle(hold, Done("1"))
    assert retry(job_id) is State.PENDING


def test_what_failed_before_stays_among_the_attempts_of_one_declared_failed(make_job, row):
    job_id = make_job()
    sql.execute("UPDATE faena_job SET error = %s WHERE id = %s", ['{"type": "ValueError"}', sql.key(job_id)])
    fail(job_id)
    assert [each["type"] for each in row(job_id).errors] == ["ValueError"]


def test_a_job_that_is_over_or_paused_is_not_declared_failed(make_job):
    job_id = make_job()
    pause(job_id)
    with pytest.raises(NotAllowed, match="paused"):
        fail(job_id)
    cancel(job_id)
    with pytest.raises(NotAllowed, match="cancelled"):
        fail(job_id)
