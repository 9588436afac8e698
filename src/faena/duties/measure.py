"""Measure: what takes a while to find out, and so is not found out whenever somebody looks at a page."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import psutil
from django.conf import settings

from faena import accounting
from faena.ledger import sql
from faena.models import Snapshot

#: Seconds between two looks, at least; and so many times as long as a look took.
LEAST, TIMES = 30.0, 50.0

BOOKS, DISK = "books", "disk"


@dataclass(frozen=True, slots=True)
class Measured:
    """In how many seconds to measure again: a long history is counted less often."""

    next_in: float


def measure_once() -> Measured:
    """Read the books and look at the disk of this host."""
    began = time.monotonic()
    books = accounting.check()
    _keep(BOOKS, asdict(books) | {"difference": books.difference, "is_balanced": books.is_balanced})
    # A project of its own may have no DATA_DIR: then the folder that the worker runs in.
    disk = psutil.disk_usage(str(getattr(settings, "DATA_DIR", ".")))
    _keep(DISK, {"total": disk.total, "free": disk.free, "percent_free": round(100 * disk.free / disk.total, 1)})
    return Measured(max(LEAST, TIMES * (time.monotonic() - began)))


def _keep(name: str, value: dict[str, Any]) -> None:
    Snapshot.objects.update_or_create(name=name, defaults={"at": sql.database_now(), "value": value})
