from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from faena.celery import fleet
from faena.models import AuditEntry, Worker
from faena.states import State


@pytest.fixture
def worker(db):
    def make(name: str = "celery@h/1", seen: timedelta = timedelta(), **values) -> Worker:
        now = timezone.now()
        own = {"holder": "h", "host": "box-7", "pid": 1, "pool": "prefork", "slots": 2, "queues": ["celery"]}
        own |= {"started": now - timedelta(hours=2), "seen": now - seen, "cpu": 63.4, "memory": 400 * 2**20}
        return Worker.objects.create(name=name, **(own | values))

    return make


def shown(client) -> str:
    return client.get(reverse("monitor:workers")).content.decode()


def test_a_worker_says_what_it_is_and_what_it_runs(looking, worker, make):
    worker()
    make(State.RUNNING, title="Import", worker="celery@h/1", total=10, done=5)
    text = shown(looking)
    for said in ("box-7", "prefork", "63 %", "400.0", "1 / 2", "Import", "at work"):
        assert said in text
    assert "Restart" not in text


def test_one_that_is_not_heard_of_fades(acting, worker):
    worker(seen=timedelta(hours=1))
    text = shown(acting)
    assert 'data-standing="gone"' in text
    assert "silent for 1 h" in text
    assert "Restart" not in text


def test_one_that_listens_to_nothing_is_quiet(acting, worker):
    worker(queues=[])
    assert "Take jobs" in shown(acting)


def test_without_workers_it_says_how_to_start_one(looking, db):
    assert "faena up" in shown(looking)


@pytest.mark.parametrize("action", list(fleet.COMMANDS))
def test_viewers_may_ask_for_nothing(looking, worker, action):
    worker()
    assert looking.post(reverse("monitor:ask-worker", args=[action]), {"worker": "celery@h/1"}).status_code == 403


def test_a_worker_that_does_not_answer_is_said_kindly(acting, worker, monkeypatch):
    monkeypatch.setattr(fleet, "PATIENCE", 0.1)
    worker()
    answer = acting.post(reverse("monitor:ask-worker", args=["quiet"]), {"worker": "celery@h/1"}, follow=True)
    assert "does not answer" in answer.content.decode()
    assert not AuditEntry.objects.exists()
