from __future__ import annotations

import math
from datetime import timedelta

import pytest

from faena.celery.heartbeat import Heartbeat
from faena.duties import steady
from faena.duties.reap import Reaped, reap_once
from faena.ledger import sql
from faena.ledger.claim import claim, extend
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("ledger")


@pytest.fixture
def clocks(monkeypatch):
    """This process's clock and the database's, which only move when told to."""
    seconds = {"here": 1000.0, "there": 5000.0}
    monkeypatch.setattr(steady.time, "monotonic", lambda: seconds["here"])
    monkeypatch.setattr(steady.sql, "rows", lambda _: [(seconds["there"],)])

    def let_pass(here: float, there: float | None = None, looks: int = 1) -> bool:
        for _ in range(looks):
            seconds["here"] += here
            seconds["there"] += here if there is None else there
            answer = steady.look()
        return answer

    return let_pass


def test_time_that_passes_alike_is_believed(clocks):
    assert clocks(2, looks=5)


@pytest.mark.parametrize("jump", [3600, 12, -3600])
def test_a_jump_of_the_databases_clock_is_not_believed_for_two_heartbeats(clocks, jump):
    assert clocks(2, looks=5)
    assert not clocks(2, there=2 + jump)
    assert not clocks(2, looks=2)
    assert clocks(2)


def test_neither_is_a_time_without_the_database(clocks):
    assert clocks(2, looks=5)
    assert not clocks(11)
    assert not clocks(2, looks=2)
    assert clocks(2)


def test_a_live_job_survives_a_jump_of_the_databases_clock(make_job, row):
    job_id = make_job()
    assert claim(job_id, 0, worker="w1", holder="elsewhere|1|1")
    assert reap_once() == Reaped()
    theirs, ours = steady._last
    steady._last = theirs - 3600, ours  # now it is an hour later
    sql.execute(f"UPDATE faena_job SET lease_until = {sql.now(-timedelta(hours=1))}")
    assert reap_once() == Reaped()
    extend([job_id], "w1")
    steady._since -= 60
    assert reap_once() == Reaped()
    assert row(job_id).fence == 1


def test_the_heartbeat_looks_however_long_a_duty_of_the_keeper_takes(ledger):
    steady._since, steady._last = -math.inf, None
    with Heartbeat(list, "w1"):
        eventually(lambda: steady._last)
