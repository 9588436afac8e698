"""Reads of the audit: who did what, to which job, when, from where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Max

from faena.models import AuditEntry

#: Entries on a page.
PAGE = 50
#: Filters without an index look at this many of the latest entries.
WINDOW = 50_000


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries. Empty means any."""

    actor: str = ""
    action: str = ""
    job: UUID | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """One page, newest first; `older` is the number to go on below, if there is more."""

    entries: Sequence[AuditEntry]
    older: int | None = None


def page(wanted: AuditFilter, below: int | None = None, size: int = PAGE) -> AuditPage:
    """The entries below that number, or the newest."""
    found = AuditEntry.objects.order_by("-id")
    if wanted.job:
        found = found.filter(job_id=wanted.job)
    exact = {name: getattr(wanted, name) for name in ("actor", "action", "address") if getattr(wanted, name)}
    if exact:
        newest = AuditEntry.objects.aggregate(newest=Max("id"))["newest"] or 0
        found = found.filter(id__gt=newest - WINDOW, **exact)
    if below is not None:
        found = found.filter(id__lt=below)
    rows = list(found[: size + 1])
    return AuditPage(rows[:size], rows[size - 1].pk if len(rows) > size else None)


def choices(recent: int = 2_000) -> tuple[list[str], list[str]]:
    """The people and the actions of the latest entries, to choose from."""
    pairs = list(AuditEntry.objects.order_by("-id").values_list("actor", "action")[:recent])
    return sorted({actor for actor, _ in pairs}), sorted({action for _, action in pairs})
