from django.utils.translation import gettext_lazy as _

from .record import Record


class TelemetryRecordEntry(Record):
    """A record as PanAccess sent it, of any action."""

    class Meta(Record.Meta):
        verbose_name = _("telemetry record")
        verbose_name_plural = _("telemetry records")
