from django.db import models
from django.utils.translation import gettext_lazy as _

from .rollup import Rollup


class HourRollup(Rollup):
    """Views and watched seconds that ended in an hour of a day."""

    pk = models.CompositePrimaryKey("day", "hour")
    hour = models.SmallIntegerField(_("hour"))

    class Meta:
        verbose_name = _("views of an hour")
        verbose_name_plural = _("views by hour")

    def __str__(self):
        return f"{self.day} {self.hour} h · {self.views}"
