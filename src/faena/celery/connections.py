"""Database connections of a worker: kept from task to task, for as long as Django's `CONN_MAX_AGE` says.

Celery closes them before and after each task; a new one costs more than recording a job does.
"""

from __future__ import annotations

import sys

from celery import Celery, Task, signals
from django.db import close_old_connections, connection, connections

from faena.celery.amqp import LedgerAMQP


def keep(app: Celery) -> None:
    """Have the app's workers close connections when Django would, instead of at every task."""
    app.add_defaults({"CELERY_DB_REUSE_MAX": sys.maxsize})
    signals.task_prerun.connect(_let_go)
    signals.task_postrun.connect(_let_go)


def _let_go(sender: Task, **_: object) -> None:
    if sender.request.is_eager or not isinstance(sender.app.amqp, LedgerAMQP):
        return
    if sender.app.amqp.is_recorded(sender.name):
        # faena.testing runs jobs inside a test's transaction, which would end with its connection.
        if not connection.in_atomic_block:
            close_old_connections()
    else:
        # A claim tries again on a connection that has died meanwhile; the first query of other tasks would not.
        connections.close_all()
