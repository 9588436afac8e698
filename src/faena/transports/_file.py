"""The broker's SQLite file: opening it, short transactions, and errors that say what to do next."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kombu.exceptions import OperationalError

from faena.transports._schema import APPLICATION_ID, SCHEMA, SCHEMA_VERSION

REMEDIES = {
    "readonly": "This user may not write it. Give write permission on the file and on its folder "
    "(SQLite keeps two companion files beside it).",
    "unable to open": "Check that the path is right and that this user may create files in that folder.",
    "not a database": "It is damaged, or not a SQLite file. Stop the workers, move the file and its -wal and "
    "-shm companions away and start again: a new broker is made at once.",
    "malformed": "It is damaged. Stop the workers, move the file and its -wal and -shm companions away and "
    "start again: a new broker is made at once.",
    "full": "The disk is full. Free some space; nothing else needs to be done.",
    "disk i/o": "The disk refused to read or write. Check the disk, and that the folder is a local one "
    "(SQLite's WAL does not work over a network).",
    "locked": "Another process held it for too long. Look for a backup or a shell that keeps a transaction "
    "open, or raise busy_timeout in the broker's transport options.",
}


class BrokerError(OperationalError):
    """The broker's file cannot be used just now; the message says why and what to do next."""


class BrokerFile:
    """One connection to the file, shared by the threads of one process.

    A forked child never works with its parent's handle: it sees `alien` and opens its own.
    """

    def __init__(self, path: Path, busy_timeout: float = 15.0) -> None:
        self.path = path
        self.closed = True
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._busy_timeout = busy_timeout
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = self._connect()
            self._inode = self._stat()
        self._checked = time.monotonic()
        self._gone = False
        self.closed = False
        _open_files.add(self)

    @property
    def alien(self) -> bool:
        """Whether this handle was opened by the process we were forked from."""
        return self._pid != os.getpid()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write: all or nothing, and visible to other processes at the end."""
        with self._explained(), self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def read(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Any]:
        """Return all rows of one query."""
        with self._explained(), self._lock:
            return self._db.execute(sql, parameters).fetchall()

    def changes(self) -> int:
        """Return a number that differs once another connection has committed."""
        return int(self.read("PRAGMA data_version")[0][0])

    def shrink(self, above: int = 1024) -> None:
        """Return some free pages to the disk, if there are more than `above`."""
        if self.read("PRAGMA freelist_count")[0][0] > above:
            with self._explained(), self._lock:
                # A script is run to its end; execute() would stop after the first page.
                self._db.executescript(f"PRAGMA incremental_vacuum({above})")

    def check(self, every: float = 1.0) -> None:
        """Raise if the file was deleted or replaced; asks the file system once per `every` seconds."""
        now = time.monotonic()
        if now - self._checked >= every:
            self._checked = now
            self._gone = self._gone or self._stat() != self._inode
        if self._gone:
            raise BrokerError(
                f"The broker file {self.path} was deleted or replaced while it was open. "
                "Connect again: a new file is made, and the ledger sends again what was waiting."
            )

    def close(self) -> None:
        """Close the handle."""
        if self.closed:
            return
        self.closed = True
        with self._lock:
            self._db.close()

    def __del__(self) -> None:
        if not getattr(self, "closed", True):
            self.close()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=self._busy_timeout, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only counts before the first table
            self._use_wal(db)
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA journal_size_limit = 16777216")
            self._create_schema(db)
        except BaseException:
            db.close()
            raise
        return db

    def _use_wal(self, db: sqlite3.Connection) -> None:
        """Switch to WAL; SQLite does not wait here when several processes switch at once, so we do."""
        deadline = time.monotonic() + self._busy_timeout
        while True:
            try:
                if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal":
                    return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise
            if time.monotonic() > deadline:
                raise sqlite3.OperationalError("database is locked by another process")
            time.sleep(0.01)

    def _create_schema(self, db: sqlite3.Connection) -> None:
        db.execute("BEGIN IMMEDIATE")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if not tables:
            for statement in SCHEMA.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        db.execute("COMMIT")
        ours = not tables or db.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
        if not ours:
            raise BrokerError(
                f"{self.path} is a SQLite database, but not a Faena broker. "
                "Give the broker a file of its own in the broker URL."
            )
        if tables and version != SCHEMA_VERSION:
            raise BrokerError(
                f"The broker file {self.path} has layout {version}; this Faena needs {SCHEMA_VERSION}. "
                "Stop the workers and delete it: the ledger sends again what was waiting."
            )

    def _stat(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise BrokerError(explain(self.path, error)) from error


_open_files: weakref.WeakSet[BrokerFile] = weakref.WeakSet()
_forking = threading.RLock()
_held: list[BrokerFile] = []


def _before_fork() -> None:
    """Let no thread be inside SQLite while the process is copied."""
    _forking.acquire()
    _held.extend(_open_files)
    for file in _held:
        file._lock.acquire()


def _after_fork_in_parent() -> None:
    while _held:
        _held.pop()._lock.release()
    _forking.release()


def _after_fork_in_child() -> None:
    # SQLite keeps one table of file locks per process, and the copy says that we hold our parent's. While an
    # inherited handle is open, a new one would trust that table, lock nothing, and lose what it writes
    # as soon as the parent closes the file. Closing it is harmless because it is idle: see _before_fork.
    while _held:
        file = _held.pop()
        file._lock.release()
        file.close()
    _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )


def explain(path: Path, error: Exception) -> str:
    """Say what happened to which file, and what to do next."""
    happened = str(error)
    remedy = next((text for sign, text in REMEDIES.items() if sign in happened.lower()), "")
    return f"The broker file {path} cannot be used: {happened}. {remedy}".rstrip()
