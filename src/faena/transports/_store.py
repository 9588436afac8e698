"""Queues, messages and consumers as rows: what the channels ask of the broker's file."""

from __future__ import annotations

import atexit
import sqlite3
import threading
import time
import uuid
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from typing import NamedTuple

from faena.liveness import Identity, is_alive, whoami
from faena.transports._file import BrokerError, BrokerFile
from faena.transports._pulse import Pulse
from faena.transports._topology import Topology, after_leaving, drop_queues, forget_consumer
from faena.transports._wakeup import Wakeup

ACKS_AT_ONCE = 100
FOREIGN_SILENCE = 30.0

TAKE = """
UPDATE messages SET reserved_by = ?, reserved_at = ? WHERE id IN (
    SELECT id FROM messages WHERE queue = ? AND reserved_by IS NULL ORDER BY priority DESC, id LIMIT ?)
RETURNING id, queue, priority, redelivered, payload
"""
DROP_EXPIRED = "DELETE FROM messages WHERE expires_at <= ? AND reserved_by IS NULL"
SIZE = """
SELECT (SELECT count(*) FROM messages WHERE queue = :queue AND reserved_by IS NULL)
     - (SELECT count(*) FROM messages WHERE expires_at <= :now AND reserved_by IS NULL AND queue = :queue)
"""
#: What a consumer reserved after the others had taken it for dead.
FREE_STRAYS = """
UPDATE messages SET reserved_by = NULL, reserved_at = NULL, redelivered = 1
WHERE reserved_by IS NOT NULL AND reserved_by NOT IN (SELECT id FROM consumers) RETURNING queue
"""
IDLE_QUEUES = """
SELECT name FROM queues WHERE touched + expires <= ?
AND NOT EXISTS (SELECT 1 FROM subscriptions WHERE queue = name)
"""


class Outgoing(NamedTuple):
    """A message on its way in: which queues, how urgent, what, and until when (epoch seconds)."""

    queues: Sequence[str]
    priority: int
    payload: str
    expires_at: float = inf


class Delivery(NamedTuple):
    """A message reserved for one consumer."""

    id: int
    queue: str
    priority: int
    redelivered: bool
    payload: str


class Store(Topology):
    """The verbs on one broker file, for one kombu connection, which is one consumer in the tables."""

    def __init__(self, path: Path, busy_timeout: float = 15.0) -> None:
        self.consumer = uuid.uuid4().hex
        self.file = BrokerFile(path, busy_timeout)
        self.wakeup = Wakeup()
        self._acks: deque[int] = deque()
        self._pulse: Pulse | None = None
        self._expelled = False
        self._registering = threading.Lock()
        _stores.add(self)

    @property
    def alien(self) -> bool:
        """Whether this store belongs to the process we were forked from."""
        return self.file.alien

    # -- messages

    def publish(self, messages: Iterable[Outgoing]) -> None:
        """Write messages in one transaction, then wake the consumers of their queues."""
        self.file.check()
        with self.file.transaction() as db:
            now = time.time()
            ttl: dict[str, float] = {}
            for message in messages:
                for queue in message.queues:
                    if queue not in ttl:
                        ttl[queue] = _message_ttl(db, queue, now)
                    expires_at = min(message.expires_at, now + ttl[queue])
                    db.execute(
                        "INSERT INTO messages (queue, priority, payload, expires_at) VALUES (?, ?, ?, ?)",
                        (queue, message.priority, message.payload, None if expires_at == inf else expires_at),
                    )
            ports = _listeners(db, ttl)
        self.wakeup.ring(ports)

    def reserve(self, queues: Sequence[str], limit: int) -> list[Delivery]:
        """Take up to `limit` messages, shared fairly between the queues, each highest priority first."""
        self.file.check()
        if self._expelled:
            raise BrokerError(
                f"Other consumers of {self.file.path} took this one for dead, as it was silent for too long, "
                "and got its messages. Connect again: its queues are declared anew."
            )
        if not any(self._has_ready(queue) for queue in queues):
            return []
        self.register()
        taken: list[Delivery] = []
        with self._settling() as db:
            now = time.time()
            db.execute(DROP_EXPIRED, (now,))
            for share in (max(1, limit // len(queues)), limit):
                for queue in queues:
                    wanted = min(share, limit - len(taken))
                    rows = db.execute(TAKE, (self.consumer, now, queue, wanted)) if wanted else ()
                    taken += sorted(map(Delivery._make, rows), key=lambda row: (-row.priority, row.id))
        return taken

    def ack(self, message_id: int) -> None:
        """Delete a reserved message soon: acks are written in batches, within a few milliseconds."""
        if self.file.closed or self.alien:
            return  # everything was given back already
        self._acks.append(message_id)
        if len(self._acks) >= ACKS_AT_ONCE or not self._pulse:
            self.flush()
        else:
            self._pulse.hurry()

    def flush(self) -> None:
        """Write the pending acks now."""
        if self._acks:
            with self._settling():
                pass

    def release(self, message_ids: Iterable[int], delivered: bool = True) -> None:
        """Give reserved messages back, to their old place in the queue."""
        with self._settling() as db:
            queues = set()
            for message_id in message_ids:
                queues.update(
                    db.execute(
                        "UPDATE messages SET reserved_by = NULL, reserved_at = NULL, "
                        "redelivered = redelivered OR ? WHERE id = ? AND reserved_by = ? RETURNING queue",
                        (delivered, message_id, self.consumer),
                    ).fetchall()
                )
            ports = _listeners(db, [queue for (queue,) in queues])
        self.wakeup.ring(ports)

    def size(self, queue: str) -> int:
        """Count the ready messages of a queue."""
        return int(self.file.read(SIZE, {"queue": queue, "now": time.time()})[0][0])

    def reserved(self, queue: str) -> int:
        """Count the messages of a queue that consumers hold and have not acknowledged."""
        sql = "SELECT count(*) FROM messages WHERE reserved_by IS NOT NULL AND queue = ?"
        return int(self.file.read(sql, (queue,))[0][0])

    def purge(self, queue: str) -> int:
        """Delete the ready messages of a queue; return how many."""
        with self.file.transaction() as db:
            sql = "DELETE FROM messages WHERE queue = ? AND reserved_by IS NULL"
            return db.execute(sql, (queue,)).rowcount

    # -- consumers

    def subscribe(self, tag: str, queue: str) -> None:
        """Be woken from now on when messages arrive in a queue."""
        self.register()
        with self.file.transaction() as db:
            db.execute("INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?)", (self.consumer, tag, queue))

    def unsubscribe(self, tag: str) -> None:
        """Undo `subscribe`; an auto-delete queue goes with its last subscription."""
        with self.file.transaction() as db:
            sql = "DELETE FROM subscriptions WHERE consumer = ? AND tag = ? RETURNING queue"
            after_leaving(db, [row[0] for row in db.execute(sql, (self.consumer, tag)).fetchall()])

    def consumer_count(self, queue: str) -> int:
        """Count the subscriptions of a queue."""
        return int(self.file.read("SELECT count(*) FROM subscriptions WHERE queue = ?", (queue,))[0][0])

    def register(self) -> str:
        """Become a consumer others can see, with a pulse that keeps it visible; return its id."""
        with self._registering:
            if self._pulse:
                return self.consumer
            with self.file.transaction() as db:
                row = (self.consumer, *whoami(), time.time(), self.wakeup.port)
                db.execute("INSERT INTO consumers VALUES (?, ?, ?, ?, ?, ?)", row)
            self._pulse = Pulse(self)
            self._pulse.start()
        return self.consumer

    def beat(self) -> None:
        """Be seen alive, give back what dead consumers held, and keep the file small."""
        self.file.check()
        dead = self._dead_consumers()
        now = time.time()
        with self._settling() as db:
            beaten = db.execute("UPDATE consumers SET heartbeat = ? WHERE id = ?", (now, self.consumer))
            self._expelled = self._pulse is not None and not beaten.rowcount
            returned = [queue for consumer in dead for queue in forget_consumer(db, consumer)]
            returned += [queue for (queue,) in db.execute(FREE_STRAYS).fetchall()]
            db.execute(DROP_EXPIRED, (now,))
            drop_queues(db, [row[0] for row in db.execute(IDLE_QUEUES, (now,)).fetchall()])
            ports = _listeners(db, set(returned))
        self.wakeup.ring(ports)
        self.file.shrink()

    def close(self) -> None:
        """Give everything back and leave."""
        _stores.discard(self)
        try:
            if not (self.alien or self.file.closed):
                self._leave()
        finally:
            self.file.close()
            self.wakeup.close()

    def _leave(self) -> None:
        pulse, self._pulse = self._pulse, None
        if pulse:
            pulse.stop()
            with self._settling() as db:
                ports = _listeners(db, forget_consumer(db, self.consumer))
            self.wakeup.ring(ports)

    def _has_ready(self, queue: str) -> bool:
        sql = "SELECT 1 FROM messages WHERE queue = ? AND reserved_by IS NULL LIMIT 1"
        return bool(self.file.read(sql, (queue,)))

    @contextmanager
    def _settling(self) -> Iterator[sqlite3.Connection]:
        """A transaction that also writes the pending acks, which stay pending if it fails."""
        acks = []
        while self._acks:
            acks.append(self._acks.popleft())
        try:
            with self.file.transaction() as db:
                if acks:
                    sql = "DELETE FROM messages WHERE id = ? AND reserved_by = ?"
                    db.executemany(sql, [(message_id, self.consumer) for message_id in acks])
                yield db
        except BaseException:
            self._acks.extend(acks)
            raise

    def _dead_consumers(self) -> list[str]:
        """Ask for the processes themselves: one that is busy for an hour is alive, whatever its heartbeat."""
        consumers = self.file.read("SELECT id, host, pid, born, heartbeat FROM consumers")
        # After the table: a consumer of this process that registers meanwhile must not look left behind.
        own = {store.consumer for store in list(_stores)}
        me, now = whoami(), time.time()
        dead = []
        for consumer, host, pid, born, heartbeat in consumers:
            identity = Identity(host, pid, born)
            alive = consumer in own if identity == me else is_alive(identity)
            # Of another container we only see the heartbeat, which its own thread keeps up.
            if alive is False or (alive is None and now - heartbeat > FOREIGN_SILENCE):
                dead.append(consumer)
        return dead


def _message_ttl(db: sqlite3.Connection, queue: str, now: float) -> float:
    row = db.execute("SELECT message_ttl FROM queues WHERE name = ?", (queue,)).fetchone()
    if row is None:
        db.execute("INSERT INTO queues (name, touched) VALUES (?, ?)", (queue, now))
    return inf if row is None or row[0] is None else row[0]


def _listeners(db: sqlite3.Connection, queues: Iterable[str]) -> list[int]:
    ports: set[int] = set()
    for queue in queues:
        sql = "SELECT port FROM subscriptions JOIN consumers ON id = consumer WHERE queue = ? AND port"
        ports.update(row[0] for row in db.execute(sql, (queue,)))
    return list(ports)


#: The consumers of this process: a row of ours that is not among them was left behind by a failed close.
_stores: weakref.WeakSet[Store] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for store in list(_stores):
        with suppress(BrokerError):  # nothing is lost: other consumers see that this process is gone
            store.close()
