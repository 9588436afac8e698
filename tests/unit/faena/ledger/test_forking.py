"""A process that forks leaves no database connection to its children, and forks while none is in use."""

from __future__ import annotations

import os
import threading

import pytest
from django.db import connection

from faena.ledger import forking, sql

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks on this system")


@pytest.fixture
def guarded(monkeypatch):
    monkeypatch.setattr(forking, "_guarded_pid", forking._guarded_pid)
    forking.guard_forks()


def in_child(say) -> str:
    """What `say` returns in a forked child."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, say().encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    os.waitpid(pid, 0)
    return text


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_inherits_no_open_connection(ledger, guarded):
    sql.rows("SELECT 1")
    assert connection.connection is not None
    assert in_child(lambda: str(connection.connection)) == "None"
    assert sql.rows("SELECT 1") == [(1,)]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_waits_for_a_thread_that_uses_the_database(ledger, guarded):
    entered, leave, events = threading.Event(), threading.Event(), []

    def use():
        with forking.brief_connection():
            sql.rows("SELECT 1")
            entered.set()
            leave.wait(10)
            events.append("used")
        events.append("closed" if connection.connection is None else "left open")

    user = threading.Thread(target=use)
    user.start()
    entered.wait(10)

    forker = threading.Thread(target=lambda: in_child(lambda: "") or events.append("forked"))
    forker.start()
    leave.set()
    forker.join(10)
    user.join(10)
    assert events.index("used") < events.index("forked")
    assert "closed" in events


def test_a_block_inside_a_transaction_keeps_it(ledger):
    from django.db import transaction

    with transaction.atomic():
        with forking.brief_connection():
            sql.rows("SELECT 1")
        assert connection.connection is not None


def test_one_thread_does_not_wait_for_another_that_uses_the_database(ledger):
    used = threading.Event()

    def use():
        with forking.brief_connection():
            used.set()

    with forking.brief_connection():
        beating = threading.Thread(target=use)
        beating.start()
        assert used.wait(10)
    beating.join(10)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_who_uses_the_database_may_fork(ledger, guarded):
    def use_again() -> str:
        with forking.brief_connection():
            return "used"

    with forking.brief_connection():
        assert in_child(use_again) == "used"
    assert in_child(use_again) == "used"
