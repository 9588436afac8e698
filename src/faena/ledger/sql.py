"""The few places where SQLite and PostgreSQL differ, for the ledger's plain SQL."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection

from faena.states import FINISHED, HELD, LIVE

logger = logging.getLogger(__name__)
T = TypeVar("T")

#: SQL lists of states, made from the table in `states.py`.
IN_HELD = "(" + ", ".join(f"'{state}'" for state in sorted(HELD)) + ")"
IN_LIVE = "(" + ", ".join(f"'{state}'" for state in sorted(LIVE)) + ")"
IN_FINISHED = "(" + ", ".join(f"'{state}'" for state in sorted(FINISHED)) + ")"
#: The state of a row that is named by its id. As an expression no partial index serves it: until the table is
#: analyzed such an index looks small to PostgreSQL, which would read the whole queue for one row.
STATE = "(state || '')"


def is_postgresql() -> bool:
    """Whether the ledger lives in PostgreSQL; otherwise it is SQLite."""
    return connection.vendor == "postgresql"


def now(after: timedelta = timedelta()) -> str:
    """SQL for the database's own clock, `after` from now.

    One clock for all hosts: a worker whose clock is wrong neither steals nor loses a lease. On SQLite every
    process shares the host, and the text has the form in which Django stores times.
    """
    seconds = after.total_seconds()
    if is_postgresql():
        return f"(clock_timestamp() + interval '{seconds} seconds')" if seconds else "clock_timestamp()"
    shift = f", '{seconds:+f} seconds'" if seconds else ""
    return f"(strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now'{shift}) || '000')"


def key(value: UUID | None) -> Any:
    """A UUID as the database driver wants it."""
    return value if value is None or is_postgresql() else value.hex


def uuid(value: Any) -> UUID:
    """A UUID as the database driver gave it."""
    return value if isinstance(value, UUID) else UUID(value)


def moment(value: datetime | None) -> Any:
    """A time as the database driver wants it."""
    return None if value is None else connection.ops.adapt_datetimefield_value(value)


def as_time(value: Any) -> datetime:
    """A time as the database driver gave it: SQLite's knows no zone, and is text where it is no column's; it is UTC."""
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def database_now() -> datetime:
    """The database's clock, which decides for every host."""
    return as_time(rows(f"SELECT {now()}")[0][0])


def text(value: str) -> str:
    """Text that both databases can store: PostgreSQL takes no NUL, neither takes half a surrogate pair."""
    return value.replace("\0", "\ufffd").encode("utf-8", "backslashreplace").decode()


def short(value: str, length: int) -> str:
    """The text if it fits; else its beginning and a digest of it all, so that two long keys stay two."""
    value = text(value)
    return value if len(value) <= length else f"{value[: length - 17]}#{sha256(value.encode()).hexdigest()[:16]}"


def holes(values: Iterable[Any]) -> str:
    """`(%s, %s, …)` for these values."""
    return "(" + ", ".join("%s" for _ in values) + ")"


def execute(statement: str, parameters: Iterable[Any] = ()) -> int:
    """Run one statement; the number of rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters))
        return cursor.rowcount


def execute_many(statement: str, rows: Sequence[Sequence[Any]]) -> int:
    """Run one statement for each of these parameters; the number of rows it changed in all."""
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)
        return cursor.rowcount


def rows(statement: str, parameters: Iterable[Any] = ()) -> list[tuple]:
    """Run one statement; the rows it returned."""
    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters))
        return cursor.fetchall()


def prepared(statement: str, parameters: Sequence[Any]) -> list[tuple]:
    """As `rows`, for what every job runs: PostgreSQL makes a plan once per connection instead of every time.

    So it is where the database's OPTIONS have a `prepare_threshold`. Django has none by default, as not every
    connection pooler passes prepared statements on.
    """
    if not is_postgresql() or connection.settings_dict["OPTIONS"].get("prepare_threshold") is None:
        return rows(statement, parameters)
    from psycopg import Cursor

    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


@contextmanager
def unsynced() -> Iterator[None]:
    """Commit inside without waiting for the disk, where that loses nothing: who holds a job, and until when.

    Nothing is lost on SQLite with a WAL: when the power goes, so do the processes of which these rows speak. What is
    committed afterwards takes them to the disk with it. Elsewhere, and inside a transaction, it changes nothing.
    """
    full = _full_sync()
    if full is None:
        yield
        return
    _pragma("synchronous = NORMAL")
    try:
        yield
    finally:
        if connection.connection is not None:
            _pragma(f"synchronous = {full}")


def _full_sync() -> int | None:
    """SQLite's level at which each commit waits for the disk, if that is in force and could be left for a moment."""
    if is_postgresql() or connection.in_atomic_block:
        return None
    connection.ensure_connection()
    level = _pragma("synchronous")
    # Without a WAL a power cut could damage the file at any lower level.
    return level if level >= 2 and _pragma("journal_mode") == "wal" else None


def _pragma(what: str) -> Any:
    found = connection.connection.execute(f"PRAGMA {what}").fetchone()
    return found and found[0]


def lost_connection(error: BaseException) -> bool:
    """Whether the error says that the server went away or has no room, rather than that it did not like a statement.

    The connection itself does not tell: Django makes a new one when it leaves a transaction.
    """
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
    # psycopg's errors carry a code: class 08 and 57P0x are lost connections, none at all is the client's own word;
    # class 53 is a full disk, too little memory, too many connections.
    state = getattr(cause, "sqlstate", "other")
    return (state or "08").startswith(("08", "57P0", "53"))


def insisting(act: Callable[[], T], *, patience: timedelta, what: str) -> T:
    """Run `act`; while the database cannot be reached try again for `patience`, then raise its error.

    Only outside a transaction: inside one, what came before is lost with the connection.
    """
    deadline = time.monotonic() + patience.total_seconds()
    pause = 0.05
    while True:
        try:
            return act()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or time.monotonic() + pause > deadline:
                raise
            logger.warning("%s: the database does not answer (%s); trying again.", what, error)
            connection.close()
            time.sleep(pause)
            pause = min(pause * 2, 2.0)
