"""Messages on their way into and out of the file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kombu.utils import json as kombu_json

from faena.transports._store import Delivery, Outgoing

if TYPE_CHECKING:
    from faena.transports._channel import Channel

#: A message as kombu prepares it: body, content-type, content-encoding, headers, properties.
Payload = dict[str, Any]


class PublishBatch:
    """What ``with producer.batch():`` collects; each flush is one transaction."""

    def __init__(self, channel: Channel, max_size: int) -> None:
        self.channel = channel
        self._max_size = max_size
        self._messages: list[Outgoing] = []

    def publish(self, message: Payload, exchange: str = "", routing_key: str = "", **_: Any) -> None:
        """Add a message, and write them all when there are `max_size`."""
        self._messages.append(self.channel.outgoing(message, exchange, routing_key))
        if len(self._messages) >= self._max_size:
            self.flush()

    def flush(self) -> None:
        """Write what was collected: all of it, or none and an error."""
        messages, self._messages = self._messages, []
        if messages:
            self.channel.store.publish(messages)

    def discard(self) -> None:
        """Forget what was not written yet."""
        self._messages.clear()

    close = discard


def dumps(message: Payload) -> str:
    """Return a message as JSON text."""
    try:
        return json.dumps(message, separators=(",", ":"))
    except TypeError:  # dates, decimals, UUIDs in headers: kombu marks them with __type__
        return str(kombu_json.dumps(message))


def loads(delivery: Delivery) -> Payload:
    """Return a message as kombu wants it, with the row's id as its delivery tag."""
    text = delivery.payload
    payload: Payload = kombu_json.loads(text) if '"__type__"' in text else json.loads(text)
    properties = payload["properties"]
    properties["delivery_tag"] = delivery.id
    properties["delivery_info"]["redelivered"] = bool(delivery.redelivered)
    return payload
