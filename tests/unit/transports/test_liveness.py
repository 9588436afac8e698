"""Who is alive, and what happens to what the dead held."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from faena.liveness import is_alive, whoami
from faena.transports._store import Outgoing


@pytest.fixture
def process():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def reserve_as(store, identity, heartbeat=0.0):
    """Leave a reserved message behind as if the consumer were another process."""
    store.publish([Outgoing(["a"], 0, "x")])
    store.reserve(["a"], 1)
    with store.file.transaction() as db:
        row = ("other", *identity, heartbeat, None)
        db.execute("INSERT INTO consumers VALUES (?, ?, ?, ?, ?, ?)", row)
        db.execute("UPDATE messages SET reserved_by = 'other'")


def test_this_process_lives():
    assert is_alive(whoami()) is True


def test_a_pid_used_again_is_somebody_else():
    assert is_alive(whoami()._replace(born=whoami().born - 60)) is False


def test_a_zombie_is_dead(process):
    process.kill()
    identity = whoami()._replace(pid=process.pid)
    deadline = time.monotonic() + 10
    while is_alive(identity) and time.monotonic() < deadline:
        pass
    assert is_alive(identity) is False


def test_another_host_cannot_be_asked():
    assert is_alive(whoami()._replace(host="elsewhere")) is None


@pytest.mark.parametrize(
    ("change", "silent_for", "given_back"),
    [
        ({"born": 1.0}, 0, True),  # its process is gone: at once, however fresh the heartbeat
        ({"host": "container"}, 5, False),
        ({"host": "container"}, 60, True),
        ({}, 0, True),  # our own process says it has no such connection any more
    ],
)
def test_a_dead_consumers_messages_come_back(store, change, silent_for, given_back):
    reserve_as(store, whoami()._replace(**change), heartbeat=time.time() - silent_for)
    store.beat()
    assert (store.size("a") == 1) is given_back


def test_a_busy_process_keeps_its_messages_however_old_its_heartbeat(open_store):
    busy, other = open_store(), open_store()
    busy.publish([Outgoing(["a"], 0, "x")])
    busy.reserve(["a"], 1)
    with busy.file.transaction() as db:
        db.execute("UPDATE consumers SET heartbeat = 0")
    other.beat()
    assert other.reserved("a") == 1
