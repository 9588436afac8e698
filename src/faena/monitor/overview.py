"""Everything the first page shows, gathered from the queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from faena import conf, queries, throughput
from faena.models import Incident, Schedule, Snapshot, Worker
from faena.models.job import STATES
from faena.monitor import charts
from faena.monitor.job_page import Tab
from faena.queries import QueueStanding

#: Rows of each short list.
SHORT = 6
#: What the chart may span, in how long steps.
SPANS: dict[str, tuple[str | Promise, timedelta, timedelta]] = {
    "": (_("1 hour"), timedelta(hours=1), timedelta(minutes=1)),
    "day": (_("24 hours"), timedelta(days=1), timedelta(minutes=15)),
    "week": (_("7 days"), timedelta(days=7), timedelta(hours=2)),
}
#: A snapshot older than this is shown as one that may be out of date.
FRESH = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Books:
    """The books as they were when they were last read."""

    at: datetime
    is_fresh: bool
    is_balanced: bool
    difference: int
    accepted: int
    pruned: int
    parts: list[tuple[str, str | Promise, int]]
    impossible: dict[str, int]


def about(query: QueryDict) -> dict[str, Any]:
    """The context of the page and of its live part."""
    now = timezone.now()
    span = query.get("span", "") if query.get("span", "") in SPANS else ""
    steps = throughput.steps(SPANS[span][1], SPANS[span][2], now)
    standing = queries.queues(now)
    return {
        "now": now,
        "span": span,
        "spans": [Tab(key, label, None, key == span) for key, (label, *_rest) in SPANS.items()],
        "steps": steps,
        "peak": charts.peak(steps),
        "axis": charts.axis(steps),
        "is_quiet": not any(each.ended for each in steps),
        "rate": throughput.rates(60, now).get(""),
        "queues": busiest(standing)[:SHORT],
        "queue_count": len(standing),
        "waiting": sum(each.waiting for each in standing),
        "running": sum(each.running for each in standing),
        "oldest": min((each.oldest for each in standing if each.oldest), default=None),
        "dead": queries.count_by_tab(queries.JobFilter())["failed"],
        "workers": _alive(now),
        "due": Schedule.objects.filter(next_due__isnull=False).order_by("next_due")[:SHORT],
        "failed": queries.job_page(queries.JobFilter(state="failed"), size=SHORT).jobs,
        "books": books(now),
        "incidents": list(Incident.objects.filter(ended=None).select_related("rule")[:SHORT]),
    }


def busiest(standing: list[QueueStanding]) -> list[QueueStanding]:
    """Paused queues with jobs first, then those whose first job has waited longest."""
    late = datetime.max.replace(tzinfo=timezone.get_default_timezone())
    return sorted(standing, key=lambda each: (not (each.paused and each.waiting), each.oldest or late, each.name))


def _alive(now: datetime) -> dict[str, int]:
    alive: list[Worker] = [each for each in queries.workers() if each.seen > now - conf.get().LEASE]
    return {"count": len(alive), "slots": sum(each.slots for each in alive)}


def books(now: datetime) -> Books | None:
    """The books that the keeper has read; None before it has."""
    kept = Snapshot.objects.filter(name="books").first()
    if kept is None:
        return None
    value, labels = kept.value, {str(state): label for state, label in STATES}
    return Books(
        at=kept.at,
        is_fresh=now - kept.at < FRESH,
        is_balanced=value["is_balanced"],
        difference=value["difference"],
        accepted=value["accepted"],
        pruned=value["pruned"],
        parts=[(state, labels.get(state, state), number) for state, number in value["by_state"].items() if number],
        impossible={name: number for name, number in value["impossible"].items() if number},
    )
