from django.db import models
from django.utils.translation import gettext_lazy as _

from .record import Record


class MergedTelemetricOTT(Record):
    """A finished OTT view: the columns of an action 8 (stop), with its channel's newest name from an action 7 (start)."""

    class Meta(Record.Meta):
        verbose_name = _("merged OTT record")
        verbose_name_plural = _("merged OTT records")
        indexes = [
            models.Index(fields=["dataDate", "timeDate"], name="merged_by_date"),
            models.Index(fields=["dataId", "dataDate"], name="merged_by_channel"),
        ]
