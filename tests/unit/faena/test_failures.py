from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from faena import failures
from faena.celery.control import REVOKED
from faena.ledger import hold, settle, sql
from faena.ledger.settle import Cancelled, Done, Error, Failed
from faena.models import Job
from faena.states import State
from tests.support import inline, jobs

# --- what settlements write ----------------------------------------------------------------------


def test_a_body_that_raises_is_named(ledger, row):
    sent = jobs.boom.delay("no")
    inline.drain()
    assert row(sent.id).failure == "ValueError in tests/support/jobs.py:boom"


def test_crashes_time_limits_and_unknown_tasks_are_named(make_job, take, row):
    poison, slow, lost = make_job(max_crashes=1), make_job(), make_job()
    settle.crash(poison, take(poison).fence, "died")
    take(slow)
    settle.end_unheld(slow, "w1", State.FAILED, Error("TimeLimitExceeded", "(1,)"))
    settle.end_waiting(lost, State.FAILED, Error("NotRegistered", "shop.gone"))
    found = [row(each).failure for each in (poison, slow, lost)]
    assert found == ["WorkerCrashed", "TimeLimitExceeded", "NotRegistered"]


def test_only_failed_jobs_have_a_failure(make_job, take, row):
    revoked, retried, cancelled = make_job(), make_job(), make_job()
    settle.end_waiting(revoked, State.CANCELLED, REVOKED)
    settle.settle(take(retried), Failed(Error("E", "m")))
    assert row(retried).failure == "E"
    hold.retry(retried)
    assert row(retried).failure == ""
    settle.settle(take(retried), Done(None))
    settle.settle(take(cancelled), Cancelled("no"))
    assert {row(each).failure for each in (revoked, retried, cancelled)} == {""}


# --- the groups ------------------------------------------------------------------------------------


@pytest.fixture
def failed(make_job, take):
    def make(kind: str, error: str, message: str = "m", hours: float = 0):
        job_id = make_job(kind=kind)
        settle.settle(take(job_id), Failed(Error(error, message)))
        then = sql.now(-timedelta(hours=hours))
        sql.execute(f"UPDATE faena_job SET finished = {then} WHERE id = %s", [sql.key(job_id)])
        return job_id

    return make


def test_failed_jobs_are_grouped(failed, make_job, take):
    failed("shop.send", "ValueError", "first", hours=9)
    last = failed("shop.send", "ValueError", "last", hours=1)
    failed("shop.send", "ValueError", "middle", hours=5)
    failed("shop.send", "KeyError", hours=2)
    failed("shop.buy", "ValueError", hours=0.5)
    settle.settle(take(make_job(kind="shop.send")), Done(None))
    found = failures.groups()
    assert [(each.kind, each.failure, each.count) for each in found] == [
        ("shop.buy", "ValueError", 1),
        ("shop.send", "ValueError", 3),
        ("shop.send", "KeyError", 1),
    ]
    group = found[1]
    assert (group.example, group.message) == (last, "last")
    assert timedelta(hours=7.9) < group.last - group.first < timedelta(hours=8.1)
    assert timedelta(minutes=59) < timezone.now() - group.last < timedelta(minutes=70)


def test_counting_stops_at_a_ceiling(failed, monkeypatch):
    monkeypatch.setattr(failures, "CEILING", 2)
    for _ in range(5):
        failed("k", "E")
    assert failures.groups()[0].count == 3


def test_without_failed_jobs_there_is_no_group(ledger):
    assert failures.groups() == []


def test_the_jobs_of_a_group(failed):
    old, new = failed("k", "E", hours=2), failed("k", "E", hours=1)
    failed("k", "F")
    failed("other", "E")
    assert [job.pk for job in failures.jobs("k", "E")] == [new, old]
    assert [job.pk for job in failures.jobs("k", "E", size=1)] == [new]
    assert Job.objects.filter(state="failed").count() == 4
