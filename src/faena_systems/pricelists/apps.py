from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PricelistsConfig(AppConfig):
    """The price lists system; its tables and tasks keep the documented prefix ``importaciones``."""

    name = "faena_systems.pricelists"
    label = "importaciones"
    verbose_name = _("Price lists")
    default_auto_field = "django.db.models.BigAutoField"
    faena_navigation = [(_("Price lists"), "importaciones:inicio", "file-spreadsheet")]
    faena_demo = "faena_systems.pricelists.demo:show"
