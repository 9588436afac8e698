"""What the keeper last measured, for pages that must not wait until it is measured again."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from faena.models.fields import JSONText


class Snapshot(models.Model):
    """One row per thing that is measured: the books, the disk."""

    name = models.CharField(_("name"), max_length=40, primary_key=True)
    at = models.DateTimeField(_("at"))
    value = JSONText(_("value"))

    class Meta:
        verbose_name = _("snapshot")
        verbose_name_plural = _("snapshots")

    def __str__(self) -> str:
        return self.name
