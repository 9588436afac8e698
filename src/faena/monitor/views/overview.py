"""The first page: what goes on, and whether all is well."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import TemplateView

from faena.monitor import overview
from faena.monitor.page import Page

#: What addresses of the list of jobs say; it was at this address once.
_OF_JOBS = frozenset({"state", "kind", "queue", "q", "before", "after"})


class LiveOverview(Page, TemplateView):
    """The live part."""

    template_name = "faena/parts/overview_live.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Everything that is shown."""
        return super().get_context_data(**kwargs) | overview.about(self.request.GET)


class Overview(LiveOverview):
    """The whole page."""

    template_name = "faena/overview.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The page; an old address of the list of jobs leads there."""
        if _OF_JOBS & request.GET.keys():
            return redirect(f"{reverse('monitor:jobs')}?{request.GET.urlencode()}", permanent=True)
        return super().get(request, *args, **kwargs)
