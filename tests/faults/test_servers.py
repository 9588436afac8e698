"""The database server dies under running jobs: `kill -9` of all its processes, and an immediate stop."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import connection

from faena.ledger import doorbell
from tests.faults.test_kills import halfway, numbers
from tests.support import jobs
from tests.support.breakable import Breakable


@pytest.mark.parametrize("stack_of_module", ["postgresql+redis"], indirect=True)
@pytest.mark.parametrize("end", ["kill", "stop"])
def test_postgresql_dies_and_comes_back(breakable: Breakable, end: str):
    assert breakable.postgresql
    breakable.worker(concurrency=2)
    exact, plain = jobs.exact.delay(200, 5, 0.05), jobs.sleepy.delay(2)
    halfway(breakable, exact.id)
    breakable.until(plain.id, "running", "completed")
    getattr(breakable.postgresql, end)()
    connection.close()
    breakable.postgresql.start()
    breakable.until_each([exact.id, plain.id], "completed")
    assert numbers(exact.id) == list(range(200))
    # The plain task did not notice; the other one lost its transaction and went on at its place, at no attempt's cost.
    assert (breakable.job(plain.id).fence, breakable.job(exact.id).attempt) == (1, 0)


def test_jobs_that_the_broker_hands_out_three_times_run_once(breakable: Breakable):
    sent = [jobs.add.delay(n, n) for n in range(10)]
    for _ in range(2):
        doorbell.broker.publish([UUID(each.id) for each in sent])
    breakable.worker(concurrency=2)
    breakable.until_each([each.id for each in sent], "completed")
    last = jobs.add.delay(1, 1)  # behind all the others
    breakable.until(last.id, "completed")
    assert {breakable.job(each.id).fence for each in sent} == {1}
