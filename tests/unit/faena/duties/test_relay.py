from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from faena.duties.relay import relay_once
from faena.ledger import doorbell, limits, queues, settle, sql
from faena.models import Job
from tests.support import inline, jobs

pytestmark = pytest.mark.usefixtures("ledger")


@pytest.fixture
def unsent(make_job):
    """Make a job that was not sent."""

    def make(**values):
        job_id = make_job(**values)
        doorbell.forget_dispatch([job_id])
        return job_id

    return make


def test_what_is_due_is_sent_once(unsent, row):
    ids = [unsent() for _ in range(3)]
    assert relay_once().sent == 3
    assert inline.ids(inline.sent()) == [str(each) for each in ids]
    assert relay_once().sent == 0
    assert all(row(each).dispatched for each in ids)


def test_what_is_delayed_waits(make_job):
    job_id = make_job(run_at=timezone.now() + timedelta(hours=1))
    assert relay_once().sent == 0
    sql.execute(f"UPDATE faena_job SET run_at = {sql.now()}")
    assert relay_once().sent == 1
    assert inline.ids(inline.sent()) == [str(job_id)]


def test_a_delayed_message_is_not_delayed_again_by_the_worker():
    jobs.add.apply_async((1, 2), countdown=3600)
    inline.make_due()
    [message] = inline.sent()
    assert message.headers["eta"] is None
    assert message.headers["task"] == "tests.support.jobs.add"


def test_high_priorities_first_then_age(unsent):
    low, high, middle, later = unsent(), unsent(priority=9), unsent(priority=5), unsent(priority=5)
    relay_once()
    assert inline.ids(inline.sent()) == [str(each) for each in (high, middle, later, low)]


def test_no_more_than_a_batch(unsent):
    for _ in range(5):
        unsent()
    done = [relay_once(batch=2) for _ in range(4)]
    assert [(each.sent, each.more) for each in done] == [(2, True), (2, True), (1, False), (0, False)]
    assert len(inline.sent()) == 5


def test_of_limited_jobs_as_many_as_there_are_places(unsent, make_job, take):
    take(make_job(limit_key="a", limit=3), limited=True)
    for _ in range(10):
        unsent(limit_key="a", limit=3)
    for _ in range(10):
        unsent(limit_key="b", limit=1)
    unsent()
    assert relay_once().sent == 2 + 1 + 1
    assert relay_once().sent == 0
    assert Job.objects.filter(state="pending", dispatched__isnull=False).count() == 4


def test_a_limit_shared_by_queues_starves_none_of_them(make_job, unsent, row):
    make_job(queue="nobody-listens", limit_key="k", limit=1)
    waiting = unsent(limit_key="k", limit=1)
    assert relay_once().sent == 1
    assert row(waiting).dispatched


def test_jobs_of_a_paused_queue_take_no_place(unsent, row):
    paused, open_one = unsent(queue="paused", limit_key="k", limit=1), unsent(limit_key="k", limit=1)
    queues.pause("paused")
    assert relay_once().sent == 1
    assert row(open_one).dispatched
    assert row(paused).dispatched is None


def test_a_kind_without_permits_does_not_hold_up_another_of_its_key(unsent, row):
    limits.acquire("k", "1/d")
    seldom = unsent(kind="tests.seldom", limit_key="k", rate="1/86400s")
    often = unsent(kind="tests.often", limit_key="k", rate="10/1s")
    assert relay_once().sent == 1
    assert row(often).dispatched
    assert row(seldom).dispatched is None


def test_a_crashed_job_keeps_its_turn(unsent, take, row):
    first, second = unsent(limit_key="k", limit=1), unsent(limit_key="k", limit=1)
    settle.crash(first, take(first, limited=True).fence, "died")
    assert relay_once().sent == 1
    assert row(first).dispatched
    assert row(second).dispatched is None


@pytest.mark.skipif(sql.is_postgresql(), reason="PostgreSQL plans by the number of rows, and here are few")
def test_no_statement_reads_all_that_waits(unsent, take, monkeypatch):
    hold = take(unsent(limit_key="k", limit=1), limited=True)
    hold.told = True
    unsent(limit_key="k", limit=1)
    unsent()
    plans, rows = [], sql.rows

    def explained(statement, parameters=()):
        plans.extend(str(line[-1]) for line in rows("EXPLAIN QUERY PLAN " + statement, parameters))
        return rows(statement, parameters)

    monkeypatch.setattr(sql, "rows", explained)
    settle.settle(hold, settle.Done(None))
    relay_once()
    plan = "\n".join(plans)
    assert all(index in plan for index in ("faena_job_unsent", "faena_job_due"))
    assert "faena_job_by_state" not in plan
    assert "SCAN following" not in plan


def test_paused_and_finished_jobs_are_not_sent(unsent):
    for state in ("paused", "completed"):
        job_id = unsent()
        sql.execute(f"UPDATE faena_job SET state = %s, finished = {sql.now()} WHERE id = %s", [state, sql.key(job_id)])
    assert relay_once().sent == 0


def test_while_the_broker_is_down_they_stay_unsent(unsent, broker_down, row):
    job_id = unsent()
    assert relay_once().sent == 0
    assert row(job_id).dispatched is None
    broker_down()
    assert relay_once().sent == 1


def test_one_message_that_cannot_be_made_does_not_hold_up_the_others(unsent):
    bad = unsent(priority=9, message='{"delivery": {"serializer": "unheard-of"}}')
    good = unsent()
    relay_once()
    assert inline.ids(inline.sent()) == [str(good)]
    assert Job.objects.get(pk=bad).state == "failed"
    assert "unheard-of" in Job.objects.get(pk=bad).error["message"]
