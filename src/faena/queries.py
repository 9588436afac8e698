"""All reads that the pages, the API and the command line share. Each has a ceiling, so that none slows with age."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Model, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat

from faena import conf, filters
from faena.filters import TABS, JobFilter
from faena.models import AuditEntry, Job, JobItem, JobLog, Queue, Worker
from faena.states import HELD, ItemState, State

#: Rows on a page.
PAGE = 50
#: Counts stop here and are shown as "10 000+".
CEILING = 10_000
#: Filters without an index of their own look at this many of the newest jobs.
WINDOW = 10_000
#: Kinds and queues to choose from are those of this many of the newest jobs.
RECENT = 2_000
#: Log lines shown, and children of a job.
TAIL = 200
CHILDREN = 50
#: Jobs of one chain, group or chord that are drawn; and acts of people on one job that are told.
FAMILY = 300
ACTS = 50
#: The levels of log lines, the gravest last.
LEVELS = ("debug", "info", "warning", "error")
#: Jobs of one queue that are counted, and queues that are listed.
BACKLOG = 100_000
QUEUES = 500

#: As an expression it keeps the databases off the index by state, which knows no window: millions may be completed.
_PLAIN_STATE = Concat("state", Value(""))
_HEAVY = ("args", "kwargs", "message", "cursor", "result", "errors", "meta", "tags")


@dataclass(frozen=True, slots=True)
class Place:
    """A row's place in the list, for paging that stays put while rows arrive. As text: `time~id`."""

    created: datetime
    pk: UUID

    def __str__(self) -> str:
        return f"{self.created.isoformat()}~{self.pk.hex}"

    @classmethod
    def parse(cls, text: str) -> Place | None:
        """The place that `text` names, or None when it names none."""
        created, _, key = text.partition("~")
        try:
            at, pk = datetime.fromisoformat(created.replace(" ", "+")), UUID(key)
            # The ends of the calendar overflow in other time zones; no job is from there.
            return cls(at.astimezone(UTC), pk) if at.tzinfo and 1900 < at.year < 9000 else None
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class JobPage:
    """One page of the list, newest first; `newer` and `older` are the places to go on from, if there is more."""

    jobs: list[Job]
    newer: Place | None = None
    older: Place | None = None


@dataclass(frozen=True, slots=True)
class ItemPage:
    """One page of a job's items; `after` is the id to go on from, if there is more."""

    items: list[JobItem]
    after: int | None = None


# --- the list ----------------------------------------------------------------------------------


def job_page(
    wanted: JobFilter,
    before: Place | None = None,
    after: Place | None = None,
    size: int = PAGE,
    whole: bool = False,
) -> JobPage:
    """The jobs older than `before`, or newer than `after`, or the newest; `whole` with what is heavy in them."""
    jobs = _in_tab(_matching(wanted, wanted.is_windowed), wanted).defer(*(() if whole else _HEAVY))
    if after is not None:
        return _newer(jobs, after, size)
    if before is not None:
        jobs = jobs.filter(Q(created__lt=before.created) | Q(pk__lt=before.pk), created__lte=before.created)
    rows = list(jobs.order_by("-created", "-id")[: size + 1])
    shown = rows[:size]
    return JobPage(
        jobs=shown,
        newer=_place(shown[0]) if before is not None and shown else None,
        older=_place(shown[-1]) if len(rows) > size else None,
    )


def _newer(jobs: QuerySet[Job], after: Place, size: int) -> JobPage:
    jobs = jobs.filter(Q(created__gt=after.created) | Q(pk__gt=after.pk), created__gte=after.created)
    rows = list(jobs.order_by("created", "id")[: size + 1])
    shown = rows[:size][::-1]
    return JobPage(
        jobs=shown,
        newer=_place(shown[0]) if len(rows) > size else None,
        older=_place(shown[-1]) if shown else None,
    )


def _place(job: Job) -> Place:
    return Place(job.created, job.pk)


def _matching(wanted: JobFilter, windowed: bool) -> QuerySet[Job]:
    """Everything asked for but the state."""
    jobs = filters.found_by_index(wanted)
    return filters.sifted(_newest(jobs) if windowed else jobs, wanted)


def _in_tab(jobs: QuerySet[Job], wanted: JobFilter) -> QuerySet[Job]:
    if wanted.state not in TABS:
        return jobs
    states = sorted(TABS[wanted.state])
    if wanted.is_windowed:
        return jobs.alias(plain_state=_PLAIN_STATE).filter(plain_state__in=states)
    return jobs.filter(state__in=states)


def _newest(jobs: QuerySet[Job]) -> QuerySet[Job]:
    floor = jobs.order_by("-created").values_list("created", flat=True)[WINDOW : WINDOW + 1].first()
    return jobs if floor is None else jobs.filter(created__gt=floor)


def count_by_tab(wanted: JobFilter, ceiling: int = CEILING) -> dict[str, int]:
    """Jobs per tab, each counted up to `ceiling`; under a filter, of the newest `WINDOW` jobs. One statement."""
    if wanted.is_narrow:
        return _by_tab(_counted(_matching(wanted, windowed=True)), ceiling)
    states = [str(state) for state in State]
    one = "(SELECT count(*) FROM (SELECT 1 FROM faena_job WHERE state = %s LIMIT %s) AS few)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(one for _ in states)}",
            [value for state in states for value in (state, ceiling + 1)],
        )
        return _by_tab(Counter(dict(zip(states, cursor.fetchone() or [], strict=True))), ceiling)


def _counted(jobs: QuerySet[Job]) -> Counter[str]:
    by_state = jobs.order_by().annotate(plain_state=_PLAIN_STATE).values_list("plain_state")
    return Counter(dict(by_state.annotate(number=Count("*"))))


def _by_tab(numbers: Counter[str], ceiling: int) -> dict[str, int]:
    return {tab: min(sum(numbers[state] for state in states), ceiling + 1) for tab, states in TABS.items()}


def recent_choices() -> tuple[list[str], list[str], list[str]]:
    """The kinds, queues and tags of the newest jobs, to choose from."""
    newest = Job.objects.order_by("-created", "-id").annotate(said=Cast("tags", TextField()))
    triples = set(newest.values_list("kind", "queue", "said")[:RECENT])
    tags = {str(tag) for said in {said for _, _, said in triples} for tag in json.loads(said)}
    return sorted({kind for kind, _, _ in triples}), sorted({queue for _, queue, _ in triples}), sorted(tags)


def count_up_to(rows: QuerySet[Any], ceiling: int = CEILING) -> int:
    """The number of rows; `ceiling + 1` says that there are more than `ceiling`."""
    return rows.order_by()[: ceiling + 1].count()


# --- one job -----------------------------------------------------------------------------------


def job(pk: UUID) -> Job | None:
    """The job with everything in it."""
    return Job.objects.filter(pk=pk).first()


def states(pks: Iterable[UUID]) -> dict[UUID, str]:
    """The states of those jobs that are there."""
    return dict(Job.objects.filter(pk__in=list(pks)).values_list("pk", "state"))


def job_exists(pk: UUID) -> bool:
    """Whether the ledger knows this job."""
    return Job.objects.filter(pk=pk).exists()


def relatives(of: Job) -> tuple[Job | None, list[Job]]:
    """The job's parent and its first children."""
    parent = Job.objects.filter(pk=of.parent_id).defer(*_HEAVY).first() if of.parent_id else None
    # By root: that column has the index.
    family = Job.objects.filter(root_id=of.root_id or of.pk, parent_id=of.pk).exclude(pk=of.pk)
    return parent, list(family.defer(*_HEAVY).order_by("created", "id")[:CHILDREN])


def family(of: Job) -> list[Job]:
    """The jobs of the same chain, group or chord, oldest first, itself among them."""
    root = of.root_id or of.pk
    found = Job.objects.filter(Q(root_id=root) | Q(pk=root)).defer(*_HEAVY)
    return list(found.order_by("created", "id")[:FAMILY])


def acts_on(job_id: UUID) -> list[AuditEntry]:
    """What people did to the job, oldest first; the latest, if there is much."""
    return list(AuditEntry.objects.filter(job_id=job_id).order_by("-id")[:ACTS])[::-1]


def item_page(job_id: UUID, state: str = "", after: int = 0, size: int = PAGE) -> ItemPage:
    """The job's items past id `after`, of one state or of any."""
    items = JobItem.objects.filter(job_id=job_id, id__gt=after)
    if state:
        items = items.filter(state=state)
    rows = list(items.order_by("id")[: size + 1])
    return ItemPage(rows[:size], _last(rows[:size]) if len(rows) > size else None)


def item_counts(job_id: UUID, ceiling: int = 1_000) -> dict[str, int]:
    """The job's items per state, each counted up to `ceiling`. One statement."""
    one = "(SELECT count(*) FROM (SELECT 1 FROM faena_jobitem WHERE job_id = %s AND state = %s LIMIT %s) AS few)"
    key = Job._meta.pk.get_db_prep_value(job_id, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(one for _ in ItemState)}",
            [value for state in ItemState for value in (key, str(state), ceiling + 1)],
        )
        return dict(zip(map(str, ItemState), cursor.fetchone() or [], strict=True))


def log_tail(job_id: UUID, size: int = TAIL, level: str = "") -> list[JobLog]:
    """The last lines of the job's log, oldest first; of this level and the graver ones, if one is named."""
    lines = JobLog.objects.filter(job_id=job_id)
    if level in LEVELS:
        lines = lines.filter(level__in=LEVELS[LEVELS.index(level) :])
    return list(lines.order_by("-id")[:size])[::-1]


def log_after(job_id: UUID, after: int, size: int = TAIL) -> list[JobLog]:
    """The lines of the job's log past id `after`, oldest first."""
    return list(JobLog.objects.filter(job_id=job_id, id__gt=after).order_by("id")[:size])


def _last(rows: Iterable[Model]) -> int | None:
    return max((row.pk for row in rows), default=None)


# --- who works ---------------------------------------------------------------------------------


def workers(ceiling: int = 500) -> list[Worker]:
    """The workers that were heard of within the last day, those heard of last first."""
    return list(Worker.objects.order_by("-seen", "name")[:ceiling])


def held(ceiling: int = 500) -> list[Job]:
    """The jobs that run now, those that have run longest first."""
    return list(Job.objects.filter(state__in=sorted(HELD)).defer(*_HEAVY).order_by("started")[:ceiling])


@dataclass(frozen=True, slots=True)
class QueueStanding:
    """A queue now: jobs that wait (delayed ones too) and run, workers that listen, and since when it is paused."""

    name: str
    #: Up to `BACKLOG + 1`, which says that there are more.
    waiting: int
    running: int
    workers: int
    paused: datetime | None
    paused_by: str
    #: When the job that waits longest was due; None when none is.
    oldest: datetime | None = None


def queues(now: datetime | None = None) -> list[QueueStanding]:
    """Every queue with live jobs, listening workers or a pause, by name."""
    now = now or datetime.now(UTC)
    backlog = _backlog(now)
    running = Counter(Job.objects.filter(state__in=sorted(HELD)).values_list("queue", flat=True)[:CEILING])
    heard = now - conf.get().LEASE
    listening = Counter(name for each in workers() if each.seen > heard for name in each.queues)
    paused = {each.name: each for each in Queue.objects.filter(paused__isnull=False)}
    return [
        QueueStanding(
            name, backlog[name][0] if name in backlog else 0, running[name], listening[name],
            *((paused[name].paused, paused[name].paused_by) if name in paused else (None, "")),
            oldest=backlog[name][1] if name in backlog else None,
        )
        for name in sorted({*backlog, *running, *listening, *paused})
    ]  # fmt: skip


def _backlog(now: datetime) -> dict[str, tuple[int, datetime | None]]:
    """By queue, how many jobs wait and since when the first has been due. Hops along an index from queue to queue."""
    of_queue = "state = 'pending' AND queue = hop.queue"
    due = connection.ops.adapt_datetimefield_value(now)
    # The index has each priority's first: ten looks instead of one at every job.
    firsts = ", ".join(
        f"(SELECT min(run_at) FROM faena_job WHERE {of_queue} AND priority = {priority} AND run_at <= %s)"
        for priority in range(10)
    )
    statement = f"""
        WITH RECURSIVE hop(queue) AS (
            SELECT min(queue) FROM faena_job WHERE state = 'pending'
            UNION ALL
            SELECT (SELECT min(queue) FROM faena_job WHERE state = 'pending' AND queue > hop.queue)
              FROM hop WHERE hop.queue IS NOT NULL)
        SELECT hop.queue, (SELECT count(*) FROM (SELECT 1 FROM faena_job WHERE {of_queue} LIMIT %s) AS few), {firsts}
          FROM hop WHERE hop.queue IS NOT NULL LIMIT %s"""
    with connection.cursor() as cursor:
        cursor.execute(statement, [BACKLOG + 1, *[due] * 10, QUEUES])
        return {queue: (count, min(map(_utc, filter(None, times)), default=None))
                for queue, count, *times in cursor.fetchall()}  # fmt: skip


def _utc(at: Any) -> datetime:
    """A time as the driver gave it: SQLite's is text without a zone, in UTC."""
    at = datetime.fromisoformat(at) if isinstance(at, str) else at
    return at if at.tzinfo else at.replace(tzinfo=UTC)
