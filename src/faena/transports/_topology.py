"""Queues, exchanges and bindings as rows."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from typing import NamedTuple

from faena.transports._file import BrokerFile

ABANDONED = """
SELECT name FROM queues WHERE name = ? AND auto_delete
AND NOT EXISTS (SELECT 1 FROM subscriptions WHERE queue = name)
"""


class QueueOptions(NamedTuple):
    """What a queue was declared with; times in seconds, `owner` the consumer an exclusive queue dies with."""

    owner: str | None = None
    auto_delete: bool = False
    expires: float | None = None
    message_ttl: float | None = None


class Topology:
    """Where messages can go, the same for every process."""

    file: BrokerFile

    def declare_queue(self, queue: str, options: QueueOptions) -> None:
        """Make a queue, or change the options of one."""
        with self.file.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO queues VALUES (?, ?, ?, ?, ?, ?)",
                (
                    queue,
                    options.owner,
                    options.auto_delete,
                    options.expires,
                    options.message_ttl,
                    time.time(),
                ),
            )

    def has_queue(self, queue: str) -> bool:
        """Say whether a queue exists."""
        return bool(self.file.read("SELECT 1 FROM queues WHERE name = ?", (queue,)))

    def delete_queue(self, queue: str) -> None:
        """Delete a queue with its messages and bindings."""
        with self.file.transaction() as db:
            drop_queues(db, [queue])

    def declare_exchange(self, exchange: str, kind: str) -> None:
        """Remember the type of an exchange for every process."""
        if self.exchange_type(exchange) != kind:
            with self.file.transaction() as db:
                db.execute("INSERT OR REPLACE INTO exchanges VALUES (?, ?)", (exchange, kind))

    def exchange_type(self, exchange: str) -> str | None:
        """Return direct, topic or fanout; None if nobody declared the exchange."""
        rows = self.file.read("SELECT type FROM exchanges WHERE name = ?", (exchange,))
        return rows[0][0] if rows else None

    def delete_exchange(self, exchange: str) -> None:
        """Forget an exchange and its bindings."""
        with self.file.transaction() as db:
            db.execute("DELETE FROM exchanges WHERE name = ?", (exchange,))
            db.execute("DELETE FROM bindings WHERE exchange = ?", (exchange,))

    def bind(self, exchange: str, queue: str, routing_key: str, pattern: str | None) -> None:
        """Route messages of an exchange to a queue."""
        with self.file.transaction() as db:
            row = (exchange, queue, routing_key, pattern)
            db.execute("INSERT OR REPLACE INTO bindings VALUES (?, ?, ?, ?)", row)

    def unbind(self, exchange: str, queue: str, routing_key: str) -> None:
        """Undo `bind`."""
        with self.file.transaction() as db:
            sql = "DELETE FROM bindings WHERE exchange = ? AND queue = ? AND routing_key = ?"
            db.execute(sql, (exchange, queue, routing_key))

    def bindings(self, exchange: str) -> list[tuple[str, str | None, str]]:
        """Return (routing key, pattern, queue) of each binding of an exchange."""
        sql = "SELECT routing_key, pattern, queue FROM bindings WHERE exchange = ?"
        return self.file.read(sql, (exchange,))


def drop_queues(db: sqlite3.Connection, queues: Iterable[str]) -> None:
    """Delete queues with their messages and bindings."""
    for queue in queues:
        db.execute("DELETE FROM messages WHERE queue = ?", (queue,))
        db.execute("DELETE FROM bindings WHERE queue = ?", (queue,))
        db.execute("DELETE FROM queues WHERE name = ?", (queue,))


def forget_consumer(db: sqlite3.Connection, consumer: str) -> list[str]:
    """Remove a consumer; return the queues that got messages back."""
    returned = db.execute(
        "UPDATE messages SET reserved_by = NULL, reserved_at = NULL, redelivered = 1 "
        "WHERE reserved_by = ? RETURNING queue",
        (consumer,),
    ).fetchall()
    left = db.execute("DELETE FROM subscriptions WHERE consumer = ? RETURNING queue", (consumer,)).fetchall()
    db.execute("DELETE FROM consumers WHERE id = ?", (consumer,))
    after_leaving(db, [queue for (queue,) in left])
    drop_queues(db, [row[0] for row in db.execute("SELECT name FROM queues WHERE owner = ?", (consumer,))])
    return list({queue for (queue,) in returned})


def after_leaving(db: sqlite3.Connection, queues: list[str]) -> None:
    """Note when queues lost a subscription; delete the auto-delete ones that lost their last."""
    for queue in queues:
        db.execute("UPDATE queues SET touched = ? WHERE name = ?", (time.time(), queue))
    drop_queues(db, [queue for queue in queues if db.execute(ABANDONED, (queue,)).fetchone()])
