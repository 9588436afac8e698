"""The names of things in Redis: kombu's, and the few that Faena adds."""

from __future__ import annotations

from typing import Any


class Keys:
    """Full keys, with the global prefix."""

    def __init__(self, channel: Any) -> None:
        prefix = self.prefix = str(channel.global_keyprefix or "")
        self.unacked = f"{prefix}{channel.unacked_key}"
        self.unacked_index = f"{prefix}{channel.unacked_index_key}"
        #: Sorted set: consumer, and when its lease ends (seconds by Redis' clock). A key with a time to live
        #: would be simpler, but a full Redis may evict such keys, and a live consumer would look dead.
        self.consumers = f"{prefix}_faena.consumers"
        #: Hash: consumer, and host|pid|born of its process.
        self.identities = f"{prefix}_faena.identities"
        #: Hash for each consumer: delivery tag of each message it has not acknowledged, and its queue.
        self.all_held = f"{prefix}_faena.held."
        #: List: the last payloads that were no messages.
        self.unreadable = f"{prefix}_faena.unreadable"

    def held(self, consumer: str) -> str:
        """Return the key of what a consumer holds."""
        return self.all_held + consumer

    def settling(self, consumer: str) -> list[str]:
        """Return the keys in which a message of a consumer is known."""
        return [self.unacked, self.unacked_index, self.held(consumer)]
