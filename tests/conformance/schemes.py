"""The schemes of the suite: ours, and kombu's own Redis beside it."""

from __future__ import annotations

from kombu.transport import TRANSPORT_ALIASES

from faena import transports


def register() -> None:
    """Make all of them known to kombu."""
    transports.register()
    TRANSPORT_ALIASES["kombu-redis"] = "kombu.transport.redis:Transport"
