"""Actions on many jobs: each is a background job."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop as _
from ninja import Router
from ninja.responses import Status

from faena.api.auth import Request
from faena.api.problems import invalid
from faena.api.rules import rule
from faena.api.schemas import bulk as shapes
from faena.api.schemas.base import Enqueued
from faena.celery.many import act_on_many
from faena.permissions import Role
from faena.selection import Selection

router = Router(tags=["Jobs"])


@router.post("/jobs/bulk", response={202: Enqueued}, **rule(Role.OPERATOR, _("Act on many jobs")))
def act_on_jobs(request: Request, given: shapes.BulkAction) -> Any:
    """A background job acts on every job of the filter as it stands now; its items say what was refused, and why."""
    selection = given.filter.selection()
    if selection.is_everything:
        raise invalid([{"place": "body.filter", "message": "Name what the jobs have in common."}])
    return enqueued(request, given.action, selection)


def enqueued(request: Request, action: str, selection: Selection) -> Status:
    """Enqueue the job that does it."""
    count = selection.count(timezone.now())
    pk = act_on_many(action, selection, request.auth.actor)
    return Status(202, Enqueued(job=str(pk), count=count))
