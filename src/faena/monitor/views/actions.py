"""What operators do to one job. Each is a POST to a noun; the verbs themselves are in the ledger."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View

from faena.errors import AlreadyLive, NoInput, NotAllowed
from faena.ledger import hold
from faena.models.job import STATES
from faena.monitor.page import Operating, actor, is_fragment
from faena.states import State

_NAMES = dict(STATES)
TWIN = gettext_lazy("Another job with the same unique key is live. Try again when it has ended.")


class Action(Operating, View):
    """Do it, say how it went, show the job."""

    http_method_names = ["post", "options"]
    verb: ClassVar[Any]
    said: ClassVar[Any]

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """Act, or say kindly why not."""
        try:
            self.verb(pk, actor(request))
        except NotAllowed as error:
            messages.warning(request, refusal(error))
        except AlreadyLive:
            messages.warning(request, TWIN)
        else:
            messages.success(request, self.said)
        return redirect("monitor:job-live" if is_fragment(request) else "monitor:job", pk)


def refusal(error: NotAllowed) -> str:
    """Why not, in the reader's language."""
    if error.state == "unknown":
        return _("This job no longer exists.")
    if isinstance(error, NoInput):
        return _(error.REASON)
    # A running job that was asked to stop says so too: "running and asked to pause".
    state, _and, asked = str(error.state).partition(" and asked to ")
    name = _NAMES.get(State(state), state) if state in set(State) else state
    if asked:
        return _("That is not possible now: the job is “%(state)s” and was asked to stop already.") % {"state": name}
    return _("That is not possible now: the job is “%(state)s”. It may just have changed.") % {"state": name}


class Pause(Action):
    """Hold it back, or stop it at its next row."""

    verb = staticmethod(hold.pause)
    said = gettext_lazy("Pause requested: the job keeps its place.")


class Resume(Action):
    """Go on at the row where it stopped."""

    verb = staticmethod(hold.resume)
    said = gettext_lazy("The job goes on where it stopped.")


class Cancel(Action):
    """Call it off."""

    verb = staticmethod(hold.cancel)
    said = gettext_lazy("Cancellation requested.")


class Retry(Action):
    """Once more, with fresh attempts."""

    verb = staticmethod(hold.retry)
    said = gettext_lazy("The job is queued again with fresh attempts.")


class Discard(Action):
    """Nobody will retry it."""

    verb = staticmethod(hold.discard)
    said = gettext_lazy("The job is discarded: it counts as cancelled, and its error stays below.")
