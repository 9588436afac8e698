"""Queues: what waits, pause, resume, purge."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext_noop as _
from ninja import Router

from faena import queries
from faena.api.auth import Request
from faena.api.problems import not_found
from faena.api.routes.bulk import enqueued
from faena.api.rules import rule
from faena.api.schemas import queue as shapes
from faena.api.schemas.base import Enqueued
from faena.ledger import queues
from faena.metrics import oldest_waits
from faena.permissions import Role
from faena.selection import Selection

router = Router(tags=["Queues"])


@router.get("/queues", response=shapes.QueueList, **rule(Role.VIEWER, _("List queues")))
def list_queues(request: Request) -> Any:
    """Depth, the oldest wait, who listens, and which are paused."""
    waits = oldest_waits()
    return {"data": [asdict(each) | {"oldest_wait_seconds": waits.get(each.name)} for each in queries.queues()]}


@router.post("/queues/{name}/pause", response=shapes.Changed, **rule(Role.OPERATOR, _("Pause a queue")))
def pause_queue(request: Request, name: str) -> Any:
    """Start no job of it until it is resumed; what runs goes on. It may be one that has no jobs yet."""
    return shapes.Changed(changed=queues.pause(_name(name), request.auth.actor))


@router.post("/queues/{name}/resume", response=shapes.Changed, **rule(Role.OPERATOR, _("Resume a queue")))
def resume_queue(request: Request, name: str) -> Any:
    """Let it go on; its jobs are sent at once."""
    return shapes.Changed(changed=queues.resume(_name(name), request.auth.actor))


@router.post("/queues/{name}/purge", response={202: Enqueued}, **rule(Role.OPERATOR, _("Purge a queue")))
def purge_queue(request: Request, name: str) -> Any:
    """Cancel every job of it that waits now, in a background job."""
    return enqueued(request, "cancel", Selection(state="pending", queue=_name(name)))


def _name(name: str) -> str:
    if "\0" in name or len(name) > 255:
        raise not_found("There is no queue of this name.")
    return name
