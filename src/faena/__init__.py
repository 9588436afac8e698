"""Faena: background work for Python web teams on Celery. The public names, each loaded when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from faena.celery.install import install
    from faena.celery.job import enqueue_many, job
    from faena.errors import Invalid, PermanentFailure
    from faena.run import Run

_HOMES = {
    "install": "faena.celery.install",
    "job": "faena.celery.job",
    "enqueue_many": "faena.celery.job",
    "Invalid": "faena.errors",
    "PermanentFailure": "faena.errors",
    "Run": "faena.run",
}

__version__ = "0.1.0"
__all__ = ["Invalid", "PermanentFailure", "Run", "enqueue_many", "install", "job"]


def __getattr__(name: str) -> Any:
    # Lazily: `faena` is an installed app, and Django imports it before models may be loaded.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'faena' has no attribute {name!r}")
