"""How far a job is, how fast it goes, and how long it still takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from faena.models import Job

#: Seconds that must pass before what was seen gives a rate.
SETTLED = 2.0
#: Seconds that a job may still take, at most, as far as people are told: no calendar has room for more.
LONGEST = 1e9


@dataclass(frozen=True, slots=True)
class Progress:
    """What the page says about a job's progress."""

    processed: int
    percent: int | None
    rate: float | None
    left: timedelta | None
    #: When watching began and what was processed then; the live part sends it back, so nothing is kept here.
    since: str


def progress_of(job: Job, now: datetime, since: str = "") -> Progress:
    """Progress at `now`, with the rate since watching began at `since` (or since the start, if it ran only once)."""
    processed = job.done + job.failed + job.skipped
    moment, before = _parse(since) or (now.timestamp(), processed)
    if before > processed:  # retried from the first row
        moment, before = now.timestamp(), processed
    rate = _rate(job, now, processed, now.timestamp() - moment, processed - before) if job.is_held else None
    left = timedelta(seconds=min(LONGEST, max(0, job.total - processed) / rate)) if rate and job.total else None
    return Progress(processed, job.percent, rate, left, f"{moment:.1f}:{before}")


def _rate(job: Job, now: datetime, processed: int, seconds: float, rows: int) -> float | None:
    if seconds >= SETTLED and rows > 0:
        return rows / seconds
    ran = (now - job.started).total_seconds() if job.started else 0.0
    # After a resume the start is newer than the first rows: they would make it look too fast.
    return processed / ran if job.fence == 1 and ran > 0.5 and processed else None


def _parse(since: str) -> tuple[float, int] | None:
    try:
        moment, before = float(since.partition(":")[0]), int(since.partition(":")[2])
    except ValueError:
        return None
    return (moment, before) if 0 <= moment < 1e12 and 0 <= before < 2**63 else None
