"""How many jobs ended in one minute."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Minute(models.Model):
    """One row per minute and queue, and one of all queues together; written by the keeper, kept for a week.

    So a page that shows a day counts some hundred rows instead of a million jobs, and pruned jobs still count.
    """

    minute = models.DateTimeField(_("minute"))
    #: Empty: all queues together.
    queue = models.CharField(_("queue"), max_length=255, blank=True, default="")
    #: With errors or without.
    completed = models.IntegerField(_("completed"), default=0)
    failed = models.IntegerField(_("failed"), default=0)
    cancelled = models.IntegerField(_("cancelled"), default=0)

    class Meta:
        verbose_name = _("minute")
        verbose_name_plural = _("minutes")
        ordering = ["minute"]
        constraints = [models.UniqueConstraint(fields=["queue", "minute"], name="faena_minute_once")]
        indexes = [models.Index(fields=["minute"], name="faena_minute_by_time")]

    def __str__(self) -> str:
        return f"{self.minute:%Y-%m-%d %H:%M} {self.queue}"
