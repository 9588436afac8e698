"""One start within a rate."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Permit(models.Model):
    """Taken when something starts that may happen N times in a period; forgotten when the period is over.

    A log of starts, so that no window of that length ever holds more than N, wherever it begins.
    """

    key = models.CharField(_("key"), max_length=255)
    taken = models.DateTimeField(_("taken"))

    class Meta:
        verbose_name = _("permit")
        verbose_name_plural = _("permits")
        indexes = [models.Index(fields=["key", "taken"], name="faena_permit_by_key")]

    def __str__(self) -> str:
        return f"{self.key} {self.taken:%H:%M:%S}"
