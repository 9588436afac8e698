"""Turns at SQLite's one write lock, for the short writes that every job makes.

SQLite lets a writer that finds the lock taken sleep for ever longer, up to a tenth of a second, whoever comes meanwhile
goes first, and two workers are slower than one. Here they look again in a moment, at the lock of a file beside the
database. It is only a courtesy: after `PATIENCE`, and for everybody who does not ask for a turn, SQLite's lock decides.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from django.db import connection

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: A turn takes less than a millisecond. Who holds one for longer was stopped, or waits for a transaction of others.
PATIENCE = 0.1
LOOK_EVERY = 0.0002


def turn() -> AbstractContextManager[None]:
    """Write within the block. On other databases, and in a transaction, which has the lock already, it does nothing."""
    path = str(connection.settings_dict["NAME"])
    is_file = connection.vendor == "sqlite" and ":memory:" not in path and "mode=memory" not in path
    return at(f"{path}-turn") if fcntl and is_file and not connection.in_atomic_block else nullcontext()


@contextmanager
def at(path: str) -> Iterator[None]:
    """Take a turn at this file, which is made if need be; where that is not allowed, go on without."""
    try:
        # Opened anew each time: threads share no turn, nor does a forked child with its parent.
        descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError:
        yield
        return
    try:
        _wait_for(descriptor)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError:
            if time.monotonic() > until:
                return
            time.sleep(LOOK_EVERY)
