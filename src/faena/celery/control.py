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
        """As Celery's; jobs that wait are cancelled at once."""
        reach(lambda: _cancel_waiting([task_id] if isinstance(task_id, str) else task_id))
        return super().revoke(task_id, *args, **kwargs)


def _cancel_waiting(task_ids: list[str]) -> None:
    for each in task_ids:
        with transaction.atomic():
            if end_waiting(job_id(each), State.CANCELLED, REVOKED):
                endings.owe(job_id(each))
