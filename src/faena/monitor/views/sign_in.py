"""Sign in by password or one-time link, and sign out."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView, RedirectURLMixin
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.generic import View

from faena.monitor import sign_in
from faena.monitor.page import Policed


class SignIn(Policed, LoginView):
    """The sign-in page. Ten failures in five minutes for one name from one address, then it waits."""

    template_name = "faena/sign_in.html"
    redirect_authenticated_user = True
    next_page = "monitor:overview"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Try the password, unless the brake is on."""
        if sign_in.is_braked(*self.who()):
            form = self.get_form()
            form.add_error(None, _("Too many failed tries. Wait five minutes and try again."))
            return self.render_to_response(self.get_context_data(form=form), status=429)
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Count the failure."""
        sign_in.note_failure(*self.who())
        return super().form_invalid(form)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Forget earlier failures."""
        sign_in.forget_failures(*self.who())
        return super().form_valid(form)

    def who(self) -> tuple[str, str]:
        """The address and the name that try."""
        return self.request.META.get("REMOTE_ADDR", ""), self.request.POST.get("username", "")


@method_decorator(never_cache, name="dispatch")
class SignInByLink(Policed, RedirectURLMixin, View):
    """A one-time link: GET shows a button, so that previews do not use the link up; POST signs in."""

    next_page = "monitor:overview"

    def get(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Offer to continue."""
        good = sign_in.is_good(token)
        if not good and request.user.is_authenticated:
            return redirect(self.get_success_url())
        context = {"is_good": good, "next": self.get_redirect_url()}
        return render(request, "faena/sign_in_link.html", context, status=200 if good else 410)

    def post(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Sign in and go on."""
        user = sign_in.use(token)
        if user is None and request.user.is_authenticated:
            return redirect(self.get_success_url())
        if user is None:
            return render(request, "faena/sign_in_link.html", {"is_good": False}, status=410)
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return redirect(self.get_success_url())


class SignOut(Policed, LogoutView):  # type: ignore[misc]
    """Sign out, by POST."""

    next_page = "monitor:sign-in"
    http_method_names = ["post", "options"]
