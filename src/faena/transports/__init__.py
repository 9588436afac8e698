"""Brokers for Celery: kombu transports that know neither Django nor Celery."""

from __future__ import annotations

from typing import Any

from kombu.transport import TRANSPORT_ALIASES

__all__ = ["register", "settles_anywhere"]


def register() -> None:
    """Teach kombu the scheme ``sqlite://``, and to use ours for ``redis://``, ``rediss://`` and ``sentinel://``.

    Only connections made afterwards are ours. Calling it again changes nothing.
    """
    TRANSPORT_ALIASES["sqlite"] = "faena.transports.sqlite:Transport"
    TRANSPORT_ALIASES["redis"] = "faena.transports.redis:Transport"
    TRANSPORT_ALIASES["rediss"] = "faena.transports.redis:Transport"
    TRANSPORT_ALIASES["sentinel"] = "faena.transports.redis:SentinelTransport"


def settles_anywhere(channel: Any) -> bool:
    """Whether messages of a channel may be acknowledged and rejected in any thread and at any time, as in ours."""
    return getattr(channel, "settles_anywhere", False)
