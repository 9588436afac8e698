"""A running Celery worker, as it last said of itself."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from faena.models.fields import JSONText


class Worker(models.Model):
    """Written by the worker's own heartbeat; one that was not heard of for a day is pruned."""

    #: Celery's node name and the process: `celery@host/4711`, as in `Job.worker`.
    name = models.CharField(_("name"), max_length=255, primary_key=True)
    #: The main process, as `machine|pid|start time`.
    holder = models.CharField(max_length=255)
    host = models.CharField(_("host"), max_length=255)
    pid = models.IntegerField(_("process"))
    pool = models.CharField(_("pool"), max_length=100)
    #: Jobs it runs at once.
    slots = models.IntegerField(_("slots"))
    #: The names of the queues it listens on.
    queues = JSONText(_("queues"), default=list)
    #: Per cent of one core, and bytes, of its main process and its pool together; NULL: not measured yet.
    cpu = models.FloatField(_("CPU"), null=True, blank=True)
    memory = models.BigIntegerField(_("memory"), null=True, blank=True)
    started = models.DateTimeField(_("started"))
    seen = models.DateTimeField(_("last heard of"))

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        ordering = ["name"]
        indexes = [models.Index(fields=["seen"], name="faena_worker_seen")]

    def __str__(self) -> str:
        return self.name
