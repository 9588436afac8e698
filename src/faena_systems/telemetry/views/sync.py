"""The live part that says how the synchronisation stands."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.generic import TemplateView

from faena.monitor.page import Page

from .. import standing
from ..models import MergedTelemetricOTT


class Sync(Page, TemplateView):
    """Fetched again and again while the page is visible."""

    template_name = "telemetria/parts/sync.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer with the part, or, as soon as the page that waits for records can show some, ask to load it again."""
        if "waiting" in request.GET and MergedTelemetricOTT.objects.exists():
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Look it up."""
        return super().get_context_data(**kwargs) | {
            "standing": standing.standing(),
            "is_waiting": "waiting" in self.request.GET,
        }
