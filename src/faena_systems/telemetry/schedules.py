"""When telemetry runs by itself: `beat_schedule` of the project, read before Django is there."""

from __future__ import annotations

from typing import Any

from faena.environment import env

from .panaccess import configuration

CHAIN = "TelemetriaDelancer.tasks.sync_and_merge_telemetry_chain"
#: Seconds between two synchronisations, unless TELEMETRY_SYNC_SECONDS says otherwise; 0 turns them off.
EVERY = 120.0


def every() -> float:
    """How many seconds lie between two synchronisations; 0 for none."""
    return max(0.0, env.float("TELEMETRY_SYNC_SECONDS", EVERY))


def beat_schedule() -> dict[str, Any]:
    """Return the chain's entry: nothing where PanAccess is not configured, which its page and
    `manage.py check --deploy` then say.

    One that comes while the one before is not over is skipped, and what was missed is made good by one.
    """
    if configuration.missing() or not every():
        return {}
    return {"sync-and-merge-telemetry": {"task": CHAIN, "schedule": every()}}
