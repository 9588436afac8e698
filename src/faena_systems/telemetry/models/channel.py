from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.Model):
    """A channel and its newest name: that of the action 7 with the highest ``recordId`` that the merge has seen."""

    dataId = models.BigIntegerField(primary_key=True)
    dataName = models.TextField(_("name"))
    recordId = models.BigIntegerField(_("named by record"))

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["dataName", "dataId"]

    def __str__(self):
        return self.dataName
