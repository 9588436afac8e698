"""One part of a job that somebody may ask about: a spreadsheet row, a page, a file."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from faena.models.fields import JSONText
from faena.models.job import Job
from faena.states import ItemState

ITEM_STATES = [
    (ItemState.DONE, _("Done")),
    (ItemState.FAILED, _("Failed")),
    (ItemState.SKIPPED, _("Skipped")),
]


class JobItem(models.Model):
    """Written in batches, in the transaction of the checkpoint that counts it."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="items", db_constraint=False)
    key = models.CharField(_("key"), max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=ITEM_STATES)
    message = models.TextField(_("message"), blank=True, default="")
    output = JSONText(_("output"), null=True, blank=True)
    at = models.DateTimeField(_("at"))
    seconds = models.FloatField(_("seconds"), null=True, blank=True)

    class Meta:
        verbose_name = _("item")
        verbose_name_plural = _("items")
        ordering = ["id"]
        indexes = [models.Index(fields=["job", "state", "id"], name="faena_item_by_state")]
        constraints = [
            # A row that is tried again replaces what was said of it before.
            models.UniqueConstraint(fields=["job", "key"], name="faena_item_once_per_key"),
        ]

    def __str__(self) -> str:
        return self.key
