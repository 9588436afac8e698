from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from faena import queries
from faena.models import AuditEntry, Job, Queue, Worker
from faena.states import State


@pytest.fixture
def listener(db):
    now = timezone.now()
    own = {"holder": "h", "host": "h", "pid": 1, "pool": "prefork", "slots": 2, "started": now, "seen": now}
    return Worker.objects.create(name="celery@h/1", queues=["celery"], **own)


def act(client, name: str, **values):
    return client.post(reverse(f"monitor:{name}"), values, follow=True)


def test_a_queue_says_what_waits_since_when_and_who_listens(looking, make, listener):
    make(run_at=timezone.now() - timedelta(minutes=3), priority=4)
    make(run_at=timezone.now() + timedelta(hours=1), priority=9)
    make(State.RUNNING)
    text = looking.get(reverse("monitor:queues")).content.decode()
    assert "celery@h/1" in text
    assert "3 min" in text
    found = queries.queues()[0]
    assert (found.waiting, found.running, found.workers) == (2, 1, 1)
    assert timedelta(minutes=3) <= timezone.now() - found.oldest < timedelta(minutes=4)


def test_queues_are_found_one_by_one_and_delayed_jobs_are_not_late(make):
    for name in ("a", "b", "c"):
        make(queue=name, run_at=timezone.now() + timedelta(hours=1))
    assert [(each.name, each.waiting, each.oldest) for each in queries.queues()] == [
        ("a", 1, None), ("b", 1, None), ("c", 1, None),
    ]  # fmt: skip


def test_an_operator_pauses_and_resumes(acting, make):
    make()
    assert "is paused" in act(acting, "pause-queue", queue="celery").content.decode()
    assert Queue.objects.get().paused_by == "oscar"
    assert "was paused already" in act(acting, "pause-queue", queue="celery").content.decode()
    assert "goes on" in act(acting, "resume-queue", queue="celery").content.decode()
    assert [each.action for each in AuditEntry.objects.all()] == ["resume queue", "pause queue"]


def test_a_purge_is_typed_and_is_a_background_job(acting, make):
    waiting = make()
    assert "Nothing was cancelled" in act(acting, "purge-queue", queue="celery", typed="celer").content.decode()
    assert not Job.objects.filter(kind="faena.act_on_jobs").exists()
    assert "A background job cancels" in act(acting, "purge-queue", queue="celery", typed="celery").content.decode()
    job = Job.objects.get(kind="faena.act_on_jobs")
    assert job.args[:2] == ["cancel", {"state": "pending", "queue": "celery"}]
    assert Job.objects.get(pk=waiting.pk).state == State.PENDING


def test_viewers_only_look(looking, make):
    make()
    assert b"Purge" not in looking.get(reverse("monitor:queues")).content
    for name in ("pause-queue", "resume-queue", "purge-queue"):
        assert looking.post(reverse(f"monitor:{name}"), {"queue": "celery", "typed": "celery"}).status_code == 403
    assert not Queue.objects.exists()


def test_an_action_without_a_queue_is_refused_kindly(acting):
    assert "No queue was named." in act(acting, "pause-queue").content.decode()
