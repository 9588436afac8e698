"""Why a job is not running, or not over: one true sentence, read from the ledger, and what to do about it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from faena import conf, queries
from faena.credentials import without_credentials
from faena.duties.keeper import POST
from faena.ledger import doorbell, firing, leases
from faena.ledger.enqueue import NOT_YET
from faena.ledger.limits import Rate
from faena.models import AuditEntry, Job, Lease, Occurrence, Permit, Queue, Worker
from faena.models.occurrence import Outcome
from faena.states import HELD, LIVE, State, Stop

#: Related jobs that are named, and the most that are counted.
NAMED = 10
COUNTED = 1_000
#: How long the broker may take to answer, and how long its answer is believed.
PATIENCE = 2.0
BELIEVED = 3.0
SILENCE = gettext_noop("it does not answer within %(seconds)d s")
#: The pools whose processes a cancel can end.
ENDED_BY_CANCEL = frozenset({"prefork"})


class Reason(StrEnum):
    """Every reason; docs/why-is-it-not-running.md says what to do about each."""

    QUEUE_PAUSED = "queue_paused"
    WAITS_FOR_JOBS = "waits_for_jobs"
    WAITS_FOR_RETRY = "waits_for_retry"
    DELAYED = "delayed"
    LIMIT_FULL = "limit_full"
    RATE_USED_UP = "rate_used_up"
    NO_WORKER = "no_worker"
    NOBODY_LISTENS = "nobody_listens"
    BROKER_UNREACHABLE = "broker_unreachable"
    NO_KEEPER = "no_keeper"
    AFTER_CRASH = "after_crash"
    WORKERS_BUSY = "workers_busy"
    ON_ITS_WAY = "on_its_way"
    WORKER_SILENT = "worker_silent"
    PAUSING = "pausing"
    CANCELLING = "cancelling"
    MOVING = "moving"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNKNOWN_TASK = "unknown_task"


@dataclass(frozen=True, slots=True)
class Related:
    """A job that has to do with it."""

    id: UUID
    title: str
    worker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The reason, in the reader's language: what is the case, what to do, since when, until when, because of whom."""

    code: Reason
    sentence: str
    hint: str = ""
    since: datetime | None = None
    until: datetime | None = None
    jobs: Sequence[Related] = ()
    workers: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values, times as ISO text."""
        plain = asdict(self)
        plain["jobs"] = [each | {"id": str(each["id"])} for each in plain["jobs"]]
        times = {name: at.isoformat() if (at := plain[name]) else None for name in ("since", "until")}
        return plain | times | {"code": str(self.code), "workers": list(self.workers)}


def explain(job: Job) -> Explanation | None:
    """Why the job is not running, or not over yet; None when there is nothing to explain.

    Asks the broker too, for at most two seconds, when nothing in the ledger explains it.
    """
    state = State(job.state)
    if state is State.PENDING:
        return _first(job, _WHY_PENDING)
    if state in HELD:
        return _first(job, (_worker_silent, _asked_to_stop))
    told = {State.PAUSED: _paused, State.CANCELLED: _cancelled, State.FAILED: _failed}.get(state)
    return told(job) if told else None


def _first(job: Job, reasons: Iterable[Callable[[Job], Explanation | None]]) -> Explanation | None:
    return next((found for reason in reasons if (found := reason(job))), None)


# --- a job that waits --------------------------------------------------------------------------


def _queue_paused(job: Job) -> Explanation | None:
    queue = Queue.objects.filter(name=job.queue, paused__isnull=False).first()
    if queue is None:
        return None
    return Explanation(
        code=Reason.QUEUE_PAUSED,
        sentence=_("The queue %(queue)s is paused, by %(who)s since %(when)s.")
        % {"queue": job.queue, "who": queue.paused_by, "when": _clock(queue.paused)},
        hint=_("Resume the queue: faena queues resume %(queue)s") % {"queue": job.queue},
        since=queue.paused,
    )


def _waits_for_jobs(job: Job) -> Explanation | None:
    if job.run_at < NOT_YET:
        return None
    family = Job.objects.filter(Q(root_id=job.root_id or job.pk) | Q(group_id=job.group_id or job.pk), state__in=LIVE)
    return Explanation(
        code=Reason.WAITS_FOR_JOBS,
        sentence=_("It waits until other jobs have ended: the parts of its chord, or those that stand in for it."),
        hint=_("Look at these jobs: it starts by itself when they are over."),
        jobs=_named(family.exclude(pk=job.pk)),
    )


def _waits_for_the_one_before(job: Job) -> Explanation | None:
    if job.schedule_id is None or not Occurrence.objects.filter(job_id=job.pk, outcome=Outcome.WAITING).exists():
        return None
    before = firing.live_job(job.schedule_id, besides=job.pk)
    return Explanation(
        code=Reason.WAITS_FOR_JOBS,
        sentence=_("It waits until the occurrence of its schedule before it has ended."),
        hint=_("Look at these jobs: it starts by itself when they are over."),
        jobs=_named(Job.objects.filter(pk__in=[before] if before else [])),
    )


def _waits_for_its_time(job: Job) -> Explanation | None:
    if job.run_at <= timezone.now():
        return None
    if not job.attempt or not job.error:
        return Explanation(
            code=Reason.DELAYED,
            sentence=_("It is delayed until %(when)s.") % {"when": _clock(job.run_at)},
            hint=_("Whoever enqueued it asked for that time (countdown or eta)."),
            until=job.run_at,
        )
    numbers = {"number": job.attempt + 1, "of": job.max_attempts, "when": _clock(job.run_at), "error": _error(job)}
    if job.max_attempts > job.attempt:
        said = _("Attempt %(number)d of %(of)d begins at %(when)s: the one before failed with %(error)s.")
    else:  # a plain task that retries by its own rules
        said = _("Attempt %(number)d begins at %(when)s: the one before failed with %(error)s.")
    hint = _("If the cause is still there, cancel it: it would fail again.")
    return Explanation(code=Reason.WAITS_FOR_RETRY, sentence=said % numbers, hint=hint, until=job.run_at)


def _limit_full(job: Job) -> Explanation | None:
    if job.limit_key is None or job.limit is None:
        return None
    running = Job.objects.filter(limit_key=job.limit_key, state__in=HELD)
    number = running.count()
    if number < job.limit:
        return None
    said = ngettext(
        "Its limit is full: %(number)d job that shares it is running, and no more may.",
        "Its limit is full: %(number)d jobs that share it are running, and no more may.",
        number,
    )
    return Explanation(
        code=Reason.LIMIT_FULL,
        sentence=said % {"number": number},
        hint=_("It starts when one of them ends; the highest priority first, then the oldest."),
        jobs=_named(running.order_by("started")),
        workers=_workers_of(running),
    )


def _rate_used_up(job: Job) -> Explanation | None:
    if job.limit_key is None or job.rate is None:
        return None
    rate = Rate.parse(job.rate)
    window = timedelta(seconds=rate.seconds)
    taken = Permit.objects.filter(key=job.limit_key, taken__gt=timezone.now() - window).order_by("-taken")
    last = taken.values_list("taken", flat=True)[rate.count - 1 : rate.count].first()
    if last is None:
        return None
    return Explanation(
        code=Reason.RATE_USED_UP,
        sentence=_("Its rate is used up: %(count)d per %(span)s. The next start may be at %(when)s.")
        % {"count": rate.count, "span": _span(window), "when": _clock(last + window)},
        hint=_("It starts by itself; retries and jobs taken over from dead workers count as starts too."),
        until=last + window,
    )


def _no_worker(job: Job) -> Explanation | None:
    running = _running_workers()
    command = _("Start one: %(command)s") % {"command": f"celery -A {app_name()} worker -Q {job.queue}"}
    if not running:
        return Explanation(code=Reason.NO_WORKER, sentence=_("No worker is running."), hint=command)
    if any(job.queue in each.queues for each in running):
        return None
    listened = ", ".join(sorted({name for each in running for name in each.queues})) or "–"
    return Explanation(
        code=Reason.NOBODY_LISTENS,
        sentence=_("No worker listens to its queue %(queue)s. They listen to: %(listened)s.")
        % {"queue": job.queue, "listened": listened},
        hint=command,
        workers=[each.name for each in running[:NAMED]],
    )


def _broker_unreachable(job: Job) -> Explanation | None:
    trouble = _broker_trouble(job.queue)
    if not trouble:
        return None
    reason = _(SILENCE) % {"seconds": PATIENCE} if trouble == SILENCE else _(trouble)
    return Explanation(
        code=Reason.BROKER_UNREACHABLE,
        sentence=_("The broker cannot be reached: %(reason)s.") % {"reason": reason},
        hint=_("Start the broker, or correct its address. Nothing is lost: the job is sent when it is back."),
    )


def _not_sent(job: Job) -> Explanation | None:
    if job.dispatched is not None:
        return None
    if not Lease.objects.filter(name=POST, until__gt=timezone.now()).exists():
        return Explanation(
            code=Reason.NO_KEEPER,
            sentence=_("It is due and was not sent: no keeper is at work, which would send it."),
            hint=_("Every worker brings a keeper. If this stays, restart the workers and read their logs."),
        )
    if job.crashes:
        return Explanation(
            code=Reason.AFTER_CRASH,
            sentence=_("A worker died while it ran (%(number)d of %(of)d); it is being sent again.")
            % {"number": job.crashes, "of": job.max_crashes},
            hint=_("If workers die again and again, look for what kills them: memory, or a crash in a library."),
        )
    return Explanation(code=Reason.ON_ITS_WAY, sentence=_("It is due; the keeper sends it to its queue in a moment."))


def _workers_busy(job: Job) -> Explanation | None:
    listening = [each for each in _running_workers() if job.queue in each.queues]
    names = [each.name for each in listening]
    slots = sum(each.slots for each in listening)
    running = Job.objects.filter(state__in=HELD, worker__in=names)
    if not slots or running.count() < slots:
        return None
    said = ngettext(
        "The only place at its workers is taken; before it: %(before)s.",
        "All %(slots)d places at its workers are taken; before it: %(before)s.",
        slots,
    )
    return Explanation(
        code=Reason.WORKERS_BUSY,
        sentence=said % {"slots": slots, "before": _before(job)},
        hint=_("Start more workers, or give this job a higher priority next time."),
        jobs=_named(running.order_by("started")),
        workers=names[:NAMED],
    )


def _on_its_way(job: Job) -> Explanation:
    return Explanation(
        code=Reason.ON_ITS_WAY,
        sentence=_("It is in its queue since %(when)s; before it: %(before)s.")
        % {"when": _clock(job.dispatched), "before": _before(job)},
        hint=_("Tasks that are not recorded may be before it. A message that was lost is sent again by itself."),
        since=job.dispatched,
    )


_WHY_PENDING: tuple[Callable[[Job], Explanation | None], ...] = (
    _queue_paused,
    _waits_for_the_one_before,
    _waits_for_jobs,
    _waits_for_its_time,
    _limit_full,
    _rate_used_up,
    _no_worker,
    _broker_unreachable,
    _not_sent,
    _workers_busy,
    _on_its_way,
)


# --- a job that runs ---------------------------------------------------------------------------


def _worker_silent(job: Job) -> Explanation | None:
    now = timezone.now()
    if job.lease_until is None or job.lease_until > now:
        return None
    heard = job.lease_until - conf.get().LEASE
    return Explanation(
        code=Reason.WORKER_SILENT,
        sentence=_("Its worker %(worker)s was last heard of %(span)s ago.")
        % {"worker": job.worker, "span": _span(now - heard)},
        hint=_("If the worker is gone, another one takes the job over by itself. If none does, start one."),
        since=heard,
        workers=[job.worker],
    )


def _asked_to_stop(job: Job) -> Explanation | None:
    how = {Stop.PAUSE: _pausing, Stop.CANCEL: _cancelling, Stop.HANDOVER: _moving}.get(Stop(job.stop))
    return how(job) if how else None


def _pausing(job: Job) -> Explanation:
    act = _last_act(job, "pause")
    return Explanation(
        code=Reason.PAUSING,
        sentence=_("It was asked to pause%(by)s; the body has not come to a place where it can stop.")
        % {"by": _by(act)},
        hint=_("A body stops between two rows of run.each; a plain task only ends by itself, or by cancel."),
        since=act.at if act else None,
        workers=[job.worker],
    )


def _cancelling(job: Job) -> Explanation:
    act, grace = _last_act(job, "cancel"), conf.get().CANCEL_GRACE
    worker = Worker.objects.filter(name=job.worker).first()
    asked = _("It was asked to stop%(by)s; the body has not come to a place where it can stop.") % {"by": _by(act)}
    if grace and worker and worker.pool in ENDED_BY_CANCEL:
        hint = _("If it does not stop by itself within %(span)s, its process is ended.") % {"span": _span(grace)}
        until = act.at + grace if act else None
    else:
        hint, until = _("Here its process cannot be ended: the job ends when its body does, or with its worker."), None
    since = act.at if act else None
    return Explanation(
        code=Reason.CANCELLING, sentence=asked, hint=hint, since=since, until=until, workers=[job.worker]
    )


def _moving(job: Job) -> Explanation:
    return Explanation(
        code=Reason.MOVING,
        sentence=_("Its worker %(worker)s shuts down; the job goes on elsewhere from its next row.")
        % {"worker": job.worker},
        hint=_("A body that has no rows is waited for."),
        workers=[job.worker],
    )


# --- a job that stopped ------------------------------------------------------------------------


def _paused(job: Job) -> Explanation:
    act = _last_act(job, "pause")
    return Explanation(
        code=Reason.PAUSED,
        sentence=_("It was paused%(by)s.") % {"by": _by(act)},
        hint=_("Resume it: it goes on where it stopped."),
        since=act.at if act else None,
    )


def _cancelled(job: Job) -> Explanation:
    act = _last_act(job, "cancel")
    said = str((job.error or {}).get("message", ""))
    reason = _(said) if said else ""  # Faena's own reasons are in the catalogue
    return Explanation(
        code=Reason.CANCELLED,
        sentence=_("It was cancelled%(by)s. %(reason)s") % {"by": _by(act), "reason": reason},
        hint=_("Retry it to run it once more."),
        since=job.finished,
    )


def _failed(job: Job) -> Explanation:
    if (job.error or {}).get("type") == "NotRegistered":
        return Explanation(
            code=Reason.UNKNOWN_TASK,
            sentence=_("The worker that got it does not know the task %(kind)s.") % {"kind": job.kind},
            hint=_("Deploy the code that declares it, restart the workers, then retry the job."),
            since=job.finished,
        )
    return Explanation(
        code=Reason.FAILED,
        sentence=_("It failed with %(error)s.") % {"error": _error(job)},
        hint=_("Remove the cause, then retry it."),
        since=job.finished,
    )


# --- what the reasons share --------------------------------------------------------------------


def _running_workers() -> list[Worker]:
    """Workers that were heard of within the time of a lease and whose process is not known to be dead."""
    heard = timezone.now() - conf.get().LEASE
    return [each for each in queries.workers() if each.seen > heard and leases.is_alive(each.holder) is not False]


def _named(jobs: Any) -> list[Related]:
    few = jobs.only("id", "title", "kind", "worker")[:NAMED]
    return [Related(each.pk, str(each), each.worker) for each in few]


def _workers_of(jobs: Any) -> list[str]:
    return sorted({name for name in jobs.values_list("worker", flat=True)[:NAMED] if name})


def _before(job: Job) -> str:
    """How many jobs of its queue come first, in words."""
    first = Q(priority__gt=job.priority) | Q(priority=job.priority, run_at__lt=job.run_at)
    waiting = Job.objects.filter(first, queue=job.queue, state=State.PENDING, dispatched__isnull=False)
    number = waiting.order_by()[:COUNTED].count()
    return ngettext("%(number)d job", "%(number)d jobs", number) % {"number": number}


def _last_act(job: Job, action: str) -> AuditEntry | None:
    return AuditEntry.objects.filter(job_id=job.pk, action=action).order_by("-id").first()


def _by(act: AuditEntry | None) -> str:
    return _(" by %(who)s at %(when)s") % {"who": act.actor, "when": _clock(act.at)} if act else ""


def _error(job: Job) -> str:
    error = job.error or {}
    return f"{error.get('type', '?')}: {str(error.get('message', ''))[:200]}"


def _clock(at: datetime | None) -> str:
    """A time as people read it; with the date when it is another day."""
    if at is None:
        return "–"
    at = timezone.localtime(at)
    today = at.date() == timezone.localdate()
    return date_format(at, "H:i:s" if today else "SHORT_DATE_FORMAT") + ("" if today else date_format(at, " H:i"))


def _span(span: timedelta) -> str:
    seconds = span.total_seconds()
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} s"


def app_name() -> str:
    """The Celery app, as `celery -A` wants it."""
    return os.environ.get("FAENA_APP") or os.environ.get("DJANGO_SETTINGS_MODULE", "…").partition(".")[0]


_answers: dict[str, tuple[float, str]] = {}


def _broker_trouble(queue: str) -> str:
    """What the broker says when it is asked for this queue and does not answer; empty while it does.

    Not yet translated: the next reader may speak another language.
    """
    asked_at, trouble = _answers.get(queue, (0.0, ""))
    if not asked_at or time.monotonic() - asked_at > BELIEVED:
        trouble = _ask_broker(queue)
        _answers.clear()
        _answers[queue] = (time.monotonic(), trouble)
    return trouble


def _ask_broker(queue: str) -> str:
    said = [SILENCE]

    def ask() -> None:
        try:
            doorbell.broker.depth(queue)
            said.append("")
        except Exception as error:  # whatever the broker's library raises
            said.append(without_credentials(error))

    asking = threading.Thread(target=ask, name="faena-broker-asked", daemon=True)
    asking.start()
    asking.join(PATIENCE)
    return said[-1]
