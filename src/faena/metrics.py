"""What Prometheus reads, computed from the database: the same whichever web process is asked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from faena import accounting, conf, queries
from faena.accounting import Books
from faena.ledger import sql
from faena.models import FinishedCount, Schedule

#: Upper bounds of the histogram of durations, in seconds.
BUCKETS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400)
#: Counted are jobs that ended so long ago: a settlement may be on its way to its commit.
LAG = timedelta(seconds=5)
#: The first time somebody asks, the counters begin so far back.
BEGIN = timedelta(hours=1)
#: Jobs that one call counts in at most (and those that ended at the same moment as the last); the next goes on there.
MOST = 50_000
#: Kinds, queues and outcomes that are told apart; beyond that they are all `other`.
SERIES = 2_000
#: How long the books are believed.
BOOKS_KEPT = timedelta(minutes=1)
_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('faena.metrics', 0))"


def text() -> bytes:
    """The metrics in Prometheus's text format."""
    count_finished_once()
    registry = CollectorRegistry()
    registry.register(_Ledger())
    return generate_latest(registry)


# --- counters ----------------------------------------------------------------------------------


def count_finished_once() -> int:
    """Add the jobs that have ended since the last call to the counters; how many. Of two at once one waits."""
    with transaction.atomic():
        if sql.is_postgresql():
            sql.rows(_TURN)
        now = sql.database_now()
        since = FinishedCount.objects.order_by("-until").values_list("until", flat=True).first() or now - BEGIN
        until = _bound(since, now - LAG)
        groups = _ended(since, until) if until > since else []
        known = {(each.kind, each.queue, each.outcome): each for each in FinishedCount.objects.all()}
        for kind, queue, outcome, *numbers in groups:
            _add(known, (kind, queue, outcome), numbers, until)
    return sum(each[3] for each in groups)


def _bound(since: datetime, until: datetime) -> datetime:
    """The end of the next stretch: `until`, or where so many jobs have ended that the next call has to go on."""
    found = sql.rows(
        f"""SELECT finished FROM faena_job WHERE state IN {sql.IN_FINISHED} AND finished > %s AND finished <= %s
             ORDER BY finished LIMIT 1 OFFSET {MOST}""",
        [sql.moment(since), sql.moment(until)],
    )
    return sql.as_time(found[0][0]) if found else until


def _ended(since: datetime, until: datetime) -> list[tuple]:
    """(kind, queue, outcome, number, seconds, number of each bucket) of what ended after `since` up to `until`."""
    took = (
        "EXTRACT(EPOCH FROM finished - started)"
        if sql.is_postgresql()
        else "((julianday(finished) - julianday(started)) * 86400.0)"
    )
    buckets = ", ".join(f"sum(CASE WHEN {took} <= {bound} THEN 1 ELSE 0 END)" for bound in BUCKETS)
    return sql.rows(
        f"""SELECT kind, queue, state, count(*), COALESCE(sum({took}), 0), count(started), {buckets}
              FROM faena_job WHERE state IN {sql.IN_FINISHED} AND finished > %s AND finished <= %s
             GROUP BY kind, queue, state""",
        [sql.moment(since), sql.moment(until)],
    )


def _add(known: dict[tuple, FinishedCount], name: tuple[str, str, str], numbers: list[Any], until: datetime) -> None:
    if name not in known and len(known) >= SERIES:
        name = ("other", "other", name[2])
    row = known.get(name) or FinishedCount(kind=name[0], queue=name[1], outcome=name[2], until=until)
    number, seconds, *counts = numbers
    row.number += number
    row.seconds += float(seconds)
    before: list[int] = row.buckets or [0] * len(counts)
    row.buckets = [old + int(new) for old, new in zip(before, counts, strict=True)]
    row.until = until
    row.save()
    known[name] = row


# --- what is now -------------------------------------------------------------------------------


def oldest_waits() -> dict[str, float]:
    """By queue, how many seconds the job that waits longest has been due."""
    now = sql.now()
    age = f"EXTRACT(EPOCH FROM {now} - min(run_at))" if sql.is_postgresql() else _AGE.format(now=now)
    # SQLite, which nobody analyzes, would rather read every waiting row than the index that has all of this.
    through = "" if sql.is_postgresql() else " INDEXED BY faena_job_waiting"
    found = sql.rows(
        f"SELECT queue, {age} FROM faena_job{through} WHERE state = 'pending' AND run_at <= {now} GROUP BY queue"
    )
    return {queue: max(0.0, round(float(seconds), 3)) for queue, seconds in found}


_AGE = "((julianday({now}) - julianday(min(run_at))) * 86400.0)"


class _Ledger(Collector):
    """Everything, each time that it is asked for."""

    def collect(self) -> Iterator[Any]:
        """The families of metrics."""
        yield from _finished()
        yield from _queues()
        yield _workers()
        yield _schedule_lag()
        yield from _books()


def _finished() -> Iterator[Any]:
    ended = CounterMetricFamily("faena_jobs_finished", "Jobs that ended.", labels=["kind", "queue", "outcome"])
    took = HistogramMetricFamily("faena_job_duration_seconds", "How long jobs ran.", labels=["kind", "queue"])
    sums: dict[tuple[str, str], tuple[float, list[int]]] = {}
    for each in FinishedCount.objects.order_by("kind", "queue", "outcome")[: SERIES + 10]:
        ended.add_metric([each.kind, each.queue, each.outcome], each.number)
        seconds, counts = sums.get((each.kind, each.queue), (0.0, [0] * (1 + len(BUCKETS))))
        both = zip(counts, each.buckets, strict=True)
        sums[each.kind, each.queue] = (seconds + each.seconds, [old + new for old, new in both])
    for labels, (seconds, (started, *counts)) in sums.items():
        bounds = [
            *((str(float(bound)), count) for bound, count in zip(BUCKETS, counts, strict=True)),
            ("+Inf", started),
        ]
        took.add_metric(list(labels), bounds, seconds)
    yield ended
    yield took


def _queues() -> Iterator[Any]:
    jobs = GaugeMetricFamily("faena_jobs", "Live jobs.", labels=["queue", "state"])
    oldest = GaugeMetricFamily(
        "faena_oldest_wait_seconds", "Since when the oldest waiting job is due.", labels=["queue"]
    )
    paused = GaugeMetricFamily("faena_queue_paused", "1 while the queue is paused.", labels=["queue"])
    listening = GaugeMetricFamily("faena_queue_workers", "Workers that listen to the queue.", labels=["queue"])
    waits = oldest_waits()
    for each in queries.queues():
        jobs.add_metric([each.name, "waiting"], each.waiting)
        jobs.add_metric([each.name, "running"], each.running)
        oldest.add_metric([each.name], waits.get(each.name, 0.0))
        paused.add_metric([each.name], int(each.paused is not None))
        listening.add_metric([each.name], each.workers)
    yield from (jobs, oldest, paused, listening)


def _workers() -> Any:
    heard = sql.database_now() - conf.get().LEASE
    return GaugeMetricFamily(
        "faena_workers", "Workers that are alive.", value=sum(each.seen > heard for each in queries.workers())
    )


def _schedule_lag() -> Any:
    """How late the schedule is that is most overdue: above a few seconds nobody ticks."""
    due = (
        Schedule.objects.filter(next_due__isnull=False).order_by("next_due").values_list("next_due", flat=True).first()
    )
    late = (sql.database_now() - due).total_seconds() if due else 0.0
    return GaugeMetricFamily(
        "faena_schedule_lag_seconds", "How late the most overdue schedule is.", value=max(0.0, late)
    )


def _books() -> Iterator[Any]:
    accepted, pruned = sql.rows("SELECT COALESCE(sum(accepted), 0), COALESCE(sum(pruned), 0) FROM faena_tally")[0]
    yield CounterMetricFamily("faena_jobs_accepted", "Jobs that were ever accepted.", value=accepted)
    yield CounterMetricFamily("faena_jobs_pruned", "Finished jobs that were deleted.", value=pruned)
    books = _recent_books()
    balanced, difference = int(books.is_balanced), books.difference
    yield GaugeMetricFamily("faena_books_difference", "Jobs that are missing.", value=difference)
    yield GaugeMetricFamily("faena_books_balanced", "1 while every job is accounted for.", value=balanced)


def _recent_books() -> Books:
    """The books of at most a minute ago: they count every row."""
    global _last_books
    if _last_books is None or time.monotonic() - _last_books[0] > BOOKS_KEPT.total_seconds():
        _last_books = time.monotonic(), accounting.check()
    return _last_books[1]


_last_books: tuple[float, Books] | None = None
