"""The workers: who runs what, and what is asked of them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.generic import TemplateView

from faena.celery import fleet
from faena.errors import ConfigurationError, WorkerSilent
from faena.monitor import worker_list
from faena.monitor.page import Deed, Page, Refused, actor

_SAID = {
    "grow": gettext_lazy("%(worker)s gets one more place."),
    "shrink": gettext_lazy("%(worker)s has one place less."),
    "quiet": gettext_lazy("%(worker)s takes no new jobs; what runs goes on."),
    "listen": gettext_lazy("%(worker)s takes jobs again."),
    "restart": gettext_lazy("%(worker)s restarts; what it runs goes on where it was."),
    "stop": gettext_lazy("%(worker)s was asked to stop; what it runs goes on elsewhere."),
}
#: What workers say when they refuse.
REFUSALS = (gettext_noop("This worker cannot restart itself: it runs in a terminal or on Windows."),)


class LiveWorkers(Page, TemplateView):
    """The live part."""

    template_name = "faena/parts/workers_live.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Every worker of the last day."""
        return super().get_context_data(**kwargs) | worker_list.about()


class Workers(LiveWorkers):
    """The whole page."""

    template_name = "faena/workers.html"


class AskWorker(Deed):
    """Ask the worker that the form names."""

    back = "monitor:workers"

    def do(self, request: HttpRequest, **kwargs: Any) -> str | Promise:
        """Ask, and wait for the answer."""
        action, worker = kwargs["action"], request.POST.get("worker", "")
        try:
            fleet.ask(action, worker, actor(request))
        except WorkerSilent as silent:
            raise Refused(_refusal(silent)) from None
        except ConfigurationError as error:
            raise Refused(str(error)) from None
        return _SAID[action] % {"worker": worker}


def _refusal(silent: WorkerSilent) -> str:
    if silent.reason:
        return _("%(worker)s refused: %(reason)s") % {"worker": silent.worker, "reason": _(silent.reason)}
    return _("%(worker)s does not answer: it may be busy, or gone. Try again in a moment.") % {"worker": silent.worker}
