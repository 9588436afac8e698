"""The alerts: what is wrong now, what was, and the rules that say so."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from uuid6 import uuid7

from faena import queries, registry
from faena.errors import ConfigurationError
from faena.ledger.records import write_audit
from faena.models import AlertRule, Incident
from faena.monitor.alert_form import AlertForm, shown_target
from faena.monitor.page import Administering, Deed, Page, Refused, actor
from faena.registry import Call

#: Incidents of the history, and rules that are listed.
PAST, RULES = 30, 200


class Alerts(Page, TemplateView):
    """What is wrong now, the rules, and what was wrong."""

    template_name = "faena/alerts.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Incidents and rules."""
        incidents = Incident.objects.select_related("rule")
        return super().get_context_data(**kwargs) | {
            "open": incidents.filter(ended=None),
            "past": incidents.exclude(ended=None)[:PAST],
            "rules": [(rule, shown_target(rule)) for rule in AlertRule.objects.all()[:RULES]],
        }


class EditRule(Administering, TemplateView):
    """The form for a rule, new or known."""

    template_name = "faena/alert_form.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The form."""
        form = kwargs.pop("form", None) or AlertForm(instance=self.rule())
        offers = {"queues": [each.name for each in queries.queues()]}
        return super().get_context_data(**kwargs) | offers | {"form": form, "rule": form.instance}

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Save it; or the form once more, with what is wrong."""
        form = AlertForm(request.POST, instance=self.rule())
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form, **kwargs), status=422)
        with transaction.atomic():
            rule = form.save()
            write_audit(actor(request), "save alert rule", None, {"rule": rule.name})
        messages.success(request, _("The rule is saved."))
        return redirect("monitor:alerts")

    def rule(self) -> AlertRule:
        """The one that is edited."""
        pk = self.kwargs.get("pk")
        return AlertRule() if pk is None else get_object_or_404(AlertRule, pk=pk)


class RuleDeed(Administering, Deed):
    """Do something to one rule."""

    back = "monitor:alerts"

    def where(self, **kwargs: Any) -> str:
        """Back to the rules."""
        return super().where()


class DeleteRule(RuleDeed):
    """Forget it, and its incidents."""

    def do(self, request: HttpRequest, **kwargs: Any) -> str | Promise:
        """Delete it."""
        rule = get_object_or_404(AlertRule, pk=kwargs["pk"])
        with transaction.atomic():
            rule.delete()
            write_audit(actor(request), "delete alert rule", None, {"rule": rule.name})
        return _("The rule is deleted.")


class TestRule(RuleDeed):
    """Send a message to see that it arrives."""

    def do(self, request: HttpRequest, **kwargs: Any) -> str | Promise:
        """Enqueue the message."""
        rule, who = get_object_or_404(AlertRule, pk=kwargs["pk"]), actor(request)
        call = Call(registry.TELL, [rule.pk, None, "test"], {}, job_id=uuid7(), created_by=who.name)
        try:
            with transaction.atomic():
                registry.tasks.enqueue(call)
                write_audit(who, "test alert rule", call.job_id, {"rule": rule.name})
        except ConfigurationError as error:
            raise Refused(str(error)) from None
        return _("A test message is on its way.")
