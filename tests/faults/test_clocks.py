"""Wrong and jumping wall clocks: leases are read on the database's clock, and no live job is run again."""

from __future__ import annotations

import pytest

from tests.faults.test_kills import numbers
from tests.support import clock, jobs
from tests.support.breakable import Breakable
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(not clock.can_be_wrong(), reason="needs a C compiler to make a wrong clock")

HOURS = [1, -1]


@pytest.fixture
def wrong(breakable: Breakable):
    """The clock of the workers that are started from here on."""
    made = clock.WrongClock(breakable.folder)
    breakable.more_env = made.env
    yield made
    breakable.more_env = {}


@pytest.mark.parametrize("stack_of_module", ["postgresql+redis"], indirect=True)
@pytest.mark.parametrize("hours", HOURS)
def test_a_worker_whose_clock_is_wrong_neither_steals_nor_loses_a_job(breakable, wrong, hours):
    # SQLite takes its time from the process that asks it; for that see the jumping clock.
    wrong.jump(hours)
    breakable.worker("-Q", "astray", concurrency=1)
    breakable.more_env = {}
    breakable.worker("-Q", "right", concurrency=1)
    # Long enough for either to take the other's lease for expired, if it went by its own clock.
    sent = [jobs.unhurried.apply_async((100, 0.1), queue=queue) for queue in ("astray", "right")]
    breakable.until_each([each.id for each in sent], "completed")
    for each in sent:
        assert numbers(each.id) == list(range(100))
        assert (breakable.job(each.id).fence, breakable.job(each.id).crashes) == (1, 0)


@pytest.mark.parametrize("stack_of_module", ["sqlite+sqlite"], indirect=True)  # a server's clock is not ours to move
@pytest.mark.parametrize("hours", HOURS)
def test_when_the_clock_of_the_whole_machine_jumps_live_jobs_stay_whose_they_are(breakable, wrong, hours):
    wrong.jump(0)
    breakable.worker(concurrency=1)
    breakable.worker(concurrency=1)
    sent = [jobs.unhurried.delay(120, 0.1) for _ in range(2)]
    eventually(lambda: any(len(numbers(each.id)) > 10 for each in sent))
    wrong.jump(hours)
    breakable.until_each([each.id for each in sent], "completed")
    for each in sent:
        assert numbers(each.id) == list(range(120))
        assert (breakable.job(each.id).fence, breakable.job(each.id).crashes) == (1, 0)
