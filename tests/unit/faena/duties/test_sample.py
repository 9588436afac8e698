from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from faena.duties import sample
from faena.models import Job, Minute
from faena.states import State

pytestmark = pytest.mark.django_db


def ended(state: State, at, queue: str = "celery") -> None:
    Job.objects.create(kind="k", queue=queue, state=state, finished=at, started=at)


@pytest.fixture
def now():
    return timezone.now().replace(second=30, microsecond=0)


def counts(queue: str = ""):
    rows = Minute.objects.filter(queue=queue).order_by("minute")
    return [(each.completed, each.failed, each.cancelled) for each in rows]


def test_what_ended_is_counted_by_minute_and_queue(now):
    ended(State.COMPLETED, now)
    ended(State.COMPLETED_WITH_ERRORS, now, "slow")
    ended(State.FAILED, now - timedelta(minutes=2))
    ended(State.CANCELLED, now - timedelta(hours=30))
    Job.objects.create(kind="k", queue="celery")
    sample.sample_once(now)
    assert counts() == [(0, 1, 0), (2, 0, 0)]
    assert (counts("celery"), counts("slow")) == ([(0, 1, 0), (1, 0, 0)], [(1, 0, 0)])


def test_a_second_look_adds_what_came_since_and_counts_nothing_twice(now):
    ended(State.COMPLETED, now)
    for _ in range(2):
        sample.sample_once(now)
    ended(State.COMPLETED, now + timedelta(seconds=5))
    sample.sample_once(now + timedelta(seconds=6))
    assert counts() == [(2, 0, 0)]


def test_what_is_committed_a_little_late_is_counted(now):
    sample.sample_once(now + timedelta(seconds=25))
    sample.sample_once(now + timedelta(seconds=32))
    ended(State.COMPLETED, now + timedelta(seconds=29))
    sample.sample_once(now + timedelta(seconds=36))
    assert counts() == [(1, 0, 0), (0, 0, 0)]


def test_pruned_jobs_still_count_and_old_counts_go(now):
    ended(State.COMPLETED, now)
    sample.sample_once(now)
    Job.objects.all().delete()
    sample.sample_once(now + timedelta(minutes=3))
    assert counts()[0] == (1, 0, 0)
    assert sample.forget_once(now + sample.KEPT + timedelta(minutes=1)) == 2
    assert counts() == [(0, 0, 0)]
