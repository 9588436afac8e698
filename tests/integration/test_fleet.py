"""What people ask of running workers."""

from __future__ import annotations

import pytest

from faena.celery import fleet
from faena.errors import WorkerSilent
from faena.ledger.records import Actor
from faena.models import AlertRule, AuditEntry, Incident, Minute, Snapshot, Worker
from tests.support import jobs
from tests.support.stack import Stack
from tests.support.waiting import eventually

BY = Actor("olga")


@pytest.fixture
def name(stack: Stack) -> str:
    """The name of the row of a worker that runs."""
    worker = stack.a_worker()
    return eventually(
        lambda: next((each.name for each in Worker.objects.all() if each.pid == worker.process.pid), None),
        what="the worker has a row",
    )


def row(name: str) -> Worker:
    return Worker.objects.get(name=name)


def test_a_worker_says_what_it_uses(stack: Stack, name: str):
    eventually(lambda: (row(name).memory or 0) > 10 * 2**20, what="its memory is known")


def test_it_grows_and_shrinks(stack: Stack, name: str):
    before = row(name).slots
    fleet.ask("grow", name, BY)
    eventually(lambda: row(name).slots == before + 1, what="it has grown")
    fleet.ask("shrink", name, BY)
    eventually(lambda: row(name).slots == before, what="it has shrunk")
    assert AuditEntry.objects.filter(action="grow worker", actor="olga").exists()


def test_a_quiet_one_takes_no_jobs_until_it_listens(stack: Stack, name: str):
    others = [each for each in stack.workers if each.process.poll() is None]
    assert len(others) == 1
    fleet.ask("quiet", name, BY)
    eventually(lambda: row(name).queues == [], what="it is quiet")
    job = jobs.add.delay(1, 2)
    fleet.ask("listen", name, BY)
    assert stack.until(job.id, "completed").result == 3
    eventually(lambda: row(name).queues == ["celery"], what="it listens")


def test_a_restarted_one_works_on(stack: Stack, name: str):
    worker = stack.a_worker()
    fleet.ask("restart", name, BY)
    eventually(lambda: worker.log.read_text().count(" ready.") >= 2, what="it is ready again")
    assert worker.process.poll() is None
    assert stack.until(jobs.add.delay(2, 2).id, "completed").result == 4


def test_one_that_is_not_there_is_silent(stack: Stack, name: str, monkeypatch):
    monkeypatch.setattr(fleet, "PATIENCE", 0.5)
    with pytest.raises(WorkerSilent):
        fleet.ask("quiet", "nobody@nowhere/1", BY)


def test_the_keeper_samples_measures_and_alerts(stack: Stack, name: str):
    stack.until(jobs.add.delay(1, 1).id, "completed")
    eventually(lambda: Minute.objects.filter(queue="celery", completed__gt=0).exists(), what="it is sampled")
    eventually(lambda: Snapshot.objects.filter(name="books").exists(), what="the books are read")
    rule = AlertRule.objects.create(
        name="dead", condition="dead_letters", threshold=1, channel="slack", target="http://127.0.0.1:1/"
    )
    stack.until(jobs.boom.delay("x").id, "failed")
    incident = eventually(lambda: Incident.objects.filter(rule=rule).first(), what="an incident is opened")
    assert incident.found["value"] >= 1


def test_a_stopped_one_leaves_the_list(stack: Stack, name: str):
    worker = stack.a_worker()
    fleet.ask("stop", name, BY)
    worker.process.wait(timeout=60)
    assert not Worker.objects.filter(name=name).exists()
