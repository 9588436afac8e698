"""kombu's channel on a broker file: publishing, consuming, acknowledging, declaring."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from math import inf
from queue import Empty
from typing import TYPE_CHECKING, Any

from kombu.exceptions import ChannelError
from kombu.transport import virtual
from kombu.transport.virtual.base import queue_declare_ok_t

from faena.transports._messages import Payload, PublishBatch, dumps, loads
from faena.transports._qos import QoS
from faena.transports._store import Delivery, Outgoing, Store
from faena.transports._topology import QueueOptions

if TYPE_CHECKING:
    from faena.transports.sqlite import Transport

Publication = tuple[Payload, str, str]


class Channel(virtual.Channel):
    """A kombu channel whose queues are rows."""

    QoS = QoS
    supports_fanout = True
    supports_batch_publish = True
    #: Acknowledgements are only noted here, and sent in batches by the pulse or with the next reservation.
    settles_anywhere = True

    def __init__(self, connection: Transport, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        self._handlers: dict[str, Callable[[Payload], None]] = {}
        self._no_ack: set[str] = set()
        self._buffers: dict[str, deque[Delivery]] = {}
        self._turns: deque[str] = deque()
        self._full = False

    @property
    def store(self) -> Store:
        """The broker file as this process sees it."""
        return self.connection.store

    # -- publishing

    def basic_publish(self, message: Payload, exchange: str = "", routing_key: str = "", **_: Any) -> None:
        """Write one message to all queues it is routed to."""
        self.store.publish([self.outgoing(message, exchange, routing_key)])

    def publish_many(self, publications: Iterable[Publication]) -> None:
        """Write many (prepared message, exchange, routing key) in one transaction: all or none."""
        self.store.publish([self.outgoing(*publication) for publication in publications])

    def create_publish_batch(self, max_size: int) -> PublishBatch:
        """Serve kombu's ``Producer.batch``."""
        return PublishBatch(self, max_size)

    def outgoing(self, message: Payload, exchange: str, routing_key: str) -> Outgoing:
        """Route a prepared message and make it ready to be written."""
        self._inplace_augment_message(message, exchange, routing_key)
        expiration = message["properties"].get("expiration")
        return Outgoing(
            queues=[queue for queue in self._lookup(exchange, routing_key) if queue],
            priority=self._get_message_priority(message),
            payload=dumps(message),
            expires_at=inf if expiration is None else time.time() + float(expiration) / 1000,
        )

    def encode_body(self, body: str | bytes, encoding: str | None = None) -> tuple[str, str]:
        """Keep text as it is; only bytes need an encoding to be stored as JSON."""
        if isinstance(body, str):
            return body, "utf-8"
        encoded, _ = super().encode_body(body, "base64")
        return encoded, "base64"

    # -- consuming

    def basic_consume(
        self, queue: str, no_ack: bool, callback: Callable[..., Any], consumer_tag: str, **kwargs: Any
    ) -> None:
        """Have `callback` called for each message of a queue."""
        super().basic_consume(queue, no_ack, callback, consumer_tag, **kwargs)
        self._handlers[queue] = self.connection._callbacks[queue]
        (self._no_ack.add if no_ack else self._no_ack.discard)(queue)
        if queue not in self._buffers:
            self._buffers[queue] = deque()
            self._turns.append(queue)
        self.store.subscribe(self._subscription(consumer_tag), queue)
        self.connection.look()

    def basic_cancel(self, consumer_tag: str) -> None:
        """Stop consuming, and give back what was reserved but not delivered."""
        queue = self._tag_to_queue.get(consumer_tag)
        super().basic_cancel(consumer_tag)
        if queue is None or queue in self._active_queues:
            return
        self._turns.remove(queue)
        undelivered = self._buffers.pop(queue)
        if store := self.connection.own_store:
            if undelivered:
                store.release([delivery.id for delivery in undelivered], delivered=False)
            store.unsubscribe(self._subscription(consumer_tag))

    def basic_qos(self, prefetch_size: int = 0, prefetch_count: int = 0, apply_global: bool = False) -> None:
        """Change how many messages may wait for their acknowledgement (0: no limit)."""
        super().basic_qos(prefetch_size, prefetch_count, apply_global)
        self.connection.look()

    def basic_get(self, queue: str, no_ack: bool = False, **kwargs: Any) -> virtual.Message | None:
        """Take one message, or None."""
        message = super().basic_get(queue, no_ack=no_ack, **kwargs)
        if message and no_ack:
            self.store.ack(message.delivery_tag)
        return message

    def fill(self) -> bool:
        """Reserve what the prefetch count leaves room for; return whether there may be more."""
        if not self._turns or any(self._buffers.values()):
            return False
        self._full = True  # before counting: an ack on another thread must not go unnoticed
        room = self.qos.room()
        if not room:
            return False
        self._full = False
        deliveries = self.store.reserve(self._turns, room)
        for delivery in deliveries:
            self._buffers[delivery.queue].append(delivery)
        return len(deliveries) == room

    def deliver(self) -> bool:
        """Hand the next reserved message to its callback; return whether there was one."""
        for queue in self._turns:
            if buffer := self._buffers[queue]:
                delivery = buffer.popleft()
                self._turns.remove(queue)
                self._turns.append(queue)
                if not any(self._buffers.values()):
                    self.connection.look(wake=False)
                if queue in self._no_ack:
                    self.store.ack(delivery.id)
                self._handlers[queue](loads(delivery))
                return True
        return False

    def settled(self, message_id: int) -> None:
        """Pass an acknowledgement on; there may be room for another message now."""
        if store := self.connection.own_store:
            store.ack(message_id)
        self._wake_if_full()

    def give_back(self, message_ids: Sequence[int]) -> None:
        """Pass messages on that the consumer does not want."""
        store = self.connection.own_store if self.connection else None
        if message_ids and store:
            store.release(message_ids)
        self._wake_if_full()

    def forget_inherited(self) -> None:
        """Drop, in a forked child, what the parent has reserved."""
        for buffer in self._buffers.values():
            buffer.clear()
        self.qos._delivered.clear()

    # -- queues

    def queue_declare(self, queue: str | None = None, passive: bool = False, **kwargs: Any) -> Any:
        """Make a queue, or with `passive` only ask; return (name, ready messages, consumers)."""
        if not passive:
            return super().queue_declare(queue, **kwargs)
        if not self._has_queue(queue):
            path = self.store.file.path
            raise ChannelError(f"There is no queue {queue!r} in {path}", (50, 10), "queue_declare", 404)
        return queue_declare_ok_t(queue, self._size(queue), self.store.consumer_count(str(queue)))

    def queue_delete(self, queue: str, if_unused: bool = False, if_empty: bool = False, **kwargs: Any) -> None:
        """Delete a queue with its messages and bindings."""
        if (if_empty and self._size(queue)) or (if_unused and self.store.consumer_count(queue)):
            return
        self.store.delete_queue(queue)

    def queue_bind(
        self, queue: str, exchange: str | None = None, routing_key: str = "", arguments: Any = None, **_: Any
    ) -> None:
        """Route messages of an exchange to a queue, for every process."""
        exchange = exchange or "amq.direct"
        key, pattern, _queue = self.typeof(exchange).prepare_bind(queue, exchange, routing_key or "", arguments)
        self.store.bind(exchange, queue, key, pattern)

    def queue_unbind(
        self, queue: str, exchange: str | None = None, routing_key: str = "", arguments: Any = None, **_: Any
    ) -> None:
        """Undo `queue_bind`."""
        self.store.unbind(exchange or "amq.direct", queue, routing_key or "")

    def exchange_declare(  # type: ignore[override]
        self, exchange: str | None = None, type: str = "direct", passive: bool = False, **kwargs: Any
    ) -> None:
        """Make an exchange known to every process."""
        if passive and exchange and self.store.exchange_type(exchange):
            return
        super().exchange_declare(exchange, type, passive=passive, **kwargs)
        self.store.declare_exchange(exchange or f"amq.{type or 'direct'}", type or "direct")

    def exchange_delete(self, exchange: str, if_unused: bool = False, nowait: bool = False) -> None:
        """Delete an exchange and its bindings."""
        self.state.exchanges.pop(exchange, None)
        self.store.delete_exchange(exchange)

    def typeof(self, exchange: str, default: str = "direct") -> Any:
        """Return the type of an exchange, whichever process declared it."""
        known = self.state.exchanges.get(exchange)
        kind = known["type"] if known else self.store.exchange_type(exchange)
        return self.exchange_types[kind or default]

    def get_table(self, exchange: str) -> list[tuple[str, str | None, str]]:
        """Return (routing key, pattern, queue) of each binding of an exchange."""
        return self.store.bindings(exchange)

    def depth(self, queue: str) -> int:
        """Count the messages of a queue, ready and reserved: one indexed query each."""
        return self.store.size(queue) + self.store.reserved(queue)

    def _new_queue(self, queue: str, **kwargs: Any) -> None:
        arguments = kwargs.get("arguments") or {}
        expires, ttl = arguments.get("x-expires"), arguments.get("x-message-ttl")
        options = QueueOptions(
            owner=self.store.register() if kwargs.get("exclusive") else None,
            auto_delete=bool(kwargs.get("auto_delete")),
            expires=expires / 1000 if expires else None,
            message_ttl=ttl / 1000 if ttl else None,
        )
        self.store.declare_queue(queue, options)

    def _has_queue(self, queue: str | None, **kwargs: Any) -> bool:
        return self.store.has_queue(queue or "")

    def _size(self, queue: str | None) -> int:
        return self.store.size(queue or "")

    def _purge(self, queue: str) -> int:
        return self.store.purge(queue)

    def _put(self, queue: str, message: Payload, **kwargs: Any) -> None:
        self.store.publish([Outgoing([queue], self._get_message_priority(message), dumps(message))])

    def _get(self, queue: str, timeout: float | None = None) -> Payload:
        for delivery in self.store.reserve([queue], 1):
            return loads(delivery)
        raise Empty

    def _subscription(self, consumer_tag: str) -> str:
        return f"{self.channel_id}/{consumer_tag}"

    def _wake_if_full(self) -> None:
        if self._full and self.connection:
            self._full = False
            self.connection.look()
