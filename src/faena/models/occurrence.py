"""One occurrence of a schedule: a time at which it was due, and what came of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from faena.models.schedule import Schedule


class Outcome(models.TextChoices):
    """What came of an occurrence."""

    FIRED = "fired", _("fired")
    WAITING = "waiting", _("waits for the one before")
    SKIPPED = "skipped", _("skipped")
    MISSED = "missed", _("missed")
    REFUSED = "refused", _("could not be enqueued")


class Reason(models.TextChoices):
    """Why an occurrence came out as it did, where that is not plain."""

    NONE = "", ""
    OVERLAP = "overlap", _("the one before was not over")
    WAITING = "waiting", _("another one was waiting already")
    UNIQUE = "unique", _("a job with the same key was live")
    PERSON = "person", _("by a person")
    ERROR = "error", _("error")


class Occurrence(models.Model):
    """Written once, in the transaction that moves the schedule on: `(schedule, due_at)` is unique.

    One that people skip is written before its time, and so finds its place taken when it is due.
    """

    schedule = models.ForeignKey(Schedule, models.CASCADE, verbose_name=_("schedule"), related_name="occurrences")
    due_at = models.DateTimeField(_("due"))
    written = models.DateTimeField(_("written"), db_default=Now())
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome)
    reason = models.CharField(_("reason"), max_length=10, choices=Reason, blank=True, default=Reason.NONE)
    #: Who asked for it, which job was in the way, or what the error said.
    detail = models.TextField(_("detail"), blank=True, default="")
    #: The job that it enqueued; the job is pruned before it.
    job_id = models.UUIDField(_("job"), null=True, blank=True)
    #: When a job that has not started is cancelled; NULL when that no longer matters.
    expires = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("occurrence")
        verbose_name_plural = _("occurrences")
        ordering = ["-due_at"]
        indexes = [
            models.Index(fields=["due_at"], name="faena_occurrence_by_time"),
            models.Index(fields=["expires"], name="faena_occurrence_expiring", condition=Q(expires__isnull=False)),
            models.Index(fields=["schedule"], name="faena_occurrence_waiting", condition=Q(outcome="waiting")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "due_at"], name="faena_occurrence_once"),
        ]

    def __str__(self) -> str:
        return f"{self.due_at:%Y-%m-%d %H:%M:%S} {self.outcome}"

    @property
    def why(self) -> str:
        """Why it came out as it did, in words; empty where that is plain."""
        match self.reason:
            case Reason.OVERLAP | Reason.UNIQUE:
                return _("%(reason)s: job %(job)s") % {"reason": Reason(self.reason).label, "job": self.detail}
            case Reason.PERSON:
                return _("by %(name)s") % {"name": self.detail}
            case Reason.WAITING:
                return str(Reason.WAITING.label)
        return self.detail
