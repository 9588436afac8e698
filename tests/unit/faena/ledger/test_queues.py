from __future__ import annotations

import pytest

from faena.duties.reconcile import reconcile_once
from faena.duties.relay import relay_once
from faena.ledger import queues
from faena.ledger.claim import claim
from faena.ledger.records import Actor
from faena.ledger.settle import Done, settle
from faena.models import AuditEntry, Queue
from tests.support import inline, jobs
from tests.unit.faena.ledger.test_claim import ME

pytestmark = pytest.mark.usefixtures("ledger")
ANA = Actor("ana", "10.0.0.1")


def test_a_paused_queue_starts_no_job_and_forgets_its_messages(row):
    done = jobs.add.delay(1, 2)
    queues.pause("celery", ANA)
    assert inline.drain() == 1
    assert (row(done.id).state, row(done.id).dispatched) == ("pending", None)
    assert relay_once().sent == 0
    assert reconcile_once() == 0
    queues.resume("celery", ANA)
    assert inline.drain() == 1  # sent at once
    assert row(done.id).state == "completed"


def test_a_limited_job_waits_with_its_queue(row):
    jobs.one_per_shop.delay("a", 0)
    queues.pause("celery")
    assert inline.drain() == 1
    assert relay_once().sent == 0
    queues.resume("celery")
    assert inline.drain() == 1


def test_other_queues_go_on_and_what_runs_too(make_job, take):
    running = make_job()
    hold = take(running)
    queues.pause("celery")
    assert settle(hold, Done(None)) == "completed"
    take(make_job(queue="other"))
    assert claim(make_job(), 0, **ME) is None


def test_pausing_twice_is_once_and_every_act_is_in_the_audit():
    assert queues.pause("celery", ANA)
    since = Queue.objects.get(name="celery").paused
    assert not queues.pause("celery", Actor("ben"))
    standing = Queue.objects.get(name="celery")
    assert (standing.paused, standing.paused_by) == (since, "ana")
    assert queues.resume("celery", ANA)
    assert not queues.resume("celery", ANA)
    assert queues.pause("celery", Actor("ben"))
    assert Queue.objects.get(name="celery").paused_by == "ben"
    acts = list(AuditEntry.objects.order_by("id").values_list("actor", "action", "details"))
    assert acts == [
        ("ana", "pause queue", {"queue": "celery"}),
        ("ana", "resume queue", {"queue": "celery"}),
        ("ben", "pause queue", {"queue": "celery"}),
    ]
