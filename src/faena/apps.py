"""Faena as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class FaenaConfig(AppConfig):
    """The one app to put in INSTALLED_APPS."""

    name = "faena"
    label = "faena"
    verbose_name = _("Faena")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks; once there are tables, have the database count jobs, and make the groups."""
        from faena import checks  # noqa: F401
        from faena.ledger.tally import begin_counting
        from faena.permissions import make_groups

        post_migrate.connect(begin_counting, sender=self, dispatch_uid="faena.tally")
        post_migrate.connect(make_groups, sender=self, dispatch_uid="faena.groups")
