"""Everything the pages of the schedules show, gathered from the queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from faena import occurrences, queries
from faena.models import Occurrence, Schedule
from faena.models.occurrence import Outcome
from faena.models.schedule import Source

#: Occurrences in a strip of the list, and in the history of one schedule.
STRIP, HISTORY = 20, 60


@dataclass(frozen=True, slots=True)
class Mark:
    """One occurrence: what came of it, and of its job."""

    occurrence: Occurrence
    #: The job's state while it is kept; else the occurrence's outcome.
    state: str


@dataclass(frozen=True, slots=True)
class Row:
    """One schedule and what came of its latest occurrences, oldest first."""

    schedule: Schedule
    marks: Sequence[Mark]


def about() -> dict[str, Any]:
    """The context of the list and of its live part."""
    schedules = occurrences.all_schedules()
    strips = occurrences.strips(schedules, STRIP)
    marks = _marks(each for strip in strips.values() for each in strip)
    rows = [Row(each, [marks[came.pk] for came in strips.get(each.pk, [])]) for each in schedules]
    rows.sort(key=lambda row: (not row.schedule.problem, row.schedule.next_due is None, row.schedule.name))
    return {"now": timezone.now(), "rows": rows}


def about_one(schedule: Schedule) -> dict[str, Any]:
    """The context of one schedule's page and of its live part."""
    came = occurrences.history(schedule, HISTORY)
    marks = _marks(came)
    return {
        "now": timezone.now(),
        "schedule": schedule,
        "is_code": schedule.source == Source.CODE,
        "to_come": occurrences.to_come(schedule, 10),
        "came": [marks[each.pk] for each in came],
        "strip_marks": [marks[each.pk] for each in reversed(came)],
    }


def _marks(came: Iterable[Occurrence]) -> dict[int, Mark]:
    came = list(came)
    states = queries.states({each.job_id for each in came if each.job_id})
    return {each.pk: Mark(each, _state(each, states.get(each.job_id) if each.job_id else None)) for each in came}


def _state(occurrence: Occurrence, job_state: str | None) -> str:
    if occurrence.outcome == Outcome.FIRED and job_state:
        return job_state
    return str(occurrence.outcome)
