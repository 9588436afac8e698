from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TelemetryConfig(AppConfig):
    """The telemetry system; its tasks keep the documented prefix ``TelemetriaDelancer.tasks``."""

    name = "faena_systems.telemetry"
    label = "telemetry"
    verbose_name = _("Telemetry")
    default_auto_field = "django.db.models.BigAutoField"
    faena_navigation = [(_("Telemetry"), "telemetria:inicio", "device-tv")]
    faena_api = "faena_systems.telemetry.api:router"
    faena_demo = "faena_systems.telemetry.demo:show"

    def ready(self) -> None:
        """Register the checks."""
        from . import checks  # noqa: F401
