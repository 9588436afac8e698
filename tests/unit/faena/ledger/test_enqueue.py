from __future__ import annotations

import json
import threading
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone
from kombu.exceptions import EncodeError
from uuid6 import uuid7

from faena import enqueue_many
from faena.errors import AlreadyLive
from faena.ledger import enqueue
from faena.ledger.enqueue import NewJob
from faena.models import Job
from tests.support import inline, jobs
from tests.unit.faena.ledger.test_claim import in_threads

pytestmark = pytest.mark.usefixtures("ledger")


def test_the_row_and_the_message_come_together(row):
    sent = jobs.add.delay(1, 2)
    job = row(sent.id)
    assert (job.kind, job.args, job.state, job.queue) == ("tests.support.jobs.add", [1, 2], "pending", "celery")
    assert job.dispatched is not None
    assert inline.ids(inline.sent()) == [sent.id]


def test_a_rollback_leaves_no_row_and_no_message():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        jobs.add.delay(1, 2)
        raise ZeroDivisionError
    assert not Job.objects.exists()
    assert inline.sent() == []


def test_nothing_is_published_before_the_commit_and_once_after_it():
    with transaction.atomic():
        sent = jobs.add.delay(1, 2)
        assert Job.objects.filter(pk=sent.id).exists()
        assert inline.sent() == []
    assert inline.ids(inline.sent()) == [sent.id]


def test_delay_on_commit_returns_the_id(row):
    with transaction.atomic():
        sent = jobs.add.delay_on_commit(1, 2)
    assert row(sent.id).args == [1, 2]
    assert inline.ids(inline.sent()) == [sent.id]


def test_ids_sort_by_age():
    first, second = jobs.add.delay(1, 1), jobs.add.delay(1, 1)
    assert UUID(first.id) < UUID(second.id)


def test_a_countdown_is_a_row_and_no_message(row):
    sent = jobs.add.apply_async((1, 2), countdown=60)
    job = row(sent.id)
    assert job.dispatched is None
    assert 55 < (job.run_at - job.created).total_seconds() < 61
    assert inline.sent() == []


def test_a_unique_job_that_is_live_is_returned_instead():
    first, second = jobs.only_one.delay("a"), jobs.only_one.delay("a")
    assert first.id == second.id
    assert Job.objects.count() == 1
    assert jobs.only_one.delay("b").id != first.id


def test_a_unique_key_is_free_again_once_its_job_is_over():
    first = jobs.only_one.delay("a")
    inline.drain()
    assert jobs.only_one.delay("a").id != first.id


def test_long_unique_keys_that_differ_at_their_end_are_different():
    long = "x" * 300
    assert jobs.only_one.delay(long + "1").id != jobs.only_one.delay(long + "2").id
    assert Job.objects.count() == 2


def test_of_a_race_for_a_unique_key_one_wins_and_all_get_its_id():
    ids, barrier = [], threading.Barrier(6)

    def enqueue_it() -> None:
        barrier.wait()
        ids.append(jobs.only_one.delay("raced").id)
        connection.close()

    threads = [threading.Thread(target=enqueue_it) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(ids) == 6
    assert {str(job.pk) for job in Job.objects.all()} == set(ids)


def test_already_live_names_the_live_one(make_job):
    live = make_job(unique_key="k")
    with pytest.raises(AlreadyLive) as caught:
        enqueue.insert([NewJob(id=uuid7(), kind="k", queue="q", unique_key="k")])
    assert caught.value.job_id == live


def test_a_row_of_the_same_id_stays_as_it_is(make_job, row):
    job_id = make_job(title="first")
    assert enqueue.insert([NewJob(id=job_id, kind="k", queue="q", title="second")]) == 0
    assert row(job_id).title == "first"


def test_many_jobs_in_one_go():
    ids = enqueue_many(jobs.add, [(n, n) for n in range(1201)])
    assert Job.objects.count() == len(set(ids)) == 1201
    assert inline.ids(inline.sent()) == [str(each) for each in ids]
    assert [job.args[0] for job in Job.objects.order_by("id")[:3]] == [0, 1, 2]


def test_many_jobs_are_all_or_none():
    with pytest.raises(EncodeError):
        enqueue_many(jobs.add, [*((n, n) for n in range(600)), (object(), 1)])
    assert not Job.objects.exists()


def test_many_unique_jobs_in_any_order_make_no_deadlock():
    names = [{"name": str(n)} for n in range(300)]
    first, second = in_threads(2, lambda n: enqueue_many(jobs.only_one, names[::-1] if n else names))
    assert sorted(first) == sorted(second)
    assert Job.objects.count() == 300


def test_many_unique_jobs_give_the_ids_of_those_that_are_live():
    live = UUID(jobs.only_one.delay("a").id)
    ids = enqueue_many(jobs.only_one, [{"name": "a"}, {"name": "b"}, {"name": "b"}])
    assert ids[0] == live
    assert ids[1] == ids[2]
    assert Job.objects.count() == 2
    assert sorted(set(inline.ids(inline.sent()))) == sorted(str(each) for each in {live, ids[1]})


def test_arguments_that_are_no_json_are_an_error_for_the_caller():
    with pytest.raises(EncodeError, match="object"):
        jobs.add.delay(object(), 1)
    assert not Job.objects.exists()


def test_huge_and_odd_arguments_survive(row):
    odd = {"nul": "\x00", "emoji": "🐎", "big": "x" * 2_000_000, "n": 2**70, "half": "\ud800"}
    sent = jobs.echo.delay(odd)
    assert row(sent.id).args == [odd]
    inline.drain()
    assert row(sent.id).state == "completed"
    assert sent.get(timeout=1) == odd


def test_a_title_takes_any_text(row):
    assert "bad" in row(jobs.titled.delay("bad\x00\ud800" + "y" * 400).id).title


def test_many_rows_of_all_sorts_are_each_as_they_were_asked_for(row):
    later = timezone.now() + timedelta(hours=1)
    wanted = [
        NewJob(
            id=uuid7(), kind="a", queue="q", args="[1]", title="ñ", priority=3, root_id=uuid7(), limit_key="k", limit=2
        ),
        NewJob(id=uuid7(), kind="b", queue="q", run_at=later),
        NewJob(id=uuid7(), kind="b", queue="q", args="[2]"),
        NewJob(id=uuid7(), kind="b", queue="r", run_at=later + timedelta(hours=1)),
    ]
    assert enqueue.insert(wanted) == 4
    assert enqueue.insert(wanted) == 0
    for job in wanted:
        found = row(job.id)
        named = ("kind", "queue", "title", "priority", "root_id", "limit_key", "limit", "max_crashes", "unique_key")
        assert [getattr(found, name) for name in named] == [getattr(job, name) for name in named]
        assert (found.args, found.state) == (json.loads(job.args), "pending")
        assert (found.dispatched is not None) is job.is_due
        assert abs(found.run_at - (job.run_at or timezone.now())) < timedelta(minutes=1)
