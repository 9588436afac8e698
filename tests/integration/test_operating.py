"""What people do to a running installation: who works, pauses, limits, cancels that are not heeded."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from itertools import pairwise

import pytest

from faena import queries
from faena.ledger import hold, queues
from faena.models import Job, Permit, Worker
from faena_server import app
from tests.support import crowd_jobs, jobs
from tests.support.stack import Stack
from tests.support.waiting import eventually


@pytest.fixture
def alone(stack):
    """No worker runs yet, and none is left."""
    stack.kill_workers()
    Worker.objects.all().delete()
    Job.objects.all().delete()
    yield stack
    stack.kill_workers()


@pytest.fixture
def short_grace(monkeypatch):
    given = Stack.env.fget
    more = {"DJANGO_SETTINGS_MODULE": "tests.support.impatient_settings"}
    monkeypatch.setattr(Stack, "env", property(lambda stack: given(stack) | more))


def listening() -> dict[str, list[str]]:
    return {each.name: each.queues for each in queries.workers()}


def test_workers_are_listed_with_the_queues_they_listen_to_now(alone):
    worker = alone.worker("-Q", "celery,reports")
    [row] = eventually(queries.workers)
    assert row.name == f"{worker.name}@tests/{worker.process.pid}"
    assert (row.pid, row.pool, row.slots, row.queues) == (worker.process.pid, "prefork", 2, ["celery", "reports"])
    app.control.add_consumer("mail")
    eventually(lambda: listening() == {row.name: ["celery", "mail", "reports"]})
    app.control.cancel_consumer("celery")
    eventually(lambda: listening() == {row.name: ["mail", "reports"]})
    worker.stop()
    assert not queries.workers()


def test_a_body_that_never_looks_is_ended_by_cancel_where_it_has_a_process(alone, short_grace):
    alone.worker(concurrency=1, ready=False)
    alone.worker("-Q", "threads", pool="threads", ready=False)
    in_process = jobs.sleepy.delay(600)
    hold.cancel(alone.until(in_process.id, "running").pk)
    in_thread = jobs.sleepy.apply_async((5,), queue="threads")
    hold.cancel(alone.until(in_thread.id, "running").pk)
    ended = alone.until(in_process.id, "cancelled")
    assert "did not stop by itself in time" in ended.error["message"]
    following = jobs.add.delay(1, 2)  # its process is replaced
    alone.until(following.id, "completed")
    assert alone.job(in_process.id).state == "cancelled"
    assert alone.until(in_thread.id, "completed", "cancelled").state == "completed"


@pytest.mark.parametrize("ask", ["pause", "cancel"])
def test_a_body_that_looks_stops_at_its_next_rows(stack, ask):
    stack.a_worker()
    counting = jobs.count.delay(1000, 0.3)
    eventually(lambda: stack.job(counting.id).done >= 1)
    {"pause": hold.pause, "cancel": hold.cancel}[ask](stack.job(counting.id).pk)
    done = stack.job(counting.id).done
    stopped = stack.until(counting.id, "paused", "cancelled")
    # It looks at least every second row of such rows; some were done since it last said where it is.
    assert stopped.done <= done + 12


# --- eight workers that start at once on a filled queue ------------------------------------------


def most_at_once(found: list[Job]) -> int:
    """How many of these ran at the same time, at most."""
    moments = [(each.started, 1) for each in found] + [(each.finished, -1) for each in found]
    running = most = 0
    for _, change in sorted(moments):
        running += change
        most = max(most, running)
    return most


def of(task) -> list[Job]:
    return list(Job.objects.filter(kind=task.name).order_by("started"))


def test_eight_workers_started_at_once_keep_every_promise(alone):
    Permit.objects.all().delete()
    queues.pause("held")
    for number in range(12):
        crowd_jobs.two_at_once.delay(0.05)
        crowd_jobs.one_per_shop.apply_async((f"shop {number % 3}", 0.02), priority=9 if number >= 9 else 0)
        crowd_jobs.five_in_two_seconds.delay()
        crowd_jobs.asks_for_one.delay(f"name {number % 2}")
        crowd_jobs.logs_in.delay()
        crowd_jobs.unlimited.apply_async(priority=9 if number % 2 else 0)
    held = [crowd_jobs.unlimited.apply_async(queue="held").id for _ in range(8)]
    crowd = [
        alone.worker("-Q", "celery,held", "-I", "tests.support.crowd_jobs", pool="solo", concurrency=1, ready=False)
        for _ in range(8)
    ]
    eventually(lambda: all(each.is_ready for each in crowd), 120, "eight workers are ready")
    free = Job.objects.exclude(queue="held")
    eventually(lambda: not free.exclude(state="completed").exists(), 120, "all that may run is completed")

    assert most_at_once(of(crowd_jobs.two_at_once)) <= 2
    shops = defaultdict(list)
    for each in of(crowd_jobs.one_per_shop):
        shops[each.limit_key].append(each)
    for found in shops.values():
        assert most_at_once(found) == 1
        assert found == sorted(found, key=lambda each: (-each.priority, each.created, each.pk))
    rated = of(crowd_jobs.five_in_two_seconds)
    for first, sixth in zip(rated, rated[5:], strict=False):
        assert sixth.started - first.started >= timedelta(seconds=2)
    for name in ("name 0", "name 1"):
        ones = [each for each in of(crowd_jobs.only_one) if each.args == [name]]
        assert all(before.finished <= after.created for before, after in pairwise(ones))
    assert sum(each.result for each in of(crowd_jobs.logs_in)) == 3
    workers = defaultdict(list)
    for each in of(crowd_jobs.unlimited):
        workers[each.worker].append(each.priority)
    assert all(found == sorted(found, reverse=True) for found in workers.values())

    waiting = Job.objects.filter(pk__in=held)
    eventually(lambda: not waiting.exclude(dispatched=None).exists(), 60, "no message of the paused queue is left")
    assert set(waiting.values_list("state", "fence")) == {("pending", 0)}
    queues.resume("held")
    alone.until_each(held, "completed")
