"""Everything the page of the workers shows, gathered from the queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from faena import conf, queries
from faena.models import Job, Worker


@dataclass(frozen=True, slots=True)
class Row:
    """One worker, and what it runs."""

    worker: Worker
    jobs: Sequence[Job]
    #: at work | quiet | late | gone
    standing: str
    silent_for: timedelta

    @property
    def is_alive(self) -> bool:
        """Whether it answers."""
        return self.standing in {"at work", "quiet"}

    @property
    def load(self) -> int:
        """Per cent of its places that are taken."""
        return min(100, round(100 * len(self.jobs) / self.worker.slots)) if self.worker.slots else 0


def about() -> dict[str, Any]:
    """The context of the page and of its live part."""
    now = timezone.now()
    running: dict[str, list[Job]] = {}
    for job in queries.held():
        running.setdefault(job.worker, []).append(job)
    rows = [_row(each, running.pop(each.name, []), now - each.seen) for each in queries.workers()]
    rows.sort(key=lambda row: (not row.is_alive, row.worker.name))
    alive = [each for each in rows if each.is_alive]
    return {
        "now": now,
        "rows": rows,
        "alive": len(alive),
        "busy": sum(len(each.jobs) for each in alive),
        "slots": sum(each.worker.slots for each in alive),
        "cpu": sum(each.worker.cpu or 0 for each in alive),
        "memory": sum(each.worker.memory or 0 for each in alive),
    }


def _row(worker: Worker, jobs: Sequence[Job], silent_for: timedelta) -> Row:
    lease = conf.get().LEASE
    if silent_for <= lease:
        standing = "at work" if worker.queues else "quiet"
    else:
        standing = "late" if silent_for <= 3 * lease else "gone"
    return Row(worker, jobs, standing, silent_for)
