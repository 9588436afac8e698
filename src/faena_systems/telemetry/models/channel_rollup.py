from django.db import models
from django.utils.translation import gettext_lazy as _

from .rollup import Rollup


class ChannelRollup(Rollup):
    """Views and watched seconds of a channel on a day."""

    pk = models.CompositePrimaryKey("day", "dataId")
    dataId = models.BigIntegerField(_("channel"))

    class Meta:
        verbose_name = _("views of a channel")
        verbose_name_plural = _("views by channel")

    def __str__(self):
        return f"{self.day} · {self.dataId} · {self.views}"
