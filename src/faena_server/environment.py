"""What the environment says of the project that ships with Faena, on top of `faena.environment`."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from faena.environment import env

ALL_SYSTEMS = ["pricelists", "telemetry"]


def systems() -> list[str]:
    """The systems to run, as import names (`FAENA_SYSTEMS`, default all of them)."""
    return [f"faena_systems.{name}" for name in env.list("FAENA_SYSTEMS", ALL_SYSTEMS) if name]


def beat_schedule() -> dict[str, Any]:
    """What the systems want to run by the clock, as Celery's `beat_schedule` takes it: each one's `schedules` say."""
    found: dict[str, Any] = {}
    for system in systems():
        if find_spec(f"{system}.schedules"):
            found |= import_module(f"{system}.schedules").beat_schedule()
    return found
