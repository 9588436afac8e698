"""kombu's Redis channel with atomic reservation, and with one connection where kombu makes many."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from kombu.transport import redis as kombu_redis
from kombu.utils.objects import cached_property

from faena.transports._redis_keys import Keys
from faena.transports._redis_link import FAILURES, Link
from faena.transports._redis_messages import Payload, PublishBatch, dumps, loads
from faena.transports._redis_qos import QoS
from faena.transports._redis_scripts import DEPTH

#: Seconds for which a routing table is believed to be unchanged.
TABLE_TTL = 1.0

logger = logging.getLogger(__name__)


class Channel(kombu_redis.Channel):
    """A channel on the same keys, with the same messages, as kombu's own."""

    socket_timeout: Any = 5.0
    socket_connect_timeout: Any = 5.0
    socket_keepalive: Any = True
    health_check_interval = 10
    #: Which of the priorities 0 to 9 is served first: 9 as with RabbitMQ, or 0 as plain kombu does on Redis.
    highest_first = True
    #: Acknowledgements are only noted here, and sent in batches by the pulse or with the next reservation.
    settles_anywhere = True

    from_transport_options: Any = (*kombu_redis.Channel.from_transport_options, "highest_first")

    def __init__(self, connection: Any, *args: Any, **kwargs: Any) -> None:
        self.look = self.hurry = True
        self.full = False
        self.gathering = 0.0
        self._no_ack: set[str] = set()
        self._lists: dict[tuple[str, int], str] = {}
        self._tables: dict[str, tuple[float, list[tuple[str, ...]]]] = {}
        self._clients: dict[bool, Any] = {}
        # kombu shares this between all connections of the process: a queue's name means one thing in each.
        self._fanout_queues = connection.fanout_queues
        super().__init__(connection, *args, **kwargs)
        self.QoS = QoS

    @cached_property
    def keys(self) -> Keys:
        """The names of things in Redis."""
        return Keys(self)

    @cached_property
    def link(self) -> Link:
        """The connection for publishing."""
        return Link(self.pool)

    # -- publishing

    def basic_publish(self, message: Payload, exchange: str = "", routing_key: str = "", **kwargs: Any) -> Any:
        """Push a message to the queues it is routed to, each copy with a tag of its own."""
        batch = kwargs.pop("_publish_batch", None)
        if exchange and self.typeof(exchange).type == "fanout":
            self._inplace_augment_message(message, exchange, routing_key)
            return self._put_fanout(exchange, message, routing_key, _publish_batch=batch)
        self._inplace_augment_message(message, exchange, routing_key)
        queues = [queue for queue in self._lookup(exchange, routing_key) if queue] if exchange else [routing_key]
        for position, queue in enumerate(queues):
            if position:
                message["properties"]["delivery_tag"] = self._next_delivery_tag()
            self._put(queue, message, _publish_batch=batch)
        return None

    def create_publish_batch(self, max_size: int) -> PublishBatch:
        """Serve kombu's ``Producer.batch``."""
        return PublishBatch(self, max_size)

    def _put(self, queue: str, message: Payload, **kwargs: Any) -> None:
        commands = [["LPUSH", self.list_of(queue, self._get_message_priority(message)), dumps(message)]]
        if expires := self._expires.get(queue):
            commands += [["PEXPIRE", self.list_of(queue, step), expires] for step in self.priority_steps]
        batch = kwargs.get("_publish_batch")
        if batch is None:
            self.link.pipeline(commands)
        else:
            batch.add(commands)

    def _put_fanout(self, exchange: str, message: Payload, routing_key: str, **kwargs: Any) -> None:
        topics = [self.keys.prefix + topic for topic in self._get_publish_topics(exchange, routing_key)]
        commands = [["PUBLISH", topic, dumps(message)] for topic in topics]
        batch = kwargs.get("_publish_batch")
        if batch is None:
            self.link.pipeline(commands)
        else:
            batch.add(commands)

    def list_of(self, queue: str, priority: int) -> str:
        """Return the key of the list in which messages of a queue and a priority wait."""
        key = self._lists.get((queue, priority))
        if key is None:
            key = self._lists[queue, priority] = self.keys.prefix + self._q_for_pri(queue, priority)
        return key

    # -- routing

    def get_table(self, exchange: str) -> list[tuple[str, ...]]:
        """Return (routing key, pattern, queue) of each binding of an exchange, at most a second old."""
        known = self._tables.get(exchange)
        if known is None or time.monotonic() - known[0] > TABLE_TTL:
            known = self._tables[exchange] = (time.monotonic(), super().get_table(exchange))
        return known[1]

    def _lookup(self, exchange: str, routing_key: str, default: str | None = None) -> Any:
        if exchange and not self.typeof(exchange).lookup(self.get_table(exchange), exchange, routing_key, None):
            # Bound a moment ago, or Redis was wiped after we bound it: look again before giving up.
            self.assert_bindings(self.link, exchange)
        return super()._lookup(exchange, routing_key, default)

    def assert_bindings(self, link: Link, exchange: str | None = None) -> None:
        """Write the bindings that this connection declared once more, in case Redis lost them."""
        commands = []
        for queue, name, routing_key in list(self.state.bindings):
            if exchange in (None, name):
                arguments = self.state.bindings[queue, name, routing_key]
                member = self.sep.join(
                    part or "" for part in self.typeof(name).prepare_bind(queue, name, routing_key, arguments)
                )
                for key in (self.keyprefix_queue, self.keyprefix_binding_permanent)[: 1 + (queue not in self._expires)]:
                    commands.append(["SADD", self.keys.prefix + key % name, member])
        if commands:
            link.pipeline(commands)
        self._tables.clear()

    # -- consuming

    def basic_consume(self, queue: str, no_ack: bool, *args: Any, **kwargs: Any) -> Any:
        """Have a callback called for each message of a queue."""
        (self._no_ack.add if no_ack else self._no_ack.discard)(queue)
        consuming = super().basic_consume(queue, no_ack, *args, **kwargs)
        self.connection.feed.look()
        return consuming

    def basic_qos(self, prefetch_size: int = 0, prefetch_count: int = 0, apply_global: bool = False) -> None:
        """Change how many messages may wait for their acknowledgement (0: no limit)."""
        super().basic_qos(prefetch_size, prefetch_count, apply_global)
        self.connection.feed.look()

    def basic_get(self, queue: str, no_ack: bool = False, **kwargs: Any) -> Any:
        """Take one message, or None."""
        for _, payload in self._take(self.link, [queue], 1, "0" if self._forgets(no_ack) else "1"):
            self._maybe_update_queues_expire(self.client, queue)
            if payload is None:
                break
            message = self.Message(payload, channel=self)
            if not no_ack:
                self.qos.append(message, message.delivery_tag)
            return message
        return None

    def reserve(self, link: Link, room: int) -> list[tuple[str, Payload | None]]:
        """Reserve up to `room` messages of the consumed queues, which take turns."""
        queues = self._queue_cycle.consume(len(self.active_queues))
        keep = "".join("0" if self._forgets(queue in self._no_ack) else "1" for queue in queues)
        taken = self._take(link, queues, room, keep)
        for queue in dict.fromkeys(queue for queue, _ in taken):
            self._queue_cycle.rotate(queue)
        return taken

    def settled(self, tag: str) -> None:
        """Pass an acknowledgement on; there may be room for another message now."""
        if self.connection and self.ack_emulation:
            self.connection.consumer.ack(tag)
        if self.full and self.connection:
            self.connection.feed.room_made(self)

    def give_back(self, tags: Sequence[str], *, mark: bool = True, last: bool = False) -> None:
        """Put messages back that the consumer does not want."""
        if tags and self.connection and self.ack_emulation:
            self.connection.consumer.give_back(tags, mark=mark, last=last)
            self.connection.feed.look()

    def unpack(self, entry: bytes, queue: str, mark: bool) -> tuple[str, str | bytes]:
        """Turn an entry of ``unacked`` into the list and the payload to put it back."""
        try:
            message = json.loads(entry)[0]
            if mark:
                message.setdefault("headers", {})["redelivered"] = True
                message["properties"].setdefault("delivery_info", {})["redelivered"] = True
            return self.list_of(queue, self._get_message_priority(message)), json.dumps(message)
        except (ValueError, TypeError, LookupError, AttributeError):
            return self.keys.unreadable, entry

    def drop_connections(self) -> None:
        """Give up the connections that consume; they are made again when needed."""
        self._in_listen: Any = None
        subclient = self.__dict__.get("subclient")
        if subclient is not None and subclient.connection is not None:
            try:
                subclient.connection.disconnect()
            except FAILURES:
                logger.debug("Disconnecting failed", exc_info=True)

    def _take(self, link: Link, queues: list[str], room: int, keep: str) -> list[tuple[str, Payload | None]]:
        lists = [self.list_of(queue, step) for step in self._steps for queue in queues]
        flat = self.connection.consumer.reserve(link, lists, queues, keep, room)
        taken = []
        for number, tag, payload in zip(flat[::3], flat[1::3], flat[2::3], strict=True):
            message = loads(queues[number], tag, payload)
            if message is None:
                with suppress(*FAILURES):  # it stays reserved, and is looked at again when it is given back
                    self.connection.consumer.put_aside(tag, payload)
            taken.append((queues[number], message))
        return taken

    @cached_property
    def _steps(self) -> list[int]:
        return sorted(self.priority_steps, reverse=bool(self.highest_first))

    def _forgets(self, no_ack: bool) -> bool:
        return no_ack or not self.ack_emulation

    def _basic_cancel(self, consumer_tag: str) -> Any:
        queue = self._tag_to_queue.get(consumer_tag)
        cancelled = super()._basic_cancel(consumer_tag)
        if queue and queue not in self._active_queues and self.connection:
            self.give_back(self.connection.feed.forget(self, queue), mark=False)
        return cancelled

    # -- queues

    def depth(self, queue: str) -> int:
        """Count the messages of a queue: ready, and reserved by Faena's consumers.

        Those that plain kombu workers have reserved are not counted: nothing says which queue they are from.
        """
        keys = [self.keys.consumers, *(self.list_of(queue, step) for step in self.priority_steps)]
        return int(self.link.script(DEPTH, keys, [self.keys.all_held, queue]))

    def _size(self, queue: str) -> int:
        return sum(self.link.pipeline([["LLEN", self.list_of(queue, step)] for step in self.priority_steps]))

    # -- connections

    @cached_property
    def client(self) -> Any:
        """The client for everything that is not publishing or reserving."""
        return self._create_client()

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous not in self._clients:
            self._clients[asynchronous] = super()._create_client(asynchronous)
        return self._clients[asynchronous]

    def _disconnect_pools(self) -> None:
        self._clients.clear()
        if "link" in self.__dict__:
            self.__dict__.pop("link").close()
        super()._disconnect_pools()

    def _close_clients(self) -> None:
        self.__dict__.pop("client", None)
        super()._close_clients()
