"""Reach the database from wherever Celery's users call it: also from an event loop, where Django forbids that."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from django.core.exceptions import SynchronousOnlyOperation
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connection, connections

from faena import standalone
from faena.celery.holding import current_hold

T = TypeVar("T")


def reach(act: Callable[[], T]) -> T:
    """Run `act`, which uses the database, and return what it returns; from an event loop in a thread of its own.

    The loop waits meanwhile, as it does while Celery talks to a broker: milliseconds, on PostgreSQL and SQLite
    alike. `await task.adelay(…)` is the way that lets it go on.

    Raises:
        SynchronousOnlyOperation: this thread is inside a transaction, which no other thread can join.
    """
    if not _in_event_loop():
        if standalone.is_set_up and current_hold() is None and not connection.in_atomic_block:
            # Django does so at every request, and Celery before every task; here nobody else does.
            close_old_connections()
        return act()
    if _in_transaction():
        raise SynchronousOnlyOperation(
            "This thread has a database transaction open and runs an event loop: what is enqueued from the loop "
            "could not be part of that transaction. Enqueue before or after the loop, or call `await task.adelay(…)` "
            "inside async_to_sync, which uses the thread of the transaction."
        )
    context = copy_context()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="faena-reach") as thread:
        return thread.submit(context.run, _and_close, act).result()


def _and_close(act: Callable[[], T]) -> T:
    try:
        return act()
    finally:
        connections.close_all()


def _in_transaction() -> bool:
    """Whether the code around the loop is."""
    # In a loop Django's `connection` is another one; of the thread's own asgiref tells nobody but itself.
    own = getattr(connections._connections._storage, DEFAULT_DB_ALIAS, None)  # type: ignore[attr-defined]
    return own is not None and own.in_atomic_block


def _in_event_loop() -> bool:
    if os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE"):
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
