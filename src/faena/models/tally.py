"""The second book: how many jobs were accepted and how many were pruned."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Tally(models.Model):
    """Counts kept by the database itself (a trigger on the job table), so that no code path can forget them.

    All rows together are the count: enqueueing adds to it without waiting for other enqueuers. The prune duty
    adds them up into one.
    """

    accepted = models.BigIntegerField(_("accepted"), default=0)
    pruned = models.BigIntegerField(_("pruned"), default=0)

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")

    def __str__(self) -> str:
        return f"{self.accepted} accepted, {self.pruned} pruned"
