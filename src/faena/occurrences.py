"""Reads of schedules: the occurrences to come, and what came of those before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Now
from django.utils import timezone

from faena.models import Occurrence, Schedule
from faena.timing import BadTiming

#: Occurrences of a history, and schedules of a list, at most.
CEILING = 500


@dataclass(frozen=True, slots=True)
class ToCome:
    """A time at which a schedule will be due, and whether it will be left out."""

    due_at: datetime
    skipped: bool


def to_come(schedule: Schedule, count: int = 10) -> list[ToCome]:
    """The next occurrences, those that people skip among them; none while it does not fire."""
    if schedule.next_due is None:
        return []
    try:
        timing = schedule.timing
    except BadTiming:
        return []
    times: list[datetime] = []
    at: datetime | None = schedule.next_due
    while at is not None and len(times) < count:
        times.append(at)
        at = timing.next_after(at)
    taken = set(Occurrence.objects.filter(schedule=schedule, due_at__in=times).values_list("due_at", flat=True))
    return [ToCome(at, at in taken) for at in times]


def history(schedule: Schedule, count: int = 50) -> list[Occurrence]:
    """The latest occurrences whose time has come, newest first."""
    return list(_came(schedule.pk)[: min(count, CEILING)])


def all_schedules() -> list[Schedule]:
    """Every schedule that the code or people still have, by name."""
    return list(Schedule.objects.filter(removed=None)[:CEILING])


def last_occurrences(schedules: Iterable[Schedule]) -> dict[int, Occurrence]:
    """By schedule, the latest occurrence whose time has come."""
    newest = _came(OuterRef("pk")).values("pk")[:1]
    found = Schedule.objects.filter(pk__in=[each.pk for each in schedules]).annotate(last=Subquery(newest))
    ids = [last for last in found.values_list("last", flat=True) if last is not None]
    return {each.schedule_id: each for each in Occurrence.objects.filter(pk__in=ids)}


def strips(schedules: Iterable[Schedule], count: int = 20) -> dict[int, list[Occurrence]]:
    """By schedule, its latest occurrences whose time has come, oldest first. One statement."""
    ids = [each.pk for each in schedules]
    if not ids:
        return {}
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    found = Occurrence.objects.raw(
        # Materialized: PostgreSQL would look up where a strip begins once for each occurrence.
        f"""WITH strip AS MATERIALIZED (
                SELECT s.id, (SELECT x.due_at FROM faena_occurrence AS x WHERE x.schedule_id = s.id AND x.due_at <= %s
                               ORDER BY x.due_at DESC LIMIT 1 OFFSET %s) AS since
                  FROM faena_schedule AS s WHERE s.id IN ({", ".join("%s" for _ in ids)}))
            SELECT o.* FROM strip JOIN faena_occurrence AS o
                ON o.schedule_id = strip.id AND o.due_at <= %s AND o.due_at >= COALESCE(strip.since, '1900-01-01')
             ORDER BY o.due_at""",
        [now, count - 1, *ids, now],
    )
    strips: dict[int, list[Occurrence]] = {}
    for each in found:
        strips.setdefault(each.schedule_id, []).append(each)
    return strips


def _came(schedule_id: int | OuterRef) -> QuerySet[Occurrence]:
    return Occurrence.objects.filter(schedule=schedule_id, due_at__lte=Now()).order_by("-due_at")
