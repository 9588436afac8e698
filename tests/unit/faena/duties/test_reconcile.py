from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from faena.duties.reconcile import reconcile_once
from faena.ledger import doorbell, sql
from faena.ledger import hold as people
from faena.models import Job
from tests.support import inline, jobs

pytestmark = pytest.mark.usefixtures("ledger")


def long_ago() -> None:
    sql.execute(f"UPDATE faena_job SET dispatched = {sql.now(-timedelta(minutes=1))} WHERE dispatched IS NOT NULL")


def test_what_the_broker_lost_is_sent_again():
    ids = {jobs.add.delay(n, n).id for n in range(3)}
    inline.sent()  # lost
    long_ago()
    assert reconcile_once() == 3
    assert set(inline.ids(inline.sent())) == ids


def test_a_queue_that_the_broker_forgot_altogether_is_filled_again(make_job):
    job_id = make_job(queue="never-declared")
    long_ago()
    assert reconcile_once() == 1
    assert inline.ids(inline.sent("never-declared")) == [str(job_id)]


def test_only_as_many_as_are_missing():
    for n in range(5):
        jobs.add.delay(n, n)
    for _ in range(2):
        next(inline.messages())
    long_ago()
    assert reconcile_once() == 2
    assert reconcile_once() == 0
    assert len(inline.sent()) == 5


def test_a_message_just_sent_may_still_be_on_its_way():
    jobs.add.delay(1, 1)
    inline.sent()
    assert reconcile_once() == 0


def test_messages_that_are_there_are_left_alone():
    jobs.add.delay(1, 1)
    long_ago()
    assert reconcile_once() == 0


def test_delayed_unsent_and_running_jobs_are_not_expected_in_the_broker(make_job, take):
    jobs.add.apply_async((1, 1), countdown=60)
    doorbell.forget_dispatch([make_job()])
    take(make_job())
    long_ago()
    assert reconcile_once() == 0


def test_nothing_is_sent_while_the_broker_is_down(broker_down, make_job, row):
    make_job()
    long_ago()
    assert reconcile_once() == 0


def test_one_queue_in_trouble_does_not_keep_the_others_waiting(make_job, monkeypatch):
    make_job(queue="a"), make_job(queue="b")
    long_ago()
    depth = doorbell.broker.depth

    def refuse(queue: str) -> int | None:
        if queue == "a":
            raise OSError("no")
        return depth(queue)

    monkeypatch.setattr(doorbell.broker, "depth", refuse)
    assert reconcile_once() == 1
    assert len(inline.sent("b")) == 1


def send_time(seconds: int) -> None:
    """Let that time pass for the rows."""
    for job in Job.objects.all():
        passed = timedelta(seconds=seconds)
        Job.objects.filter(pk=job.pk).update(run_at=job.run_at - passed, dispatched=job.dispatched - passed)


def test_what_is_lost_in_a_queue_full_of_unrecorded_messages_is_sent_again():
    ids = {jobs.add.delay(n, n).id for n in range(3)}
    inline.sent()  # lost
    for n in range(10):
        jobs.plain.delay(n)
    send_time(30)
    assert reconcile_once() == 0  # they may be behind the others
    send_time(31)
    assert reconcile_once() == 3
    assert ids <= set(inline.ids(inline.sent()))


def test_it_waits_twice_as_long_each_time():
    jobs.add.delay(1, 1)
    for n in range(10):
        jobs.plain.delay(n)
    times = []
    for minute in range(32):
        send_time(60)
        if reconcile_once():
            times.append(minute)
    assert 5 <= len(times) <= 6
    assert times[-1] > 12


def test_a_long_queue_of_recorded_jobs_alone_is_left_alone():
    for n in range(5):
        jobs.add.delay(n, n)
    for _ in range(10):
        send_time(600)
        assert reconcile_once() == 0
    assert len(inline.sent()) == 5


@pytest.mark.parametrize(
    ("age", "waited_before", "again"),
    [(6, 0, 1), (6, 24, 1), (6, 70, 0), (20, 3600, 0), (31, 3600, 1)],
)
def test_what_workers_may_have_reserved_is_sent_again_ever_more_seldom(age, waited_before, again):
    jobs.add.delay(1, 1)
    inline.sent()  # taken by a worker without a limit, or lost
    sent, due = (sql.now(-timedelta(seconds=seconds)) for seconds in (age, age + waited_before))
    sql.execute(f"UPDATE faena_job SET dispatched = {sent}, run_at = {due}")
    assert reconcile_once() == again


@pytest.mark.postgresql
def test_it_does_not_wait_for_rows_that_somebody_acts_on(make_job):
    held, free = make_job(), make_job()
    inline.sent()  # lost
    long_ago()
    found: list[int] = []

    def look() -> None:
        found.append(reconcile_once())
        connection.close()

    with transaction.atomic():
        people.cancel(held)
        other = threading.Thread(target=look)
        other.start()
        other.join(timeout=60)
        assert found == [1]
    assert inline.ids(inline.sent()) == [str(free)]
