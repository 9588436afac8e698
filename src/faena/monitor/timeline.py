"""What happened to a job, and how long it was in which state: from its row, its failed attempts and the audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from faena.models import AuditEntry, Job
from faena.monitor.audit_words import said
from faena.states import State


@dataclass(frozen=True, slots=True)
class Step:
    """A moment of a job's life and how long it took from the one before."""

    label: str | Promise
    at: datetime
    state: str
    after: timedelta | None
    is_new_day: bool
    by: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time that the job spent in one state; `x` and `width` in per cent of its whole life."""

    state: str
    lasted: timedelta
    x: str
    width: str


def steps(job: Job, acts: Sequence[AuditEntry] = ()) -> list[Step]:
    """Created, sent, each failed attempt, what people did, started, ended; each with the time since the one before."""
    moments = sorted(_moments(job, acts), key=lambda each: each[1])
    found: list[Step] = []
    for label, at, state, by in moments:
        since = at - found[-1].at if found else None
        is_new_day = not found or timezone.localdate(at) != timezone.localdate(found[-1].at)
        found.append(Step(label, at, str(state), since, is_new_day, by))
    return found


def _moments(job: Job, acts: Sequence[AuditEntry]) -> list[tuple[str | Promise, datetime, str, str]]:
    found: list[tuple[str | Promise, datetime, str, str]] = [(_("Created"), job.created, "", "")]
    if job.dispatched:
        found.append((_("Sent to the queue"), job.dispatched, "", ""))
    # A job that waits for its next attempt has started before: that start belongs to the attempt that failed.
    if job.started and not (job.state == State.PENDING and job.run_at > job.started):
        found.append((_("Started"), job.started, State.RUNNING, ""))
    if job.finished:
        found.append((_("Ended"), job.finished, job.state, ""))
    for error in job.errors or []:
        at = parse_datetime(str(error.get("at", "")))
        if at is not None:
            label = _("Attempt %(number)d failed") % {"number": error.get("attempt", 0) + 1}
            found.append((label, at if at.tzinfo else timezone.make_aware(at), State.FAILED, ""))
    return found + [(said(act.action), act.at, "", act.actor) for act in acts]


def stretches(job: Job, now: datetime) -> list[Stretch]:
    """Waited, then ran: what is known for sure, of a job that ran once and was not held back."""
    end = job.finished or now
    whole = (end - job.created).total_seconds()
    if job.fence != 1 or not job.started or job.errors or whole <= 0 or job.state == State.PAUSED:
        return []
    waited, ran = job.started - job.created, end - job.started
    share = min(98.0, max(2.0, 100 * waited.total_seconds() / whole))
    return [
        Stretch(State.PENDING, max(timedelta(0), waited), "0", f"{share:.2f}"),
        Stretch(job.state if job.is_held else State.RUNNING, ran, f"{share:.2f}", f"{100 - share:.2f}"),
    ]
