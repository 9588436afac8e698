"""The settings in force."""

from __future__ import annotations

from typing import Any

from django.views.generic import TemplateView

from faena.monitor import effective
from faena.monitor.page import Operating


class Settings(Operating, TemplateView):
    """How long jobs are kept, and the configuration, read-only. For those who act: it names hosts and folders."""

    template_name = "faena/settings.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What is set."""
        own = {"retention": effective.retention(), "sections": effective.sections()}
        return super().get_context_data(**kwargs) | own
