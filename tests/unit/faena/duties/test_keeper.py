from __future__ import annotations

import threading

import pytest
from django.db import OperationalError, connection

from faena.duties import keeper, tick
from faena.duties.keeper import POST, Keeper
from faena.duties.prune import Pruned
from faena.duties.tick import Ticked
from faena.ledger import leases
from faena.models import Lease
from tests.support import inline, jobs
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("ledger")


@pytest.fixture
def run():
    """Start a keeper; they are all stopped at the end."""
    started = []

    def start() -> Keeper:
        one = Keeper()
        one.start()
        started.append(one)
        return one

    yield start
    for each in started:
        each.stopping.set()
        each.join(10)
        assert not each.is_alive()


def test_it_takes_the_post_sends_what_is_due_and_gives_the_post_up(run):
    jobs.add.apply_async((1, 2), countdown=0.2)
    one = run()
    assert eventually(inline.sent)
    assert Lease.objects.get(name=POST).holder == leases.me()
    one.stopping.set()
    one.join(10)
    assert Lease.objects.get(name=POST).holder == ""


def test_it_ends_quietly_without_the_database(run, monkeypatch):
    def away(_: str) -> None:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(keeper.leases, "release", away)
    one = run()
    eventually(lambda: Lease.objects.filter(name=POST, holder=leases.me()).exists())
    one.stopping.set()
    one.join(10)  # pytest fails on a thread that ends with an error


def test_without_the_post_it_does_nothing(run, monkeypatch):
    asked = threading.Event()
    monkeypatch.setattr(keeper.leases, "take", lambda *_: asked.set())
    monkeypatch.setattr(keeper, "relay_once", lambda: pytest.fail("not its business"))
    run()
    assert asked.wait(10)


def test_a_duty_that_fails_does_not_stop_the_others(run, monkeypatch, caplog):
    def broken_once() -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(keeper, "reap_once", broken_once)
    jobs.add.apply_async((1, 2), countdown=0.2)
    run()
    assert eventually(inline.sent)
    assert "broken_once failed" in caplog.text


def test_a_duty_that_has_more_to_do_gets_its_next_turn_at_once(run, monkeypatch):
    left, done = iter([True, True, False]), threading.Event()

    def slices() -> Pruned:
        more = next(left)
        if not more:
            done.set()
        return Pruned(1, more)

    monkeypatch.setattr(keeper, "prune_once", slices)
    run()
    assert done.wait(10)  # and not three times PRUNE_INTERVAL


def test_a_duty_that_knows_when_there_is_something_to_do_gets_its_turn_then(run, monkeypatch):
    left, done = iter([0.1, 0.1]), threading.Event()

    def ticks() -> Ticked:
        pause = next(left, None)
        if pause is None:
            done.set()
        return Ticked(next_in=pause or 9999)

    monkeypatch.setattr(keeper, "TICK", keeper.TICK * 9999)
    monkeypatch.setattr(tick, "tick_once", ticks)
    run()
    assert done.wait(10)  # and not three times TICK


def test_it_survives_a_database_that_goes_away(run, monkeypatch, caplog):
    failures = iter([True, True])
    take = leases.take

    def sometimes(*args):
        if next(failures, False):
            connection.close()
            raise connection.Database.OperationalError("gone")
        return take(*args)

    monkeypatch.setattr(keeper, "ASK", keeper.ASK / 20)
    monkeypatch.setattr(keeper.leases, "take", sometimes)
    jobs.add.apply_async((1, 2), countdown=0.2)
    run()
    assert eventually(inline.sent)
    assert "goes on" in caplog.text
