"""Database connections of a worker: kept from task to task, for as long as Django's `CONN_MAX_AGE` says.

Celery closes them before and after each task; a new one costs more than recording a job does.
"""

from __future__ import annotations

import sys
import threading

from celery import Celery, Task, signals
from django.db import close_old_connections, connection, connections
from django.db.backends.signals import connection_created

from faena.celery.amqp import LedgerAMQP

#: Whether this thread may have an open connection. Asking Django for them costs more than a short task's own work.
_mine = threading.local()


def keep(app: Celery) -> None:
    """Have the app's workers close connections when Django would, instead of at every task."""
    app.add_defaults({"CELERY_DB_REUSE_MAX": sys.maxsize})
    connection_created.connect(_note)
    signals.task_prerun.connect(_let_go)
    signals.task_postrun.connect(_let_go)


def _note(**_: object) -> None:
    _mine.has_some = True


def _let_go(sender: Task, **_: object) -> None:
    if not getattr(_mine, "has_some", True) or sender.request.is_eager:
        return
    amqp = sender.app.amqp
    if not isinstance(amqp, LedgerAMQP):
        return
    if amqp.is_recorded(sender.name):
        # faena.testing runs jobs inside a test's transaction, which would end with its connection.
        if not connection.in_atomic_block:
            close_old_connections()
    else:
        # A claim tries again on a connection that has died meanwhile; the first query of other tasks would not.
        connections.close_all()
        _mine.has_some = False
