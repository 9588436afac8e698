from django.db import models
from django.utils.translation import gettext_lazy as _


class Watermark(models.Model):
    """How far a verb has come: every record up to this id is done. It commits together with what was done."""

    class Of(models.TextChoices):
        """Whose it is."""

        SYNC = "sync", _("synchronisation")
        MERGE = "merge", _("merge")

    of = models.CharField(_("of"), max_length=10, choices=Of, primary_key=True)
    recordId = models.BigIntegerField(_("up to record"), default=0)
    #: Where the next record stood in the whole list, on an installation that can only page by offset.
    position = models.BigIntegerField(_("place in the list"), default=0)
    moved = models.DateTimeField(_("moved at"), null=True, blank=True)

    class Meta:
        verbose_name = _("watermark")
        verbose_name_plural = _("watermarks")

    def __str__(self):
        return f"{self.get_of_display()} · {self.recordId}"
