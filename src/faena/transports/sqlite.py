"""``sqlite:///path``: a broker in one SQLite file, with no server to install.

URLs: ``sqlite:///relative.sqlite3``, ``sqlite:////absolute.sqlite3``, ``sqlite:///C:/windows.sqlite3``.
Options (``broker_transport_options``): ``busy_timeout``, seconds to wait for another process's write (15).

**Order.** Priorities 0 to 9, 9 first; first in, first out within one; the queues of a channel take turns.

**What a crash costs.** A message is in the file when ``publish`` returns, and stays there, marked as
reserved by its consumer, until it is acknowledged. If the consumer's process dies (``kill -9``), any other
consumer gives its messages back within about three seconds, and they arrive again with ``redelivered`` set.
A process that is merely busy keeps its messages for as long as it lives. Acknowledgements are written within
some five milliseconds: what a process acknowledged in the moment it was killed may be delivered again.

**What a power cut costs.** The file uses WAL with ``synchronous=NORMAL``: it is never damaged, transactions
stay whole, but the last ones (since the last checkpoint reached the disk) may be undone. Then messages just
published are gone and messages just acknowledged come back. Faena's ledger is the truth and makes both
harmless; the broker file may even be deleted. The crash of a process alone undoes nothing.

**Bulk.** ``with producer.batch():`` (kombu's own) writes a thousand messages in one transaction, and
``channel.publish_many(...)`` is the same one level lower.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from kombu.transport import virtual

from faena.transports._channel import Channel
from faena.transports._file import BrokerError
from faena.transports._store import Store

LOOK_EVERY = 1.0
POLL_WITHOUT_SOCKETS = 0.02
PUMP_FOR = 0.01


class Transport(virtual.Transport):
    """Connections to one broker file."""

    Channel = Channel
    can_parse_url = True
    driver_type = "sqlite"
    driver_name = "sqlite3"
    default_connection_params: dict[str, Any] = {}
    implements = virtual.Transport.implements.extend(
        asynchronous=True, batch_publish=True, exchange_type=frozenset(["direct", "topic", "fanout"])
    )
    connection_errors: tuple[Any, ...] = (*virtual.Transport.connection_errors, BrokerError)

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self._options = dict(client.transport_options)
        self.path = broker_path(client.hostname, client.virtual_host)
        self._store: Store | None = None
        self._loop: Any = None
        self._timer: Any = None
        self._look = True
        self._looked = 0.0

    @property
    def store(self) -> Store:
        """The open file; in a forked child, one of its own."""
        if self.own_store is None:
            if self._store:
                for channel in self.channels:
                    channel.forget_inherited()
            self._store = Store(self.path, float(self._options.get("busy_timeout", 15.0)))
        assert self._store  # noqa: S101
        return self._store

    @property
    def own_store(self) -> Store | None:
        """The open file, if this process has opened it and not closed it."""
        store = self._store
        return store if store and not store.alien and not store.file.closed else None

    def driver_version(self) -> str:
        """Return the version of the SQLite library."""
        return sqlite3.sqlite_version

    def as_uri(self, uri: str, include_password: bool = False, mask: str = "**") -> str:
        """Return the URL; there is no password in it."""
        return uri

    def establish_connection(self) -> Transport:
        """Open the file, and make it if need be."""
        self.store.file.check(every=0)
        return super().establish_connection()

    def verify_connection(self, connection: Any) -> bool:
        """Say whether the file is open in this process."""
        return self.own_store is not None

    def close_connection(self, connection: Any) -> None:
        """Give every message back and close the file."""
        self.unregister_from_event_loop(connection, self._loop)
        try:
            super().close_connection(connection)
        finally:
            if self._store:
                self._store.close()

    def look(self, wake: bool = True) -> None:
        """Look into the file at the next opportunity; `wake` the consuming thread if it is not this one."""
        self._look = True
        if wake and (store := self.own_store):
            store.wakeup.ring_self()

    def drain_events(  # type: ignore[override]
        self, connection: Any, timeout: float | None = None
    ) -> None:
        """Deliver one message, waiting up to `timeout` seconds for it."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._deliver_one():
            left = LOOK_EVERY if deadline is None else min(LOOK_EVERY, deadline - time.monotonic())
            if left <= 0:
                raise TimeoutError
            self._wait(left)

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """Consume from an event loop (prefork workers) instead of `drain_events`."""
        self._loop = loop
        descriptor = self.store.wakeup.fileno()
        if descriptor >= 0:
            loop.add_reader(descriptor, self.on_readable, connection, loop)
        every = LOOK_EVERY if descriptor >= 0 else POLL_WITHOUT_SOCKETS
        self._timer = loop.call_repeatedly(every, self.on_readable, connection, loop)

    def unregister_from_event_loop(self, connection: Any, loop: Any) -> None:
        """Leave the event loop."""
        if loop and self._timer:
            self._timer.cancel()
            store = self.own_store
            if store and store.wakeup.fileno() >= 0:
                loop.remove_reader(store.wakeup.fileno())
        self._loop = self._timer = None

    def on_readable(self, connection: Any, loop: Any) -> None:
        """Deliver messages for a moment; ring again if there are more, so that the loop gets its turn."""
        until = time.monotonic() + PUMP_FOR
        while self._deliver_one():
            if time.monotonic() > until:
                self.look()
                return

    def _deliver_one(self) -> bool:
        store = self.store
        if store.wakeup.answer() or time.monotonic() - self._looked >= LOOK_EVERY:
            self._look = True
        if self._look:
            self._fill()
        for channel in list(self.channels):
            if channel.deliver():
                self._next_channel_first(channel)
                return True
        return False

    def _fill(self) -> None:
        self._look = False  # before looking: what arrives meanwhile sets it again
        self._looked = time.monotonic()
        for channel in list(self.channels):
            if channel.fill():
                self._look = True

    def _next_channel_first(self, channel: virtual.Channel) -> None:
        if channel in self.channels and len(self.channels) > 1:
            self.channels.remove(channel)
            self.channels.append(channel)

    def _wait(self, seconds: float) -> None:
        store = self.store
        if store.wakeup.port:
            store.wakeup.wait(seconds)
            return
        seen, until = store.file.changes(), time.monotonic() + seconds
        while store.file.changes() == seen and not self._look and time.monotonic() < until:
            time.sleep(POLL_WITHOUT_SOCKETS)
        self._look = True


def broker_path(hostname: str | None, virtual_host: str | None) -> Path:
    """Return the absolute path of the file that a broker URL, or a virtual host, names."""
    given = virtual_host or ""
    if hostname and "://" in hostname:
        url = urlsplit("http://" + hostname.split("://", 1)[1])
        given = unquote(url.path)[1:]
        if url.netloc not in ("", "localhost"):
            raise ValueError(_URL_HELP.format(hostname))
    if given in ("", "/", ":memory:"):
        raise ValueError(_URL_HELP.format(hostname or given))
    return Path(os.path.abspath(os.path.expanduser(given)))


_URL_HELP = (
    "The broker URL {!r} names no file. Write sqlite:///relative/path.sqlite3, "
    "sqlite:////absolute/path.sqlite3 or sqlite:///C:/path.sqlite3."
)
