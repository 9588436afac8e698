"""``redis://``, ``rediss://``, ``sentinel://``: kombu's Redis broker, that loses nothing and is quick.

The keys and the messages are kombu's: plain Celery producers and workers, and Flower, may use the same
queues at the same time. What differs is how messages are taken.

**Reserving.** One script takes as many messages as there is room for and notes them as unacknowledged, so no
crash falls in between; acknowledgements travel with the next reservation, or alone within some five
milliseconds. What a process acknowledged in the moment it was killed may be delivered again.

**Waiting.** Redis' client tracking rings when a list changes, so an idle consumer sends a heartbeat every two
seconds and otherwise nothing, and still starts at once. Where tracking is not allowed it looks every 0.2 s.

**A dead consumer's** messages go back within ten seconds (two on the same host), marked ``redelivered``. A
live consumer keeps its messages however long it runs: ``visibility_timeout`` only concerns messages that
plain kombu workers took. A consumer of another host counts as dead if its heartbeat, a thread of its own,
is silent for 7.5 s.

**When Redis fails** (restart, failover, full memory, a dead connection), consuming goes on by itself within
seconds of its return; Celery does not notice. After a ``FLUSHALL`` bindings are written again.

**Priorities.** 9 is served first, as on RabbitMQ; plain kombu serves 0 first on Redis, and
``broker_transport_options = {"highest_first": False}`` does so here. See docs/decisions/0007-redis-priorities.md.

**Options** are kombu's, with ``socket_timeout`` 5 s, ``socket_keepalive`` on and ``health_check_interval`` 10 s.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from queue import Empty
from typing import Any

from kombu.transport import redis as kombu_redis
from kombu.utils.eventio import READ

from faena.transports._redis_channel import Channel as Channel
from faena.transports._redis_consumer import Consumer
from faena.transports._redis_feed import Feed
from faena.transports._redis_link import FAILURES


class SentinelChannel(Channel, kombu_redis.SentinelChannel):
    """A channel on the master that Redis Sentinel names."""

    from_transport_options: Any = (*kombu_redis.SentinelChannel.from_transport_options, "highest_first")


class Poller(kombu_redis.MultiChannelPoller):
    """kombu's poller, whose blocking pops are replaced by the feed."""

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self._transport = transport

    @property
    def fds(self) -> dict[int, Any]:
        """The descriptors an event loop watches."""
        return {**self._fd_to_chan, **self._transport.feed.fds}

    def on_poll_init(self, poller: Any) -> None:
        """Use an event loop's poller."""
        self._transport.feed.unwatch()
        self.poller = poller

    def on_poll_start(self) -> None:
        """Deliver what is there, before the event loop waits."""
        self.listen()
        self._transport.feed.pump()

    def on_readable(self, fileno: int) -> Any:
        """Take a ring, or a fanout message."""
        feed = self._transport.feed
        if feed.answer(fileno):
            return None
        try:
            return super().on_readable(fileno) or (fileno in self._fd_to_chan)
        except Empty:
            return None
        except FAILURES as error:
            feed.lost(error)
            return None

    def maybe_restore_messages(self) -> None:
        """Do nothing: the pulse does it."""

    def maybe_check_brpop_health(self) -> None:
        """Do nothing: there is no blocking pop."""

    def get(self, callback: Callable[..., Any], timeout: float | None = None) -> None:
        """Deliver one message, waiting up to `timeout` seconds for it."""
        feed = self._transport.feed
        self._in_protected_read = True
        try:
            self.maybe_refresh_binding_expiry()
            if not (feed.deliver() or self._next(feed, timeout)):
                raise Empty
        finally:
            self._in_protected_read = False
            while self.after_read:
                self.after_read.pop()()

    def listen(self) -> None:
        """Be subscribed to what the channels consume by fanout."""
        for channel in self._channels:
            if channel.active_fanout_queues:
                try:
                    self._register_LISTEN(channel)
                except FAILURES as error:
                    self._transport.feed.lost(error)

    def _next(self, feed: Feed, timeout: float | None) -> bool:
        self.listen()
        if self._poll(feed, 0):  # control commands come before tasks
            return True
        feed.fill()
        if feed.deliver():
            return True
        patience = feed.patience()
        if self._poll(feed, patience if timeout is None else min(timeout, patience)):
            return True
        feed.fill()
        return feed.deliver()

    def _poll(self, feed: Feed, timeout: float) -> bool:
        feed.watch()
        for fileno, event in self.poller.poll(timeout) or ():
            if event & READ or fileno in feed.fds:
                if self.on_readable(fileno):
                    return True
            elif fileno in self._fd_to_chan:
                feed.lost(ConnectionError("Redis closed the connection"))
        return False


class Transport(kombu_redis.Transport):
    """Connections to Redis."""

    Channel = Channel
    connection_errors: tuple[Any, ...] = tuple(e for e in kombu_redis.Transport.connection_errors if e is not KeyError)

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self.fanout_queues: dict[str, tuple[str, str]] = {}
        self.feed = Feed(self)
        self.cycle: Any = Poller(self)
        self._consumer: Consumer | None = None
        self._loop: Any = None
        self._restore_at = 0.0

    @property
    def poller(self) -> Poller:
        """What waits on the connections."""
        return self.cycle

    @property
    def consumer(self) -> Consumer:
        """This connection as other consumers see it; in a forked child, another one."""
        if self._consumer is None or self._consumer.is_alien:
            self._consumer = self._new_consumer()
        return self._consumer

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """Consume from an event loop (prefork workers) instead of `drain_events`."""
        self._loop = loop
        super().register_with_event_loop(connection, loop)

    def wake_in(self, seconds: float) -> None:
        """Have the event loop turn again after so many seconds."""
        if self._loop is not None:
            self._loop.call_later(seconds, _nothing)

    def stop_watching(self, fd: int) -> None:
        """Have whoever polls forget a descriptor."""
        if self._loop is not None:
            self._loop.remove(fd)
        else:
            try:
                self.cycle.poller.unregister(fd)
            except (KeyError, ValueError, OSError):
                return

    def close_connection(self, connection: Any) -> None:
        """Give every message back and hang up."""
        try:
            super().close_connection(connection)
        finally:
            self.feed.close()
            consumer, self._consumer = self._consumer, None
            if consumer is not None:
                consumer.close()

    def _new_consumer(self) -> Consumer:
        channel = self.channels[0]
        consumer = Consumer(channel.keys, channel.pool, channel.unpack)
        this = weakref.ref(self)

        def on_forgotten() -> None:
            if transport := this():
                for each in list(transport.channels):
                    each.assert_bindings(consumer.link)
                transport.feed.look()

        def on_failure() -> None:
            if transport := this():
                transport.feed.suspect()

        def on_beat() -> None:
            if transport := this():
                transport._restore_others(consumer)

        consumer.on_forgotten, consumer.on_failure, consumer.on_beat = on_forgotten, on_failure, on_beat
        return consumer

    def _restore_others(self, consumer: Consumer) -> None:
        """Put back what plain kombu workers took and did not acknowledge within their visibility timeout."""
        channel = next((each for each in list(self.channels) if each.active_queues), None)
        if channel is None or time.monotonic() < self._restore_at:
            return
        self._restore_at = time.monotonic() + channel.unacked_restore_interval
        for tag in consumer.invisible(channel.visibility_timeout):
            channel.qos.restore_by_tag(tag)


class SentinelTransport(Transport):
    """Connections to the master that Redis Sentinel names."""

    default_port: Any = 26379
    Channel = SentinelChannel


def _nothing() -> None:
    return None
