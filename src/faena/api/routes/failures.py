"""Failed jobs in groups, by what failed where."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext_noop as _
from ninja import Router

from faena import failures
from faena.api.auth import Request
from faena.api.routes.bulk import enqueued
from faena.api.rules import rule
from faena.api.schemas import bulk as shapes
from faena.api.schemas.base import Enqueued
from faena.permissions import Role
from faena.selection import Selection

router = Router(tags=["Failures"])


@router.get("/failures", response=shapes.GroupList, **rule(Role.VIEWER, _("List groups of failed jobs")))
def list_failures(request: Request) -> Any:
    """Failed jobs, grouped by what failed where."""
    return {"data": [asdict(each) for each in failures.groups()]}


@router.post("/failures/retry", response={202: Enqueued}, **rule(Role.OPERATOR, _("Retry a group")))
def retry_group(request: Request, given: shapes.OneGroup) -> Any:
    """Each once more, with fresh attempts."""
    return enqueued(request, "retry", _group(given))


@router.post("/failures/discard", response={202: Enqueued}, **rule(Role.OPERATOR, _("Discard a group")))
def discard_group(request: Request, given: shapes.OneGroup) -> Any:
    """Say that nobody will retry them."""
    return enqueued(request, "discard", _group(given))


def _group(given: shapes.OneGroup) -> Selection:
    return Selection(state="failed", kind=given.kind, failure=given.failure)
