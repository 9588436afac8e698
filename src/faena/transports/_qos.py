"""Prefetch and acknowledgement of one channel."""

from __future__ import annotations

from typing import Any

from kombu.transport import virtual

RESERVE_AT_ONCE = 100


class QoS(virtual.QoS):
    """Tells the file what became of each message."""

    def ack(self, delivery_tag: int) -> None:
        """Delete the message."""
        if delivery_tag in self._delivered:
            super().ack(delivery_tag)
            self.channel.settled(delivery_tag)

    def reject(self, delivery_tag: int, requeue: bool = False) -> None:
        """Delete the message, or give it back at once."""
        if not requeue:
            self.ack(delivery_tag)
        elif delivery_tag in self._delivered:
            super().ack(delivery_tag)
            self.channel.give_back([delivery_tag])

    def restore_unacked(self) -> list[Any]:
        """Give back everything that was delivered and not acknowledged."""
        self._flush()
        tags = list(self._delivered)
        self._delivered.clear()
        self.channel.give_back(tags)
        return []

    def restore_unacked_once(self, stderr: Any = None) -> None:
        """Give everything back, as the channel closes."""
        self._on_collect.cancel()
        self.restore_unacked()

    def room(self) -> int:
        """Return how many more messages the consumer wants, at most `RESERVE_AT_ONCE`."""
        if not self.prefetch_count:
            return RESERVE_AT_ONCE
        held = len(self._delivered) - len(self._dirty)
        return max(0, min(self.prefetch_count - held, RESERVE_AT_ONCE))
