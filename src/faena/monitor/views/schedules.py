"""The schedules: what fires when, and what people decide about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from faena import queries, registry
from faena.errors import NotNow
from faena.ledger import schedules as ledger
from faena.models import Schedule
from faena.models.schedule import Kind, Source
from faena.monitor import schedule_list
from faena.monitor.page import Deed, Operating, Page, Refused, actor
from faena.monitor.schedule_form import ScheduleForm, zones


class LiveSchedules(Page, TemplateView):
    """The live part of the list."""

    template_name = "faena/parts/schedules_live.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Every schedule."""
        return super().get_context_data(**kwargs) | schedule_list.about()


class Schedules(LiveSchedules):
    """All of them."""

    template_name = "faena/schedules.html"


class LiveSchedule(Page, TemplateView):
    """The live part of one schedule."""

    template_name = "faena/parts/schedule_live.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What it does, what comes, what came."""
        schedule = get_object_or_404(Schedule, pk=kwargs["pk"])
        return super().get_context_data(**kwargs) | schedule_list.about_one(schedule)


class OneSchedule(LiveSchedule):
    """One schedule."""

    template_name = "faena/schedule.html"


class EditSchedule(Operating, TemplateView):
    """The form for a schedule, new or known."""

    template_name = "faena/schedule_form.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The form, and what its fields offer."""
        offers = {"tasks": registry.tasks.names(), "queues": [each.name for each in queries.queues()], "zones": zones()}
        form = kwargs.pop("form", None) or ScheduleForm(instance=self.schedule())
        return super().get_context_data(**kwargs) | offers | {"form": form, "schedule": form.instance}

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Save it and show it; or the form once more, with what is wrong."""
        form = ScheduleForm(request.POST, instance=self.schedule())
        if form.is_valid():
            try:
                schedule = ledger.save(form.save(commit=False), actor(request))
            except ValidationError as error:
                form.add_error(None, error.messages)
            else:
                messages.success(request, _("The schedule is saved."))
                return redirect("monitor:schedule", schedule.pk)
        return self.render_to_response(self.get_context_data(form=form, **kwargs), status=422)

    def schedule(self) -> Schedule:
        """The one that is edited; those of the code are not."""
        pk = self.kwargs.get("pk")
        if pk is None:
            return Schedule(kind=Kind.INTERVAL)
        return get_object_or_404(Schedule, pk=pk, source=Source.PEOPLE)


class ScheduleDeed(Deed):
    """Do something to one schedule."""

    def where(self, **kwargs: Any) -> str:
        """Back to its page."""
        return reverse("monitor:schedule", args=[kwargs["pk"]])

    def do(self, request: HttpRequest, **kwargs: Any) -> str | Promise:
        """Act on it, if it is there."""
        schedule = get_object_or_404(Schedule, pk=kwargs["pk"])
        return self.act(schedule, request)

    def act(self, schedule: Schedule, request: HttpRequest) -> str | Promise:
        """Act on this one."""
        raise NotImplementedError


class RunNow(ScheduleDeed):
    """Fire it once, out of turn."""

    def act(self, schedule: Schedule, request: HttpRequest) -> str | Promise:
        """Fire."""
        try:
            job_id = ledger.run_now(schedule.pk, actor(request))
        except NotNow as refused:
            raise Refused(_("It did not run: %(reason)s.") % {"reason": refused.why.rstrip(".")}) from None
        if job_id is None:
            return _("It was sent; its task is not recorded.")
        return format_html(
            '{} <a href="{}">{}</a>', _("It runs."), reverse("monitor:job", args=[job_id]), _("Watch it")
        )


class Enable(ScheduleDeed):
    """Let it fire."""

    def act(self, schedule: Schedule, request: HttpRequest) -> str | Promise:
        """Enable it."""
        ledger.set_enabled(schedule.pk, True, actor(request))
        return _("It fires again from its next time on.")


class Disable(ScheduleDeed):
    """Let it fire no more."""

    def act(self, schedule: Schedule, request: HttpRequest) -> str | Promise:
        """Disable it."""
        ledger.set_enabled(schedule.pk, False, actor(request))
        return _("It fires no more, whoever restarts, until it is enabled.")


class Skip(ScheduleDeed):
    """Leave one occurrence out."""

    def act(self, schedule: Schedule, request: HttpRequest) -> str | Promise:
        """Skip the one at the time that the form names."""
        try:
            ledger.skip(schedule.pk, _due_at(request), actor(request))
        except NotNow:
            raise Refused(_("This occurrence has come already, or is skipped already.")) from None
        return _("This occurrence is skipped.")


class Unskip(ScheduleDeed):
    """Take a skip back."""

    def act(self, schedule: Schedule, request: HttpRequest) -> str | Promise:
        """Have the one at the time that the form names."""
        due_at = _due_at(request)
        try:
            ledger.unskip(schedule.pk, due_at or timezone.now(), actor(request))
        except NotNow:
            raise Refused(_("This occurrence is not one that is to be skipped.")) from None
        return _("This occurrence takes place.")


def _due_at(request: HttpRequest) -> datetime | None:
    """The time that the form names; by default the next."""
    try:
        at = parse_datetime(request.POST.get("at", ""))
    except ValueError:
        at = None
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)
