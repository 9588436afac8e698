"""What the rollups have in common: views and watched seconds of a day, by something else as well."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Rollup(models.Model):
    """Sums over the merged records that have a date; ``rollups.py`` keeps them in step with the merge."""

    day = models.DateField(_("day"))
    views = models.BigIntegerField(_("views"))
    seconds = models.BigIntegerField(_("seconds watched"))

    class Meta:
        abstract = True
