"""What people decided about a queue."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Queue(models.Model):
    """A queue that was paused at least once; queues without a row run."""

    name = models.CharField(_("name"), max_length=255, primary_key=True)
    #: Since when no job of it starts; NULL while it runs.
    paused = models.DateTimeField(_("paused since"), null=True, blank=True)
    paused_by = models.CharField(_("paused by"), max_length=150, blank=True, default="")

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
