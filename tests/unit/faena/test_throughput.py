from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from faena import throughput
from faena.models import Minute

NOW = datetime(2026, 3, 1, 12, 30, 40, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.django_db


def count(minutes_ago: int, queue: str = "", completed: int = 0, failed: int = 0, cancelled: int = 0) -> None:
    at = NOW.replace(second=0) - minutes_ago * MINUTE
    Minute.objects.create(minute=at, queue=queue, completed=completed, failed=failed, cancelled=cancelled)


def test_steps_are_whole_and_without_gaps():
    count(0, completed=1)
    count(2, completed=3, failed=1)
    count(60, completed=99)
    found = throughput.steps(timedelta(minutes=4), MINUTE, NOW)
    assert [(each.at.minute, each.completed, each.failed) for each in found] == [
        (27, 0, 0),
        (28, 3, 1),
        (29, 0, 0),
        (30, 1, 0),
    ]
    wide = throughput.steps(timedelta(hours=1), timedelta(minutes=30), NOW)
    assert [(each.at.minute, each.ended) for each in wide] == [(0, 4), (30, 1)]


def test_rates_are_by_queue_and_of_all():
    count(1, completed=8, failed=2)
    count(1, "a", completed=8)
    count(1, "b", failed=2)
    found = throughput.rates(10, NOW)
    assert (found[""].ended, found[""].per_minute, found[""].failure_percent) == (10, 1.0, 20.0)
    assert (found["a"].failure_percent, found["b"].failure_percent) == (0.0, 100.0)


def test_each_queue_has_its_own_steps():
    count(0, "a", completed=1)
    count(3, "a", failed=2)
    count(3, completed=2)
    assert throughput.by_queue(timedelta(minutes=6), timedelta(minutes=3), NOW) == {"a": [2, 1]}
