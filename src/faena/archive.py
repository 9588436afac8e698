"""Finished jobs as plain records, for files: page by page, so that a million need no more memory than a few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from faena.models import Job, JobItem, JobLog
from faena.states import ItemState

#: Rows read at a time.
PAGE = 500

_ITEM = ("key", "state", "message", "output", "at", "seconds")
_LINE = ("at", "level", "text", "attempt")


def records(
    ends: Mapping[str, Any], kind: str = "", queue: str = "", items: bool = False, log: bool = False
) -> Iterator[dict[str, Any]]:
    """Each job as a record, followed by its items and its log lines as records of their own.

    Args:
        ends: per state, the moment before which jobs must have ended, as `duties.prune` has them.
        items, log: whether to add the items and the log lines.
    """
    for state, end in ends.items():
        jobs = Job.objects.filter(state=state, finished__lt=RawSQL("%s", [end]))
        if kind:
            jobs = jobs.filter(kind=kind)
        if queue:
            jobs = jobs.filter(queue=queue)
        for job in _jobs(jobs):
            yield {"record": "job"} | {each.attname: getattr(job, each.attname) for each in Job._meta.concrete_fields}
            if items:
                for each in ItemState:  # as the index has them
                    yield from _parts("item", JobItem.objects.filter(job=job, state=each), _ITEM)
            if log:
                yield from _parts("line", JobLog.objects.filter(job=job), _LINE)


def _jobs(jobs: QuerySet[Job]) -> Iterator[Job]:
    page = list(jobs.order_by("created", "pk")[:PAGE])
    while page:
        yield from page
        last = page[-1]
        later = jobs.filter(Q(created__gt=last.created) | Q(pk__gt=last.pk), created__gte=last.created)
        page = list(later.order_by("created", "pk")[:PAGE])


def _parts(name: str, parts: QuerySet[Any], columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    last = 0
    while page := list(parts.filter(pk__gt=last).order_by("pk")[:PAGE]):
        for part in page:
            yield {"record": name, "job_id": part.job_id} | {each: getattr(part, each) for each in columns}
        last = page[-1].pk
