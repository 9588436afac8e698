"""The live part that says how the synchronisation stands, and the button that starts one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.generic import TemplateView, View

from faena.ledger.records import write_audit
from faena.monitor.page import Operating, Page, actor

from .. import standing, tasks
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


class Synchronise(Operating, View):
    """Synchronise and merge now, unless that is happening already."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Enqueue the chain in this person's name; while one is live it stays at that."""
        with transaction.atomic():
            job_id = UUID(tasks.sync_and_merge_telemetry_chain.delay().id)
            write_audit(actor(request), "synchronise", job_id, {})
        messages.success(request, _("The synchronisation was started."))
        return redirect("telemetria:inicio")
