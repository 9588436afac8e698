"""Messages on their way into and out of Redis."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from kombu.utils import json as kombu_json

if TYPE_CHECKING:
    from faena.transports._redis_channel import Channel

#: A message as kombu prepares it: body, content-type, content-encoding, headers, properties.
Payload = dict[str, Any]

logger = logging.getLogger(__name__)


class PublishBatch:
    """What ``with producer.batch():`` collects; each flush is one round trip."""

    def __init__(self, channel: Channel, max_size: int) -> None:
        self.channel = channel
        self._max_size = max_size
        self._commands: list[list[Any]] = []
        self._count = 0

    def publish(self, message: Payload, exchange: str = "", routing_key: str = "", **_: Any) -> None:
        """Add a message, and send them all when there are `max_size`."""
        self.channel.basic_publish(message, exchange, routing_key, _publish_batch=self)
        if self._count >= self._max_size:
            self.flush()

    def add(self, commands: list[list[Any]]) -> None:
        """Add the commands of one message; messages for one list go together."""
        self._count += 1
        last = self._commands[-1] if self._commands else None
        if last and len(commands) == 1 and last[:2] == commands[0][:2] and last[0] == "LPUSH":
            last.append(commands[0][2])
        else:
            self._commands += commands

    def flush(self) -> None:
        """Send what was collected. After an error nobody knows which of it arrived."""
        commands, self._commands, self._count = self._commands, [], 0
        if commands:
            self.channel.link.pipeline(commands)

    def discard(self) -> None:
        """Forget what was not sent yet."""
        self._commands.clear()
        self._count = 0

    close = discard


def dumps(message: Payload) -> str:
    """Return a message as JSON text."""
    try:
        return json.dumps(message)
    except TypeError:  # dates, decimals, UUIDs in headers: kombu marks them with __type__
        return str(kombu_json.dumps(message))


def loads(queue: str, tag: bytes, payload: bytes) -> Payload | None:
    """Return a message as kombu wants it, with the tag it is reserved under; None if it is no message."""
    try:
        message: Payload = kombu_json.loads(payload.decode()) if b'"__type__"' in payload else json.loads(payload)
        if tag:
            message["properties"]["delivery_tag"] = tag.decode()
        return message
    except (ValueError, TypeError, LookupError):
        logger.error("Queue %s held something that is no message; it is now in the list _faena.unreadable", queue)
        return None
