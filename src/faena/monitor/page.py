"""What every page's view shares: sign-in, the policy for the browser, who may act."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import SimpleTemplateResponse
from django.urls import reverse, reverse_lazy
from django.utils import translation
from django.utils.functional import Promise
from django.views.generic import View

from faena.ledger.records import Actor
from faena.permissions import may_administer, may_operate

#: Everything from this server, nothing inline, no framing, no plug-ins.
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def strict_policy(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: the policy on every answer that has none of its own."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return answer


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks, for a part of a page."""
    return "HX-Request" in request.headers


def actor(request: HttpRequest) -> Actor:
    """Who acts, for the audit."""
    return Actor(request.user.get_username(), request.META.get("REMOTE_ADDR") or None)


class Policed:
    """The policy, the reader's language, and nothing kept in caches: pages show what is true now."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer with the policy."""
        if hasattr(request, "LANGUAGE_CODE"):
            response = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        else:
            # `startproject` leaves LocaleMiddleware out.
            with translation.override(translation.get_language_from_request(request)):
                response = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
                if isinstance(response, SimpleTemplateResponse):
                    response.render()
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class Page(Policed, LoginRequiredMixin):
    """A page, or part of one, for signed-in people."""

    login_url = reverse_lazy("monitor:sign-in")

    def handle_no_permission(self) -> Any:
        """Send people to the sign-in page; a live part asks the browser to load its page again."""
        request: HttpRequest = self.request  # type: ignore[attr-defined]
        if is_fragment(request) and not request.user.is_authenticated:
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        return super().handle_no_permission()


class Operating(Page):
    """An action, for operators and admins."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Refuse signed-in people who may only look."""
        if request.user.is_authenticated and not may_operate(request.user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)


class Administering(Page):
    """A decision, for admins."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Refuse signed-in people who are no admins."""
        if request.user.is_authenticated and not may_administer(request.user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)


class Deed(Operating, View):
    """An action that is told of on the page where it was asked for: `do` does it and says what was done."""

    http_method_names = ["post", "options"]
    #: The name of the page's URL.
    back: ClassVar[str]

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Do it, say so, go back; what `do` refuses is said as well."""
        try:
            messages.success(request, str(self.do(request, **kwargs)))
        except Refused as refused:
            messages.warning(request, str(refused))
        return redirect(self.where(**kwargs))

    def do(self, request: HttpRequest, **kwargs: Any) -> str | Promise:
        """Act.

        Raises:
            Refused: it is not possible, with the reason for people.
        """
        raise NotImplementedError

    def where(self, **kwargs: Any) -> str:
        """The address to go back to."""
        return reverse(self.back)


class Refused(Exception):
    """What was asked for is not possible; the text says why, in the reader's language."""
