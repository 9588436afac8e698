"""What `manage.py check` and the start of a worker say about the configuration."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Info, Warning, register

from .panaccess import configuration


@register("telemetry")
def check_configured(**_: Any) -> list[CheckMessage]:
    """telemetry.W001: half of PanAccess is configured. telemetry.I001: none of it is."""
    missing = configuration.missing()
    if not missing:
        return []
    what = "Telemetry is not synchronised by itself: the environment lacks " + ", ".join(missing) + "."
    hint = "Set them (docs/telemetry.md), or leave telemetry out of FAENA_SYSTEMS."
    if len(missing) < len(configuration.NEEDED):
        return [Warning(what, hint=hint, id="telemetry.W001")]
    return [Info(what, hint=hint, id="telemetry.I001")]
