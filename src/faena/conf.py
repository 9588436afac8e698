"""Faena's settings: the dict `FAENA` in Django's settings, over these defaults.

    FAENA = {"LEASE": timedelta(seconds=12), "UNRECORDED": ["debug.*"]}

An unknown name is an error at start that says which name was probably meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from difflib import get_close_matches
from functools import cache
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed

from faena.errors import ConfigurationError
from faena.states import State


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default."""

    #: How long a running job stays a worker's own without a heartbeat.
    LEASE: timedelta = timedelta(seconds=12)
    #: How often a worker extends the leases of what it runs.
    HEARTBEAT: timedelta = timedelta(seconds=3)
    #: A lease that is overdue by this much is reaped although its process on this host looks alive.
    LEASE_GRACE: timedelta = timedelta(seconds=60)
    #: How many workers a job may kill before it fails for good.
    MAX_CRASHES: int = 5
    #: A cancelled body that has not stopped by itself after this long is ended with its pool process; None: never.
    CANCEL_GRACE: timedelta | None = timedelta(seconds=30)
    #: How often the keeper dispatches what is due.
    RELAY_INTERVAL: timedelta = timedelta(seconds=1)
    #: How often the keeper looks for jobs whose worker died.
    REAP_INTERVAL: timedelta = timedelta(seconds=2)
    #: How often the keeper compares the broker's queues with the ledger.
    RECONCILE_INTERVAL: timedelta = timedelta(seconds=5)
    #: How often the keeper deletes finished jobs past their retention.
    PRUNE_INTERVAL: timedelta = timedelta(minutes=10)
    #: How long finished jobs are kept, per state.
    RETENTION: dict[str, timedelta] = field(
        default_factory=lambda: {
            State.COMPLETED: timedelta(days=30),
            State.COMPLETED_WITH_ERRORS: timedelta(days=90),
            State.FAILED: timedelta(days=90),
            State.CANCELLED: timedelta(days=30),
        }
    )
    #: Task names (patterns as in a shell) that stay pure Celery.
    UNRECORDED: Sequence[str] = ("celery.backend_cleanup",)
    #: After the broker refused a message, leave publishing to the keeper for this long.
    BROKER_PAUSE: timedelta = timedelta(seconds=5)


@cache
def get() -> Settings:
    """The settings in force.

    Raises:
        ConfigurationError: the dict `FAENA` names a setting that does not exist.
    """
    given: dict[str, Any] = getattr(django_settings, "FAENA", {})
    known = {each.name for each in fields(Settings)}
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f", did you mean {near[0]}?" if near else f". Known: {', '.join(sorted(known))}."
            raise ConfigurationError(f"Unknown setting FAENA[{name!r}]{hint}")
    return Settings(**given)


def _forget(*, setting: str, **_: object) -> None:
    if setting == "FAENA":
        get.cache_clear()


setting_changed.connect(_forget, dispatch_uid="faena.conf")
