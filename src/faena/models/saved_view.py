"""A filter of the list of jobs that somebody gave a name."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SavedView(models.Model):
    """The person's own, or shared with everybody."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=60)
    #: What follows the question mark of the list's address.
    query = models.CharField(_("query"), max_length=1000)
    is_shared = models.BooleanField(_("for everybody"), default=False)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="faena_saved_view_once")]

    def __str__(self) -> str:
        return self.name
