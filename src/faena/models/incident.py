"""From when a rule found that something was wrong until it was right again."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from faena.models.alert_rule import AlertRule
from faena.models.fields import JSONText


class Incident(models.Model):
    """At most one of a rule is open; people are told when it opens and when it ends."""

    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, related_name="incidents")
    started = models.DateTimeField(_("since"))
    #: What was found when it opened: {value, names}.
    found = JSONText(_("found"))
    #: Since when all is well; the incident ends when that has lasted a while.
    fine_since = models.DateTimeField(null=True, blank=True)
    ended = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = ["-started"]
        constraints = [
            # Of two keepers that find the same, one opens it.
            models.UniqueConstraint(fields=["rule"], name="faena_incident_open_once", condition=Q(ended__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.started:%Y-%m-%d %H:%M}"
