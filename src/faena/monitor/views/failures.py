"""Why jobs failed, group by group; and a job once more with other arguments."""

from __future__ import annotations

import json
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView, View

from faena import failures, queries
from faena.celery.again import retry_with
from faena.celery.many import act_on_many
from faena.errors import AlreadyLive, ConfigurationError, NotAllowed, WrongArguments
from faena.masking import masked, masked_args, unmasked
from faena.models import Job
from faena.monitor.page import Operating, Page, actor
from faena.monitor.views.actions import TWIN, refusal
from faena.selection import Selection


class Failures(Page, TemplateView):
    """The groups of failed jobs, the one that failed last first."""

    template_name = "faena/failures.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The groups."""
        history = failures.history()
        groups = [(each, history.get((each.kind, each.failure), [])) for each in failures.groups()]
        return super().get_context_data(**kwargs) | {"groups": groups, "ceiling": failures.CEILING}


class GroupAction(Operating, View):
    """Act on a whole group, in a background job, and show that."""

    http_method_names = ["post", "options"]
    action: ClassVar[str]
    said: ClassVar[Any]

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Enqueue it."""
        kind, failure = request.POST.get("kind", ""), request.POST.get("failure", "")
        if not kind:
            raise Http404
        try:
            pk = act_on_many(self.action, Selection(state="failed", kind=kind, failure=failure), actor(request))
        except ConfigurationError as error:
            messages.error(request, str(error))
            return redirect("monitor:failures")
        messages.success(request, self.said)
        return redirect("monitor:job", pk)


class RetryGroup(GroupAction):
    """Each once more, with fresh attempts."""

    action = "retry"
    said = gettext_lazy("This job retries the group; what it cannot retry is listed below with the reason.")


class DiscardGroup(GroupAction):
    """Nobody will retry them."""

    action = "discard"
    said = gettext_lazy("This job discards the group.")


class Again(Operating, TemplateView):
    """The form for other arguments, and the new job that it asks for. Secrets stay hidden, and stay the same."""

    template_name = "faena/again.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The job, and its arguments as text."""
        job = self.job()
        shown = {"args": masked_args(job.kind, job.args), "kwargs": masked(job.kwargs)}
        texts = {name: json.dumps(value, ensure_ascii=False, indent=2) for name, value in shown.items()}
        return super().get_context_data(**kwargs) | {"job": job, **texts} | kwargs

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """Enqueue the new job and show it; or the form once more, with what is wrong."""
        typed = {name: request.POST.get(name, "") for name in _FIELDS}
        job = self.job()
        try:
            args, kwargs = (_parsed(name, text) for name, text in typed.items())
            new = retry_with(pk, unmasked(args, job.args), unmasked(kwargs, job.kwargs), actor(request))
        except _Wrong as wrong:
            problem = str(wrong)
        except WrongArguments as wrong:
            problem = _said(wrong)
        except NotAllowed as wrong:
            problem = refusal(wrong)
        except AlreadyLive:
            problem = str(TWIN)
        except ConfigurationError as wrong:
            problem = str(wrong)
        else:
            messages.success(request, _("A new job with these arguments. The one before stays as it is."))
            return redirect("monitor:job", new)
        return self.render_to_response(self.get_context_data(pk=pk, problem=problem, **typed), status=422)

    def job(self) -> Job:
        """The job that is repeated."""
        job = queries.job(self.kwargs["pk"])
        if job is None or not job.is_finished:
            raise Http404
        return job


_FIELDS = {"args": list, "kwargs": dict}


class _Wrong(Exception):
    """What was typed is not what it should be."""


def _parsed(name: str, text: str) -> Any:
    try:
        value = json.loads(text or json.dumps(_FIELDS[name]()))
    except ValueError as error:
        raise _Wrong(_("This is not JSON: %(error)s") % {"error": error}) from None
    if not isinstance(value, _FIELDS[name]):
        raise _Wrong(_("Arguments by place are a JSON list, arguments by name a JSON object."))
    return value


def _said(wrong: WrongArguments) -> str:
    said = {
        "missing": _("The argument “%(field)s” is missing."),
        "unknown": _("There is no argument “%(field)s”."),
        "too many": _("There are more arguments than the job takes."),
        "type": _("The argument “%(field)s” should be of the type %(type)s."),
        "own task": _("%(field)s is a task of Faena itself: nobody else calls it."),
        "unknown task": _("The task %(field)s is not known here, so its arguments cannot be checked."),
    }
    return said[wrong.problem] % {"field": wrong.field, "type": wrong.wanted}
