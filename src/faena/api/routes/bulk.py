"""Actions on many jobs, and on groups of failed ones: each is a background job."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils import timezone
from ninja import Router
from ninja.responses import Status

from faena import failures
from faena.api.auth import Request
from faena.api.problems import invalid
from faena.api.rules import rule
from faena.api.schemas import bulk as shapes
from faena.api.schemas.base import Enqueued
from faena.celery.many import act_on_many
from faena.permissions import Role
from faena.selection import Selection

router = Router()


@router.post("/jobs/bulk", response={202: Enqueued}, tags=["Jobs"], **rule(Role.OPERATOR, "Act on many jobs"))
def act_on_jobs(request: Request, given: shapes.BulkAction) -> Any:
    """A background job acts on every job of the filter as it stands now; its items say what was refused, and why."""
    selection = given.filter.selection()
    if selection.is_everything:
        raise invalid([{"place": "body.filter", "message": "Name what the jobs have in common."}])
    return enqueued(request, given.action, selection)


@router.get(
    "/failures", response=shapes.GroupList, tags=["Failures"], **rule(Role.VIEWER, "List groups of failed jobs")
)
def list_failures(request: Request) -> Any:
    """Failed jobs, grouped by what failed where."""
    return {"data": [asdict(each) for each in failures.groups()]}


@router.post("/failures/retry", response={202: Enqueued}, tags=["Failures"], **rule(Role.OPERATOR, "Retry a group"))
def retry_group(request: Request, given: shapes.OneGroup) -> Any:
    """Each once more, with fresh attempts."""
    return enqueued(request, "retry", _group(given))


@router.post("/failures/discard", response={202: Enqueued}, tags=["Failures"], **rule(Role.OPERATOR, "Discard a group"))
def discard_group(request: Request, given: shapes.OneGroup) -> Any:
    """Say that nobody will retry them."""
    return enqueued(request, "discard", _group(given))


def enqueued(request: Request, action: str, selection: Selection) -> Status:
    """Enqueue the job that does it."""
    count = selection.count(timezone.now())
    pk = act_on_many(action, selection, request.auth.actor)
    return Status(202, Enqueued(job=str(pk), count=count))


def _group(given: shapes.OneGroup) -> Selection:
    return Selection(state="failed", kind=given.kind, failure=given.failure)
