"""Which jobs: what the list, an export and an action on many are about, and the WHERE that it comes to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import DurationField, ExpressionWrapper, F, Q, QuerySet, TextField
from django.db.models.functions import Cast

from faena import masking
from faena.models import Job
from faena.states import HELD, State

#: What people filter by: a name in the address, and the states it stands for.
TABS: dict[str, frozenset[State]] = {
    "pending": frozenset({State.PENDING}),
    "running": HELD,
    "paused": frozenset({State.PAUSED}),
    "completed": frozenset({State.COMPLETED}),
    "completed_with_errors": frozenset({State.COMPLETED_WITH_ERRORS}),
    "failed": frozenset({State.FAILED}),
    "cancelled": frozenset({State.CANCELLED}),
}


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list. Empty means any.

    Args:
        state: the name of a tab.
        text: part of the title, the kind, the error, or of the arguments where these hold no secrets.
        failure: what failed jobs are grouped by.
        since, until: created from the one moment on, and before the other.
        longer, shorter: seconds that the last attempt ran at least, and at most.
    """

    state: str = ""
    kind: str = ""
    queue: str = ""
    text: str = ""
    failure: str = ""
    tag: str = ""
    schedule: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    longer: float | None = None
    shorter: float | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether anything besides the state is asked for."""
        return any((self.kind, self.schedule, self.since, self.until)) or self.is_sifted

    @property
    def is_sifted(self) -> bool:
        """Whether rows must be looked at one by one."""
        return any((self.queue, self.text, self.failure, self.tag)) or (self.longer, self.shorter) != (None, None)

    @property
    def is_windowed(self) -> bool:
        """Whether no index serves it: then only the newest (of the kind, of the time) are looked at."""
        return self.is_sifted or bool(self.kind and self.state)


def found_by_index(wanted: JobFilter) -> QuerySet[Job]:
    """The jobs of the kind, the schedule and the time that are asked for."""
    jobs = Job.objects.filter(kind=wanted.kind) if wanted.kind else Job.objects.all()
    if wanted.schedule is not None:
        jobs = jobs.filter(schedule_id=wanted.schedule)
    if wanted.since:
        jobs = jobs.filter(created__gte=wanted.since)
    return jobs.filter(created__lt=wanted.until) if wanted.until else jobs


def sifted(jobs: QuerySet[Job], wanted: JobFilter) -> QuerySet[Job]:
    """Of these jobs, those that are like the rest of the filter; the state apart."""
    if wanted.queue:
        jobs = jobs.filter(queue=wanted.queue)
    if wanted.failure:
        jobs = jobs.filter(failure=wanted.failure)
    if wanted.tag:
        jobs = jobs.alias(tags_text=_text("tags")).filter(_says("tags_text", json.dumps(wanted.tag)))
    if wanted.longer is not None or wanted.shorter is not None:
        jobs = _by_duration(jobs, wanted)
    return _by_text(jobs, wanted.text) if wanted.text else jobs


def _by_duration(jobs: QuerySet[Job], wanted: JobFilter) -> QuerySet[Job]:
    jobs = jobs.alias(ran=ExpressionWrapper(F("finished") - F("started"), output_field=DurationField()))
    if wanted.longer is not None:
        jobs = jobs.filter(ran__gte=timedelta(seconds=wanted.longer))
    return jobs.filter(ran__lte=timedelta(seconds=wanted.shorter)) if wanted.shorter is not None else jobs


def _by_text(jobs: QuerySet[Job], text: str) -> QuerySet[Job]:
    jobs = jobs.alias(args_text=_text("args"), kwargs_text=_text("kwargs"), error_text=_text("error"))
    # Who may look at jobs may not look at secrets: nor guess them letter by letter through a search.
    secret = Q(args_text__iregex=masking.SECRET_IN_JSON) | Q(kwargs_text__iregex=masking.SECRET_IN_JSON)
    secret |= Q(kind__in=masking.tasks_with_secrets())
    said = Q(title__icontains=text) | Q(kind__icontains=text) | _says("error_text", text)
    return jobs.filter(said | ((_says("args_text", text) | _says("kwargs_text", text)) & ~secret))


def _says(column: str, text: str) -> Q:
    """Quotes stand escaped in JSON, and letters beyond ASCII may."""
    written = {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    return reduce(or_, (Q(**{f"{column}__icontains": each}) for each in sorted(written)))


def _text(column: str) -> Cast:
    return Cast(column, TextField())
