"""What a person did: who, what, to which job, when, from where."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from faena.models.fields import JSONText


class AuditEntry(models.Model):
    """One row per action of a person. Never changed, never deleted by the program."""

    at = models.DateTimeField(_("at"), auto_now_add=True)
    actor = models.CharField(_("who"), max_length=150)
    action = models.CharField(_("what"), max_length=40)
    job_id = models.UUIDField(_("job"), null=True, blank=True)
    address = models.GenericIPAddressField(_("from"), null=True, blank=True)
    details = JSONText(_("details"), null=True, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        ordering = ["-id"]
        indexes = [models.Index(fields=["job_id"], name="faena_audit_by_job")]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action}"
