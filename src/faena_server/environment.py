"""What the environment says of the project that ships with Faena, on top of `faena.environment`."""

from __future__ import annotations

from faena.environment import env

ALL_SYSTEMS = ["pricelists", "telemetry"]


def systems() -> list[str]:
    """The systems to run, as import names (`FAENA_SYSTEMS`, default all of them)."""
    return [f"faena_systems.{name}" for name in env.list("FAENA_SYSTEMS", ALL_SYSTEMS) if name]
