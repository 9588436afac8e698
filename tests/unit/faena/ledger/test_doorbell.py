from __future__ import annotations

import pytest
from django.db import transaction

from faena.duties.relay import relay_once
from faena.ledger import doorbell
from tests.support import inline, jobs

pytestmark = pytest.mark.usefixtures("ledger")


def test_a_broker_that_is_down_is_no_error_for_the_caller(broker_down, row):
    sent = jobs.add.delay(1, 2)
    job = row(sent.id)
    assert (job.state, job.dispatched) == ("pending", None)
    broker_down()
    assert relay_once().sent == 1
    assert inline.ids(inline.sent()) == [sent.id]


def test_no_password_is_logged(make_job, monkeypatch, caplog):
    def refuse(job_ids):
        raise OSError("cannot connect to redis://:s3cr@t@host:6379/0.")

    monkeypatch.setattr(doorbell.broker, "publish", refuse)
    monkeypatch.setattr(doorbell, "_quiet_until", 0.0)
    assert not doorbell.ring([make_job()])
    assert "cannot connect to redis://host:6379/0" in caplog.text
    assert "s3cr" not in caplog.text


def test_inside_a_transaction_neither(broker_down, row):
    with transaction.atomic():
        sent = jobs.add.delay(1, 2)
    assert row(sent.id).dispatched is None


def test_after_a_refusal_callers_do_not_wait_for_the_broker(broker_down, row, monkeypatch):
    jobs.add.delay(1, 2)
    asked = []
    monkeypatch.setattr(doorbell.broker, "publish", asked.append)
    second = jobs.add.delay(3, 4)
    assert not doorbell.ring([second.id and row(second.id).pk])
    assert asked == []


def test_without_install_rows_wait_for_somebody_who_has_a_broker(make_job, row, monkeypatch):
    monkeypatch.setattr(doorbell, "broker", doorbell._Silent())
    job_id = make_job()
    assert not doorbell.ring([job_id])
    assert row(job_id).dispatched is None
    assert doorbell.broker.depth("celery") is None


def test_what_runs_already_is_not_unsent(make_job, take, row):
    job_id = make_job()
    take(job_id)
    assert doorbell.forget_dispatch([job_id]) == 0


def test_only_pending_rows_become_messages(make_job, take):
    waiting, running = make_job(), make_job()
    take(running)
    assert doorbell.ring([waiting, running])
    assert inline.ids(inline.sent()) == [str(waiting)]
