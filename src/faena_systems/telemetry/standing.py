"""How the synchronisation stands: what ran last, how far it came, when it runs again, what is in its way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from faena.models import Job, Schedule
from faena.states import State

from .models import Watermark
from .panaccess import configuration

SYNC = "TelemetriaDelancer.tasks.sync_telemetry_task"
MERGE = "TelemetriaDelancer.tasks.merge_ott_task"
CHAIN = "TelemetriaDelancer.tasks.sync_and_merge_telemetry_chain"


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that the page says of it; ``missing`` are the variables without which PanAccess cannot be reached."""

    missing: list[str]
    sync: Job | None
    merge: Job | None
    schedule: Schedule | None
    watermarks: dict[str, Watermark]

    @property
    def running(self) -> Job | None:
        """The synchronisation or merge that is not over yet."""
        return next((job for job in (self.sync, self.merge) if job and not job.is_finished), None)

    @property
    def failed(self) -> Job | None:
        """The latest synchronisation or merge, if it ended badly."""
        bad = {State.FAILED, State.CANCELLED}
        return next((job for job in (self.sync, self.merge) if job and job.state in bad), None)

    @property
    def downloaded(self) -> Watermark | None:
        """Up to which record everything is here."""
        return self.watermarks.get(Watermark.Of.SYNC)

    @property
    def merged(self) -> Watermark | None:
        """Up to which record everything is merged."""
        return self.watermarks.get(Watermark.Of.MERGE)

    @property
    def next_due(self) -> datetime | None:
        """When it runs again by itself; None when it does not."""
        return self.schedule.next_due if self.schedule else None


def standing() -> Standing:
    """Look it up; a few rows by their indexes."""
    return Standing(
        missing=configuration.missing(),
        sync=_latest(SYNC, CHAIN),
        merge=_latest(MERGE, CHAIN),
        schedule=Schedule.objects.filter(task=CHAIN, removed=None).order_by("-enabled", "name").first(),
        watermarks={mark.of: mark for mark in Watermark.objects.all()},
    )


def _latest(*kinds: str) -> Job | None:
    return Job.objects.filter(kind__in=kinds).order_by("-created", "-id").first()
