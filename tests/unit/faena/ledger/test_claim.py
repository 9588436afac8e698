from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from uuid6 import uuid7

from faena import conf
from faena.ledger import claim as claiming
from faena.ledger import enqueue, settle, sql
from faena.ledger.claim import claim, extend
from faena.ledger.enqueue import NewJob
from faena.ledger.settle import Done, HandedOver
from faena.models import Job

pytestmark = pytest.mark.usefixtures("ledger")

ME = {"worker": "w1", "holder": "here|1|1"}


def test_a_claim_raises_the_fence_and_takes_a_lease(make_job, row):
    job_id = make_job()
    hold = claim(job_id, 0, **ME)
    job = row(job_id)
    assert (hold.fence, job.fence, job.state, job.worker, job.holder) == (1, 1, "running", "w1", "here|1|1")
    assert timedelta(seconds=9) < job.lease_until - timezone.now() < conf.get().LEASE + timedelta(seconds=1)
    assert job.started


def test_a_second_claim_gets_nothing(make_job):
    job_id = make_job()
    assert claim(job_id, 0, **ME)
    assert claim(job_id, 0, **ME) is None


def test_a_message_of_another_attempt_takes_nothing(make_job, row):
    job_id = make_job(attempt=1)
    assert claim(job_id, 0, **ME) is None
    assert claim(job_id, 1, **ME).attempt == 1


def test_what_is_not_due_is_not_taken(make_job):
    assert claim(make_job(run_at=timezone.now() + timedelta(minutes=1)), 0, **ME) is None
    assert claim(make_job(run_at=timezone.now() - timedelta(seconds=1)), 0, **ME)


def test_a_clock_that_is_put_back_does_not_hold_up_what_was_due_before(make_job):
    job_id = make_job()
    sql.execute(f"UPDATE faena_job SET run_at = {sql.now(timedelta(hours=1))} WHERE id = %s", [sql.key(job_id)])
    assert claim(job_id, 0, **ME)


@pytest.mark.postgresql
def test_a_claim_reads_one_row_of_a_long_queue_that_was_never_analyzed(make_job):
    waiting = [NewJob(id=uuid7(), kind="a", queue="q") for _ in range(3000)]
    enqueue.insert(waiting)
    read = "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'faena_job'"
    before = sql.rows(read)[0][0]
    hold = claim(waiting[2000].id, 0, **ME)
    settle.settle(hold, Done(None))
    assert sql.rows(read)[0][0] - before < 20


@pytest.mark.postgresql
def test_what_every_job_runs_is_planned_once_per_connection(make_job, take):
    for _ in range(3):
        settle.settle(take(make_job()), Done(None))
    kept = sql.rows("SELECT left(statement, 11) FROM pg_prepared_statements")
    assert {text for (text,) in kept} == {"INSERT INTO", "UPDATE faen"}


def test_what_nobody_knows_is_not_taken():
    assert claim(uuid7(), 0, **ME) is None


def test_the_next_claim_finds_what_the_last_left(make_job, take):
    job_id = make_job()
    hold = take(job_id)
    hold.cursor, hold.done, hold.failed, hold.skipped, hold.total = {"own": {"a": 1}}, 1, 2, 3, 9
    settle.settle(hold, HandedOver())
    found = take(job_id)
    assert (found.cursor, found.done, found.failed, found.skipped, found.total) == ({"own": {"a": 1}}, 1, 2, 3, 9)
    assert found.fence == hold.fence + 1


def in_threads(count: int, act) -> list:
    """Run `act` in threads that begin together; what they returned."""
    barrier, results = threading.Barrier(count), []

    def run(number: int) -> None:
        barrier.wait()
        try:
            results.append(act(number))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(results) == count
    return results


def test_of_many_claims_at_once_one_wins(make_job):
    for _ in range(5):
        job_id = make_job()
        won = in_threads(8, lambda n, job_id=job_id: claim(job_id, 0, worker=f"w{n}", holder=f"h|{n}|1"))
        assert len([each for each in won if each]) == 1


@pytest.mark.parametrize("limit", [1, 3])
def test_a_limit_holds_under_contention(make_job, limit):
    for _ in range(5):
        Job.objects.all().delete()
        ids = [make_job(limit_key="shop", limit=limit) for _ in range(8)]
        won = in_threads(8, lambda n, ids=ids: claim(ids[n], 0, worker=f"w{n}", holder=f"h|{n}|1", limited=True))
        assert len([each for each in won if each]) == limit
        assert Job.objects.filter(state="running").count() == limit
        # Whoever found no place waits for the relay.
        assert Job.objects.filter(state="pending", dispatched=None).count() == 8 - limit


def test_limits_of_different_keys_do_not_meet(make_job, take):
    take(make_job(limit_key="a", limit=1), limited=True)
    take(make_job(limit_key="b", limit=1), limited=True)


def test_a_place_is_free_again_after_the_end(make_job, take):
    first, second = (make_job(limit_key="a", limit=1) for _ in range(2))
    hold = take(first, limited=True)
    assert claim(second, 0, **ME, limited=True) is None
    settle.settle(hold, Done(None))
    take(second, limited=True)


def test_a_heartbeat_extends_its_own_leases_only(make_job, take, row):
    mine, other, ended = make_job(), make_job(), make_job()
    take(mine), take(other, worker="w2")
    settle.settle(take(ended), Done(None))
    sql.execute(f"UPDATE faena_job SET lease_until = {sql.now()} WHERE lease_until IS NOT NULL")
    assert extend([mine, other, ended], "w1") == []
    assert row(mine).lease_until > timezone.now() + timedelta(seconds=5)
    assert row(other).lease_until < timezone.now() + timedelta(seconds=5)
    assert row(ended).lease_until is None
    assert extend([], "w1") == []


def test_a_heartbeat_hears_who_was_asked_to_stop(make_job, take):
    job_id = make_job()
    take(job_id)
    sql.execute("UPDATE faena_job SET stop = 'cancel'")
    [(found, stop, _)] = extend([job_id], "w1")
    assert (found, stop) == (job_id, "cancel")


def test_exists(make_job):
    assert claiming.exists(make_job())
    assert not claiming.exists(uuid7())
