"""Tell Celery of an end that no body told of: a crash too many, a cancel, a time limit."""

from __future__ import annotations

import json
from typing import Any

from celery import Celery, states
from celery.app.task import Context
from celery.exceptions import ChordError, TaskRevokedError

from faena.celery import holding, message
from faena.ledger import endings, sql
from faena.states import State

_COLUMNS = ("id", "kind", "queue", "args", "kwargs", "message", "attempt", "state", "error")


def declare(app: Celery) -> None:
    """Give the app the task that `faena.ledger.endings` enqueues."""

    @app.task(name=endings.FOLLOW_UP, shared=False)
    def follow_up(job_id: str) -> None:
        hold = holding.current_hold()
        assert hold is not None  # noqa: S101  it is enqueued by the ledger only
        # All that follows is written with the settlement of this very job: once, whatever crashes.
        hold.body_ended = True
        found = sql.rows(
            f"SELECT {', '.join(_COLUMNS)} FROM faena_job WHERE id = %s", [sql.key(message.job_id(job_id))]
        )
        for values in found:
            _follow(app, dict(zip(_COLUMNS, values, strict=True)))


def _follow(app: Celery, row: dict[str, Any]) -> None:
    row["id"] = sql.uuid(row["id"])
    request = _request(app, row)
    error = json.loads(row["error"]) if row["error"] else None
    exc = app.backend.exception_of(error) if error else TaskRevokedError("cancelled")
    match State(row["state"]):
        case State.FAILED | State.CANCELLED if row["kind"] == endings.CHORD:
            try:
                raise ChordError(f"The chord's own job ended: {exc}")
            except ChordError as ended:  # Celery reads the traceback of what is handled now
                app.backend.chord_error_from_stack(app.signature(request.args[1]), ended)
        case State.FAILED:
            app.backend.follow(request.id, exc, error and error["traceback"], request)
        case State.CANCELLED:
            app.backend.follow(request.id, exc, None, request, call_errbacks=False, state=states.REVOKED)
        case State.COMPLETED | State.COMPLETED_WITH_ERRORS if request.chord:
            app.backend.on_chord_part_return(request, states.SUCCESS, None)


def _request(app: Celery, row: dict[str, Any]) -> Context:
    """The request that a worker would have made of the job's message."""
    (headers, _, (args, kwargs, embed), _), _ = message.celery_message(app, row)
    return Context(headers | embed, args=args, kwargs=kwargs, delivery_info={}, is_eager=False)
