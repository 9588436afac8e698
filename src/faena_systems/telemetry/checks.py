"""What `manage.py check` and the start of a worker say about the configuration."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Info, Warning, register

from .panaccess import configuration

HINT = "Set them (docs/telemetry.md), or leave telemetry out of FAENA_SYSTEMS."


@register("telemetry")
def check_half_configured(**_: Any) -> list[CheckMessage]:
    """telemetry.W001: some of what PanAccess needs is set, and some is not."""
    missing = configuration.missing()
    is_half = 0 < len(missing) < len(configuration.NEEDED)
    return [Warning(_said(missing), hint=HINT, id="telemetry.W001")] if is_half else []


@register("telemetry", deploy=True)
def check_configured(**_: Any) -> list[CheckMessage]:
    """telemetry.I001: nothing of PanAccess is configured. Only `check --deploy` says so: it may well be meant."""
    missing = configuration.missing()
    return [Info(_said(missing), hint=HINT, id="telemetry.I001")] if len(missing) == len(configuration.NEEDED) else []


def _said(missing: list[str]) -> str:
    return f"Telemetry is not synchronised by itself: the environment lacks {', '.join(missing)}."
