"""How many jobs of a kind have ended, and how long they ran: the counters that `/metrics` shows."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from faena.models.fields import JSONText


class FinishedCount(models.Model):
    """Only ever grows, whatever is pruned; `metrics.py` adds what has ended since it looked last."""

    kind = models.CharField(max_length=255)
    queue = models.CharField(max_length=255)
    outcome = models.CharField(max_length=24)
    number = models.BigIntegerField(default=0)
    #: Seconds that those which had started ran, in all, and how many took at most each of `metrics.BUCKETS`.
    seconds = models.FloatField(default=0)
    buckets = JSONText(default=list)
    #: Jobs that had ended by then are counted in.
    until = models.DateTimeField()

    class Meta:
        verbose_name = _("count of finished jobs")
        verbose_name_plural = _("counts of finished jobs")
        indexes = [models.Index(fields=["until"], name="faena_count_until")]
        constraints = [models.UniqueConstraint(fields=["kind", "queue", "outcome"], name="faena_count_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.outcome}"
