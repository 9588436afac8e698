"""Relay: send what is due and was not sent (delays, retries, limits, a broker that was down)."""

from __future__ import annotations

from dataclasses import dataclass

from faena.ledger import dispatch, doorbell


@dataclass(frozen=True, slots=True)
class Relayed:
    """Jobs sent, and whether there may be more that are due."""

    sent: int = 0
    more: bool = False


def relay_once(batch: int = 500) -> Relayed:
    """Send up to `batch` due jobs to the broker. The keeper comes back at once for the rest."""
    due = dispatch.mark_due(batch)
    if due and doorbell.ring(due):
        return Relayed(len(due), more=len(due) >= batch)
    return Relayed()
