"""One line that a job's body wrote for the people who watch it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from faena.models.job import Job


class JobLog(models.Model):
    """Written in batches; kept when the checkpoint that it came with is rolled back."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="logs", db_constraint=False)
    at = models.DateTimeField(_("at"))
    level = models.CharField(_("level"), max_length=10)
    text = models.TextField(_("text"))
    attempt = models.IntegerField(_("attempt"), default=0)

    class Meta:
        verbose_name = _("log line")
        verbose_name_plural = _("log lines")
        ordering = ["id"]
        indexes = [models.Index(fields=["job", "id"], name="faena_log_by_job")]

    def __str__(self) -> str:
        return self.text
