"""The job row: one unit of background work, from the moment it was asked for. Its id is Celery's task id."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from faena.models.fields import JSONText
from faena.states import FINISHED, HELD, LIVE, State

STATES = [
    (State.PENDING, _("Pending")),
    (State.VALIDATING, _("Validating")),
    (State.RUNNING, _("Running")),
    (State.PAUSED, _("Paused")),
    (State.COMPLETED, _("Completed")),
    (State.COMPLETED_WITH_ERRORS, _("Completed with errors")),
    (State.FAILED, _("Failed")),
    (State.CANCELLED, _("Cancelled")),
]


class Job(models.Model):
    """Fields and properties only; what may happen to a job is in `states.py`, who writes it in `ledger/`."""

    # The ledger passes UUIDv7, so that ids sort by age; a plain Celery producer's uuid4 is as welcome.
    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=255)
    title = models.CharField(_("title"), max_length=300, blank=True)
    queue = models.CharField(_("queue"), max_length=255)
    priority = models.SmallIntegerField(_("priority"), default=0)
    args = JSONText(_("arguments"), default=list)
    kwargs = JSONText(_("keyword arguments"), default=dict)
    #: What else the message carries: Celery's headers, callbacks and delivery options.
    message = JSONText(default=dict)

    state = models.CharField(_("state"), max_length=24, choices=STATES, default=State.PENDING)
    #: What the running body is asked to do at its next row: '' | pause | cancel | handover.
    stop = models.CharField(max_length=10, blank=True, default="")
    run_at = models.DateTimeField(_("run at"), db_default=Now())
    attempt = models.IntegerField(_("attempt"), default=0)
    max_attempts = models.IntegerField(_("attempts allowed"), default=1)
    crashes = models.SmallIntegerField(_("crashes"), default=0)
    max_crashes = models.SmallIntegerField(_("crashes allowed"), default=5)

    #: Raised at every claim; settle and checkpoint must carry it.
    fence = models.IntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(_("worker"), max_length=255, blank=True, default="")
    #: The process that runs the body, as `machine|pid|start time`.
    holder = models.CharField(max_length=255, blank=True, default="")

    unique_key = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001  NULL: no uniqueness
    limit_key = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001  NULL: no limit
    #: At most so many of a limit_key run at once.
    limit = models.IntegerField(null=True, blank=True)
    #: At most so many of a limit_key start in a period, as `60/60s`.
    rate = models.CharField(max_length=20, null=True, blank=True)  # noqa: DJ001  NULL: no rate

    parent_id = models.UUIDField(null=True, blank=True)
    root_id = models.UUIDField(null=True, blank=True)
    #: The Celery group, or the chord's header, that it is a part of.
    group_id = models.UUIDField(null=True, blank=True)
    #: The job that this one repeats with other arguments.
    retry_of = models.UUIDField(null=True, blank=True)
    #: The schedule that enqueued it; a number rather than a key, as the schedule may be deleted before its jobs.
    schedule_id = models.BigIntegerField(null=True, blank=True)

    cursor = JSONText(null=True, blank=True)
    done = models.IntegerField(_("done"), default=0)
    total = models.IntegerField(_("total"), null=True, blank=True)
    failed = models.IntegerField(_("failed"), default=0)
    skipped = models.IntegerField(_("skipped"), default=0)

    result = JSONText(_("result"), null=True, blank=True)
    #: {type, module, message, args, traceback} of the last attempt that failed.
    error = JSONText(_("error"), null=True, blank=True)
    #: What failed jobs are grouped by besides their kind: `ValueError in shop/tasks.py:send`.
    failure = models.CharField(max_length=255, blank=True, default="")
    #: As `error`, with attempt, at and worker, of the attempts before it.
    errors = JSONText(default=list)
    #: {state, info} as a body reported them through Celery's `update_state`.
    meta = JSONText(null=True, blank=True)
    tags = JSONText(default=list)
    created_by = models.CharField(_("created by"), max_length=150, blank=True, default="")

    created = models.DateTimeField(_("created"), db_default=Now())
    dispatched = models.DateTimeField(_("dispatched"), null=True, blank=True)
    started = models.DateTimeField(_("started"), null=True, blank=True)
    finished = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-created", "-id"]
        indexes = [
            models.Index(fields=["-created", "-id"], name="faena_job_latest"),
            models.Index(fields=["state", "-created", "-id"], name="faena_job_by_state"),
            models.Index(fields=["kind", "-created", "state"], name="faena_job_by_kind"),
            models.Index(fields=["root_id"], name="faena_job_by_root", condition=Q(root_id__isnull=False)),
            models.Index(fields=["group_id"], name="faena_job_by_group", condition=Q(group_id__isnull=False)),
            models.Index(
                fields=["schedule_id", "state"],
                name="faena_job_by_schedule",
                condition=Q(schedule_id__isnull=False),
            ),
            models.Index(
                fields=["kind", "failure", "finished"], name="faena_job_dead", condition=Q(state=State.FAILED)
            ),
            # What the duties look for, small because live jobs are few next to finished ones.
            models.Index(
                fields=["queue", "-priority", "run_at"],
                name="faena_job_waiting",
                condition=Q(state=State.PENDING),
            ),
            models.Index(
                fields=["run_at"],
                name="faena_job_due",
                condition=Q(state=State.PENDING, dispatched__isnull=True, limit_key__isnull=True),
            ),
            # Of limited jobs: from lane to lane of those that were not sent; and who comes before whom.
            models.Index(
                fields=["limit_key", "queue", "kind", "-priority", "run_at", "id"],
                name="faena_job_unsent",
                condition=Q(state=State.PENDING, dispatched__isnull=True, limit_key__isnull=False),
            ),
            models.Index(
                fields=["limit_key", "queue", "-priority", "run_at", "id"],
                name="faena_job_turn",
                condition=Q(state=State.PENDING, limit_key__isnull=False),
            ),
            models.Index(fields=["lease_until"], name="faena_job_held", condition=Q(state__in=sorted(HELD))),
            models.Index(
                fields=["limit_key"],
                name="faena_job_limited",
                condition=Q(limit_key__isnull=False, state__in=sorted(HELD)),
            ),
            models.Index(
                fields=["state", "finished"],
                name="faena_job_finished",
                condition=Q(state__in=sorted(FINISHED)),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["unique_key"],
                name="faena_job_unique_while_live",
                condition=Q(unique_key__isnull=False, state__in=sorted(LIVE)),
            ),
            models.CheckConstraint(name="faena_job_state_known", condition=Q(state__in=[str(each) for each in State])),
            models.CheckConstraint(name="faena_job_priority_0_to_9", condition=Q(priority__gte=0, priority__lte=9)),
            models.CheckConstraint(
                name="faena_job_rate_has_key",
                condition=Q(rate__isnull=True) | Q(limit_key__isnull=False),
            ),
            # A held job always has a lease: without one nobody would ever take it over.
            models.CheckConstraint(
                name="faena_job_held_has_lease",
                condition=~Q(state__in=sorted(HELD)) | Q(lease_until__isnull=False),
            ),
            models.CheckConstraint(
                name="faena_job_finished_has_time",
                condition=~Q(state__in=sorted(FINISHED)) | Q(finished__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.kind

    @property
    def is_held(self) -> bool:
        """A worker runs it now."""
        return self.state in HELD

    @property
    def is_finished(self) -> bool:
        """It is over; only a retry starts it again."""
        return self.state in FINISHED

    @property
    def percent(self) -> int | None:
        """Progress 0–100, or None while the total is unknown."""
        if not self.total:
            return 100 if self.state in {State.COMPLETED, State.COMPLETED_WITH_ERRORS} else None
        return min(100, 100 * (self.done + self.failed + self.skipped) // self.total)

    @property
    def duration(self) -> timedelta | None:
        """How long the last attempt ran; None before it ended."""
        return self.finished - self.started if self.started and self.finished else None
