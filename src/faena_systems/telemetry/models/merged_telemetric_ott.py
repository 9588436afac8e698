from django.db import models
from django.utils.translation import gettext_lazy as _

from .record import Record


class MergedTelemetricOTT(Record):
    """A finished OTT view: the columns of an action 8 (stop), with its channel's newest name from an action 7."""

    class Meta(Record.Meta):
        verbose_name = _("merged OTT record")
        verbose_name_plural = _("merged OTT records")
        # The analytics count subscribers and devices from the indexes alone.
        indexes = [
            models.Index(fields=["dataId", "dataDate", "subscriberCode", "deviceId"], name="merged_audience"),
            models.Index(fields=["dataDate", "deviceId"], name="merged_devices"),
        ]
