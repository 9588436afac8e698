"""A token with which a program signs in to the API."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from faena.permissions import Role

ROLES = [(Role.VIEWER.value, _("Viewer")), (Role.OPERATOR.value, _("Operator")), (Role.ADMIN.value, _("Admin"))]


class ApiToken(models.Model):
    """Only its hash is kept. A revoked one keeps its row, so that the audit log can be read."""

    name = models.CharField(_("name"), max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    role = models.CharField(_("role"), max_length=10, choices=ROLES)
    created = models.DateTimeField(_("created"), db_default=Now())
    created_by = models.CharField(_("created by"), max_length=150)
    #: NULL: never.
    expires = models.DateTimeField(_("expires"), null=True, blank=True)
    #: To the minute.
    used = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["name", "-id"]
        constraints = [
            # The audit names tokens by their names.
            models.UniqueConstraint(fields=["name"], name="faena_token_name_once", condition=Q(revoked__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.name
