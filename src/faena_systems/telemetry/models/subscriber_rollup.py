from django.db import models
from django.utils.translation import gettext_lazy as _

from .rollup import Rollup


class SubscriberRollup(Rollup):
    """Views and watched seconds of a subscriber on a day; views of nobody known are not in it."""

    pk = models.CompositePrimaryKey("day", "subscriberCode")
    subscriberCode = models.TextField(_("subscriber"))

    class Meta:
        verbose_name = _("views of a subscriber")
        verbose_name_plural = _("views by subscriber")

    def __str__(self):
        return f"{self.day} · {self.subscriberCode} · {self.views}"
