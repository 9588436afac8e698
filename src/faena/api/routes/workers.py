"""Workers."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop as _
from ninja import Router

from faena import conf, queries
from faena.api.auth import Request
from faena.api.rules import rule
from faena.api.schemas import queue as shapes
from faena.ledger import sql
from faena.permissions import Role

router = Router(tags=["Workers"])


@router.get("/workers", response=shapes.WorkerList, **rule(Role.VIEWER, _("List workers")))
def list_workers(request: Request) -> Any:
    """Who works, where, on which queues."""
    names = [name for name in shapes.Worker.model_fields if name != "alive"]
    heard = sql.database_now() - conf.get().LEASE
    return {
        "data": [
            {name: getattr(each, name) for name in names} | {"alive": each.seen > heard} for each in queries.workers()
        ]
    }
