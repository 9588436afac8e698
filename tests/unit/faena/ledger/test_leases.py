from __future__ import annotations

import signal
import subprocess
import threading
from datetime import timedelta

import pytest
from django.db import connection

from faena.ledger import leases, sql
from faena.models import Lease
from tests.support.waiting import eventually, holder_of

TENURE = timedelta(seconds=8)


@pytest.fixture
def process():
    """Another process, and how leases name it."""
    started = subprocess.Popen(["sleep", "600"])
    yield started, holder_of(started.pid)
    started.kill()
    started.wait()


def test_this_process_is_alive():
    assert leases.is_alive(leases.me()) is True


def test_a_process_lives_stops_and_dies(process):
    started, name = process
    assert leases.is_alive(name)
    started.send_signal(signal.SIGSTOP)
    eventually(lambda: leases.is_stopped(name))
    started.send_signal(signal.SIGCONT)
    eventually(lambda: not leases.is_stopped(name))
    started.kill()
    eventually(lambda: leases.is_alive(name) is False)  # a zombie by now
    started.wait()
    assert leases.is_alive(name) is False


def test_a_reused_process_id_is_not_taken_for_the_old_one(process):
    host, pid, born = process[1].rsplit("|", 2)
    assert leases.is_alive(f"{host}|{pid}|{float(born) - 5}") is False


def test_a_process_of_another_host_cannot_be_asked(process):
    host, pid, born = process[1].rsplit("|", 2)
    assert leases.is_alive(f"x{host}|{pid}|{born}") is None


@pytest.mark.usefixtures("ledger")
def test_a_post_is_taken_extended_and_given_up():
    assert leases.take("post", TENURE)
    first = Lease.objects.get().until
    assert leases.take("post", TENURE)
    assert Lease.objects.get().until >= first
    leases.release("post")
    assert (Lease.objects.get().holder, Lease.objects.get().until) == ("", None)


@pytest.mark.usefixtures("ledger")
def test_a_post_that_another_holds_is_not_taken(process):
    put_holder(process[1])
    assert not leases.take("post", TENURE)
    leases.release("post")
    assert Lease.objects.get().holder == process[1]


@pytest.mark.usefixtures("ledger")
def test_a_dead_holder_on_this_host_is_replaced_at_once(process):
    put_holder(process[1])
    process[0].kill()
    process[0].wait()
    assert leases.take("post", TENURE)
    assert Lease.objects.get().holder == leases.me()


@pytest.mark.usefixtures("ledger")
def test_of_another_host_the_tenure_alone_tells():
    put_holder("elsewhere|1|1")
    assert not leases.take("post", TENURE)
    sql.execute(f"UPDATE faena_lease SET until = {sql.now(-timedelta(seconds=1))}")
    assert leases.take("post", TENURE)


@pytest.mark.usefixtures("ledger")
def test_of_many_who_ask_at_once_one_gets_it(monkeypatch):
    names = threading.local()
    monkeypatch.setattr(leases, "me", lambda: names.mine)
    barrier, answers = threading.Barrier(6), []

    def ask(number: int) -> None:
        names.mine = f"elsewhere|{number}|1"
        barrier.wait()
        answers.append(leases.take("post", TENURE))
        connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(answers) == [False] * 5 + [True]


def put_holder(name: str) -> None:
    Lease.objects.create(name="post", holder=name, until=None)
    sql.execute(f"UPDATE faena_lease SET until = {sql.now(TENURE)}")
