"""The database in a process that forks: a worker's main process with a pool of processes.

A child that opens a SQLite file which its parent holds open inherits SQLite's table of locks: it believes to
hold locks that it does not, and what it writes may vanish. (sqlite.org, "How To Corrupt", 2.6.) So the main
process leaves no connection open when it forks, and forks while no thread of it is using one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, connections

#: Held while a process forks, and for a moment by whoever begins or ends to use the database.
_gate = threading.Condition(threading.RLock())
_users = 0
_mine = threading.local()
_guarded_pid = 0


@contextmanager
def brief_connection() -> Iterator[None]:
    """Use the database inside the block and leave no connection behind; a fork waits for its end.

    Threads do not wait for each other: a keeper whose broker does not answer must not stop the heartbeat.
    """
    _count(1)
    try:
        yield
    finally:
        if not connection.in_atomic_block:
            connection.close()
        _count(-1)


def _count(change: int) -> None:
    global _users
    with _gate:
        _users += change
        _mine.blocks = _own() + change
        _gate.notify_all()


def _own() -> int:
    """How many of these blocks this thread is in."""
    return getattr(_mine, "blocks", 0)


def guard_forks() -> None:
    """From now on this process forks between `brief_connection` blocks only, and closes what it has open first."""
    global _guarded_pid
    if not _guarded_pid and hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
    _guarded_pid = os.getpid()
    connections.close_all()


def _before() -> None:
    _gate.acquire()
    _gate.wait_for(lambda: _users == _own())
    # A pool process that forks for its own reasons keeps its transaction.
    if os.getpid() == _guarded_pid:
        connections.close_all()


def _in_parent() -> None:
    _gate.release()


def _in_child() -> None:
    global _gate, _users
    # Only the forking thread lives on here, and it holds the gate.
    _gate = threading.Condition(threading.RLock())
    _users = _own()
