"""Act on all jobs of a filter, in a background job; and keep a filter under a name."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import View

from faena.celery.many import act_on_many
from faena.errors import ConfigurationError
from faena.models import SavedView
from faena.monitor import job_list
from faena.monitor.page import Operating, Page, actor
from faena.selection import Selection

#: Views that one person may keep.
MOST_VIEWS = 50


class ActOnMany(Operating, View):
    """Do it to every job of the filter, and show the job that does."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, action: str) -> HttpResponseBase:
        """Enqueue it, where the filter's state allows the action."""
        query = QueryDict(request.POST.get("filter", ""))
        wanted = job_list.wanted_by(query)
        back = f"{reverse('monitor:jobs')}?{job_list.filter_query(query)}"
        if action not in {act.name for act in job_list.VERBS.get(wanted.state, [])}:
            messages.warning(request, _("Choose a state first: what is done to many jobs must be possible for them."))
            return redirect(back)
        try:
            pk = act_on_many(action, Selection.all_of(wanted), actor(request))
        except ConfigurationError as error:
            messages.error(request, str(error))
            return redirect(back)
        messages.success(
            request, _("This job acts on each of them; what it cannot act on is listed below with the reason.")
        )
        return redirect("monitor:job", pk)


class SaveView(Page, View):
    """Keep the filter under a name; the same name replaces it."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Keep it."""
        query = job_list.filter_query(QueryDict(request.POST.get("filter", "")))
        name = request.POST.get("name", "").strip()[:60]
        own = SavedView.objects.filter(owner=request.user.pk)
        if not name or len(query) > 1000:
            messages.warning(request, _("A view needs a name, and filters that fit in an address."))
        elif own.count() >= MOST_VIEWS and not own.filter(name=name).exists():
            messages.warning(request, _("You have fifty views already. Delete one first."))
        else:
            kept = {"query": query, "is_shared": "shared" in request.POST}
            SavedView.objects.update_or_create(owner_id=request.user.pk, name=name, defaults=kept)
            messages.success(request, _("The view “%(name)s” is kept.") % {"name": name})
        return redirect(f"{reverse('monitor:jobs')}?{query}")


class DeleteView(Page, View):
    """Forget one of the person's own views."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Forget it."""
        deleted: Any = SavedView.objects.filter(owner=request.user.pk, pk=pk).delete()
        if deleted[0]:
            messages.success(request, _("The view is deleted."))
        return redirect("monitor:jobs")
