"""Stop processes (SIGSTOP) at a moment when they hold no lock: nobody else could write until they went on."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterable
from contextlib import closing

import psutil
from django.db import connection


def are_stopped_without_a_lock(pids: Iterable[int], files: Iterable[str | os.PathLike] = ()) -> bool:
    """Stop these processes; if they hold a lock just then, let them go on, and try again later.

    Args:
        files: SQLite files that they write. A database server is asked where this process's Django has one.
    """
    processes = [psutil.Process(pid) for pid in pids]
    for each in processes:
        each.suspend()
    stopped = all(each.status() == psutil.STATUS_STOPPED for each in processes)
    if stopped and all(map(_is_free, files)) and not _is_anybody_in_a_transaction():
        return True
    for each in processes:
        each.send_signal(signal.SIGCONT)
    return False


def _is_free(path: str | os.PathLike) -> bool:
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as file:
        try:
            file.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        return True


def _is_anybody_in_a_transaction() -> bool:
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL
                  AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""
        )
        return cursor.fetchone() is not None
