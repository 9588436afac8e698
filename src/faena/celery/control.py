"""Remote control: Celery's, with revokes that waiting jobs remember."""

from __future__ import annotations

from typing import Any

from celery.app.control import Control
from django.db import transaction

from faena.celery.message import job_id
from faena.celery.reaching import reach
from faena.ledger import endings
from faena.ledger.settle import Error, end_waiting
from faena.states import State

REVOKED = Error("TaskRevokedError", "revoked", module="celery.exceptions")


class LedgerControl(Control):
    """Celery keeps revokes in the memory of running workers; a row keeps it whoever runs."""

    def revoke(self, task_id: str | list[str], *args: Any, **kwargs: Any) -> Any:
        """As Celery's; jobs that wait are cancelled at once, and no worker remembers them: people may retry them."""
        asked = [task_id] if isinstance(task_id, str) else list(task_id)
        cancelled = reach(lambda: [each for each in asked if _cancel_waiting(each)])
        if cancelled and len(cancelled) == len(asked):
            return [] if kwargs.get("reply") else None
        left = [each for each in asked if each not in cancelled] if cancelled else task_id
        return super().revoke(left, *args, **kwargs)


def _cancel_waiting(task_id: str) -> bool:
    with transaction.atomic():
        ended = end_waiting(job_id(task_id), State.CANCELLED, REVOKED)
        if ended:
            endings.owe(job_id(task_id))
    return ended
