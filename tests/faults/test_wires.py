"""The network between a worker and its servers is cut, or carries nothing for a while: work goes on by itself."""

from __future__ import annotations

import time

import pytest

from tests.faults.test_kills import halfway, numbers
from tests.support import jobs
from tests.support.breakable import Breakable
from tests.support.waiting import eventually

# SQLite has no network.
pytestmark = pytest.mark.parametrize("stack_of_module", ["postgresql+redis"], indirect=True)


@pytest.fixture
def wired(breakable: Breakable):
    yield breakable
    for wire in breakable.wires.values():
        wire.heal()


@pytest.mark.parametrize("fault", ["cut", "stall"])
def test_the_database_is_out_of_reach_for_a_while(wired, fault):
    wired.worker(concurrency=2)
    exact, plain = jobs.exact.delay(200, 5, 0.05), jobs.sleepy.delay(3)
    halfway(wired, exact.id)
    wired.until(plain.id, "running", "completed")
    getattr(wired.wires["database"], fault)()
    meanwhile = jobs.add.delay(1, 2)
    time.sleep(4)  # the fault itself: long enough for heartbeats and settlements to meet it
    wired.wires["database"].heal()
    wired.until_each([exact.id, plain.id, meanwhile.id], "completed")
    assert numbers(exact.id) == list(range(200))
    assert (wired.job(exact.id).attempt, wired.job(plain.id).fence) == (0, 1)


@pytest.mark.parametrize("fault", ["cut", "stall"])
def test_the_broker_is_out_of_reach_for_a_while(wired, fault):
    worker = wired.worker(concurrency=2)
    running = jobs.unhurried.delay(60, 0.1)
    halfway(wired, running.id)
    getattr(wired.wires["broker"], fault)()
    meanwhile = [jobs.add.delay(n, n) for n in range(3)]
    wired.until(running.id, "completed")  # it needs no broker
    wired.wires["broker"].heal()
    wired.until_each([each.id for each in meanwhile], "completed")
    assert (wired.job(running.id).fence, numbers(running.id)) == (1, list(range(60)))
    assert worker.process.poll() is None
    later = jobs.add.apply_async((1, 2), countdown=0.5)
    eventually(lambda: wired.job(later.id).state == "completed")
