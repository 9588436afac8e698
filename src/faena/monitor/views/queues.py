"""The queues: what waits where; pause, resume, purge."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from faena.celery.many import act_on_many
from faena.errors import ConfigurationError
from faena.ledger import queues as ledger
from faena.monitor import queue_list
from faena.monitor.page import Deed, Page, Refused, actor
from faena.selection import Selection


class LiveQueues(Page, TemplateView):
    """The live part."""

    template_name = "faena/parts/queues_live.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Every queue."""
        return super().get_context_data(**kwargs) | queue_list.about()


class Queues(LiveQueues):
    """The whole page."""

    template_name = "faena/queues.html"


class QueueDeed(Deed):
    """Do something to the queue that the form names."""

    back = "monitor:queues"

    def do(self, request: HttpRequest, **kwargs: Any) -> str | Promise:
        """Act on it."""
        name = request.POST.get("queue", "")
        if not name:
            raise Refused(_("No queue was named."))
        return self.act(name, request)

    def act(self, name: str, request: HttpRequest) -> str | Promise:
        """Act on the queue of this name."""
        raise NotImplementedError


class PauseQueue(QueueDeed):
    """Start no job of it."""

    def act(self, name: str, request: HttpRequest) -> str | Promise:
        """Pause it."""
        if not ledger.pause(name, actor(request)):
            raise Refused(_("The queue %(queue)s was paused already.") % {"queue": name})
        return _("The queue %(queue)s is paused: what runs goes on, nothing new starts.") % {"queue": name}


class ResumeQueue(QueueDeed):
    """Let it go on."""

    def act(self, name: str, request: HttpRequest) -> str | Promise:
        """Resume it."""
        if not ledger.resume(name, actor(request)):
            raise Refused(_("The queue %(queue)s was not paused.") % {"queue": name})
        return _("The queue %(queue)s goes on.") % {"queue": name}


class PurgeQueue(QueueDeed):
    """Cancel everything that waits in it."""

    def act(self, name: str, request: HttpRequest) -> str | Promise:
        """Start the background job that cancels them, when the name was typed."""
        if request.POST.get("typed", "").strip() != name:
            raise Refused(_("Nothing was cancelled: what was typed is not the name of the queue."))
        try:
            pk = act_on_many("cancel", Selection(state="pending", queue=name), actor(request))
        except ConfigurationError as error:
            raise Refused(str(error)) from None
        said = _("A background job cancels what waits in %(queue)s.") % {"queue": name}
        return format_html('{} <a href="{}">{}</a>', said, reverse("monitor:job", args=[pk]), _("Watch it"))
