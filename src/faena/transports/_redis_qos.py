"""Prefetch and acknowledgement of one channel."""

from __future__ import annotations

from typing import Any

from kombu.transport import redis, virtual

RESERVE_AT_ONCE = 100


class QoS(redis.QoS):
    """Tells the consumer what became of each message."""

    def append(self, message: Any, delivery_tag: str) -> None:
        """Remember a message until it is acknowledged; Redis already has it as reserved."""
        virtual.QoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        """Forget the message."""
        if delivery_tag in self._delivered:
            virtual.QoS.ack(self, delivery_tag)
            self.channel.settled(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Forget the message, or put it back, behind the others as kombu does."""
        if not requeue:
            self.ack(delivery_tag)
        elif delivery_tag in self._delivered:
            virtual.QoS.ack(self, delivery_tag)
            self.channel.give_back([delivery_tag], last=True)

    def restore_unacked(self, client: Any = None) -> list[Any]:
        """Put everything back that was delivered and not acknowledged."""
        self._flush()
        tags = list(self._delivered)
        self._delivered.clear()
        if tags:
            self.channel.give_back(tags)
        return []

    def restore_visible(self, start: int = 0, num: int = 10, interval: int = 10) -> None:
        """Do nothing here: the pulse looks after the dead, and after plain kombu's messages."""

    def room(self) -> int:
        """Return how many more messages the consumer wants, at most `RESERVE_AT_ONCE`."""
        if not self.can_consume():
            return 0
        if "can_consume" in self.__dict__:  # Celery's worker_disable_prefetch replaces it: one at a time
            return 1
        if not self.prefetch_count:
            return RESERVE_AT_ONCE
        held = len(self._delivered) - len(self._dirty)
        return max(0, min(self.prefetch_count - held, RESERVE_AT_ONCE))
