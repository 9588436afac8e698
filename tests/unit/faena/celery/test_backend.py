from __future__ import annotations

import uuid

import pytest
from celery import chord, group
from celery.exceptions import ChordError
from celery.result import AsyncResult
from celery.worker import state as worker_state

from faena.celery import holding
from faena.celery.backend import CELERY_STATE
from faena.ledger import hold as people
from faena.ledger import settle
from faena.ledger.settle import Done
from faena.models import Job
from faena_server import app
from tests.support import inline, jobs

pytestmark = pytest.mark.usefixtures("ledger")


def test_it_is_the_apps_backend():
    assert type(app.backend).__name__ == "LedgerBackend"


def test_an_unknown_id_is_pending():
    assert AsyncResult(str(uuid.uuid4()), app=app).state == "PENDING"


def test_a_life_as_celery_tells_it(take):
    sent = jobs.add.delay(1, 2)
    assert sent.state == "PENDING"
    people.pause(uuid.UUID(sent.id))
    assert sent.state == "PAUSED"
    people.resume(uuid.UUID(sent.id))
    hold = take(uuid.UUID(sent.id))
    assert sent.state == "STARTED"
    settle.settle(hold, Done("[1]"))
    assert (sent.state, sent.result, sent.successful()) == ("SUCCESS", [1], True)
    assert (sent.name, sent.args, sent.kwargs, sent.queue, sent.worker) == (jobs.add.name, [1, 2], {}, "celery", "w1")
    assert sent.date_done is not None


def test_every_state_has_a_name_in_celery():
    assert set(CELERY_STATE.values()) >= {"PENDING", "STARTED", "SUCCESS", "FAILURE", "REVOKED"}


def test_a_failure_is_that_exception_again():
    sent = jobs.boom.delay("bad")
    inline.drain()
    assert (sent.state, sent.failed()) == ("FAILURE", True)
    assert "raise ValueError" in sent.traceback
    with pytest.raises(ValueError, match="bad"):
        sent.get(timeout=1)


def test_a_retry():
    sent = jobs.slow_flaky.delay()
    inline.drain()
    assert (sent.state, sent.retries) == ("RETRY", 1)
    assert isinstance(sent.result, ValueError)


def test_what_a_body_reported_is_not_said_of_a_job_that_waits(take):
    sent = jobs.add.delay(1, 2)
    hold = take(uuid.UUID(sent.id))
    app.backend.store_result(sent.id, {"percent": 50}, "PROGRESS")
    assert AsyncResult(sent.id).state == "PROGRESS"
    settle.settle(hold, settle.Paused())
    assert AsyncResult(sent.id).state == "PAUSED"
    people.resume(uuid.UUID(sent.id))
    assert AsyncResult(sent.id).state == "PENDING"


def test_children():
    sent = jobs.add.apply_async((1, 2), link=jobs.add.s(3))
    inline.drain()
    [child] = sent.children
    assert child.get(timeout=1) == 6


def test_forget_drops_the_result_and_keeps_the_row(row):
    sent = jobs.add.delay(1, 2)
    inline.drain()
    sent.forget()
    assert row(sent.id).state == "completed"
    assert row(sent.id).result is None


def test_only_final_answers_are_cached():
    sent = jobs.add.delay(1, 2)
    assert sent.state == "PENDING"
    inline.drain()
    assert sent.state == "SUCCESS"


def test_results_that_json_cannot_say():
    sent = jobs.returns_nonsense.delay()
    inline.drain()
    with pytest.raises(Exception, match="plain values"):
        sent.get(timeout=1)


def test_a_task_that_ignores_its_result_may_return_anything(row):
    sent = jobs.quiet_nonsense.delay()
    inline.drain()
    assert (row(sent.id).state, row(sent.id).result) == ("completed", None)


@pytest.mark.parametrize("body", [jobs.tsum.s(), group(jobs.tsum.s(), jobs.echo.s())])
def test_a_chord_whose_header_fails_fails(body):
    chord([jobs.boom.s("bad luck"), jobs.add.s(1, 2)])(body)
    for _ in range(3):
        inline.drain()
        inline.make_due()
    job = Job.objects.get(kind=jobs.tsum.name)
    assert (job.state, job.fence) == ("failed", 0)
    with pytest.raises(ChordError, match="bad luck"):
        AsyncResult(str(job.pk), app=app).get(timeout=1)


def test_cancelling_the_wait_of_a_chord_ends_its_body_and_calls_the_errbacks(row):
    sent = chord([jobs.add.s(1, 1)])(jobs.tsum.s().on_error(jobs.failed_id.s()))
    people.cancel(Job.objects.get(kind="celery.chord_unlock").pk)
    inline.drain()
    assert (row(sent.id).state, row(sent.id).error["type"]) == ("failed", "ChordError")
    assert Job.objects.get(kind=jobs.failed_id.name).result == sent.id
    assert Job.objects.get(kind="faena.follow_up").state == "completed"


def test_a_part_of_a_chord_that_fails_by_its_result_is_counted_once():
    chord([jobs.returns_nonsense.s(), jobs.add.s(1, 2)])(jobs.tsum.s())
    [part] = [each for each in inline.sent() if each.headers["task"] == jobs.returns_nonsense.name]
    inline.perform(part)
    assert Job.objects.get(kind="celery.chord_unlock").done == 1


def test_revoking_a_waiting_job_is_remembered_without_any_worker(row):
    for sent in (jobs.add.delay(1, 2), jobs.add.apply_async((1, 2), countdown=3600)):
        sent.revoke()
        assert row(sent.id).state == "cancelled"
        assert sent.state == "REVOKED"


def test_workers_hear_of_a_revoke_only_what_no_row_remembers(monkeypatch, take):
    heard = []
    monkeypatch.setattr(app.control, "broadcast", lambda _, arguments, **__: heard.append(arguments["task_id"]))
    waiting, running = jobs.add.delay(1, 2).id, jobs.add.delay(3, 4).id
    take(uuid.UUID(running))
    app.control.revoke(waiting)
    people.retry(uuid.UUID(waiting))
    app.control.revoke([waiting, running], terminate=True)
    app.control.revoke("nobody's")
    assert heard == [[running], "nobody's"]
    assert app.control.revoke(jobs.add.delay(5, 6).id, reply=True) == []


def test_revoking_a_running_or_a_finished_one_writes_nothing(take, row):
    running, finished = jobs.add.delay(1, 2), jobs.add.delay(1, 2)
    take(uuid.UUID(running.id))
    settle.settle(take(uuid.UUID(finished.id)), Done("3"))
    app.control.revoke([running.id, finished.id])
    assert (row(running.id).state, row(finished.id).state) == ("running", "completed")


@pytest.mark.parametrize(
    ("reason", "state"), [("expired", "running"), ("revoked", "running"), ("terminated", "cancelled")]
)
def test_a_second_message_that_comes_too_late_ends_no_running_job(take, row, monkeypatch, reason, state):
    monkeypatch.setattr(holding, "_worker", "w1")
    sent = jobs.add.apply_async((1, 2), expires=60)
    take(uuid.UUID(sent.id), worker="w1")
    app.backend.mark_as_revoked(sent.id, reason)
    assert row(sent.id).state == state


def test_who_retries_an_expired_job_wants_it_to_run(row):
    sent = jobs.add.apply_async((1, 2), expires=0.001, link=jobs.echo.s())
    inline.sent()
    worker_state.revoked.add(sent.id)  # as Celery's worker does
    app.backend.mark_as_revoked(sent.id, "expired")
    assert row(sent.id).state == "cancelled"
    people.retry(uuid.UUID(sent.id))
    assert sent.id not in worker_state.revoked
    [message] = [each for each in inline.sent() if each.headers["id"] == sent.id]
    assert not message.headers.get("expires")
    inline.perform(message)
    inline.drain()
    assert Job.objects.get(kind=jobs.echo.name).result == 3
