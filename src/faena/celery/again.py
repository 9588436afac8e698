"""Retry a job with other arguments: a new job, checked against the task before anything is written."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from celery import Celery, Task, current_app
from django.db import transaction
from kombu.utils.json import dumps
from uuid6 import uuid7

from faena import registry
from faena.celery.loading import need_app
from faena.errors import NotAllowed, WrongArguments
from faena.ledger import doorbell, enqueue, sql
from faena.ledger.enqueue import NewJob
from faena.ledger.records import SYSTEM, Actor, write_audit
from faena.masking import masked, masked_args
from faena.states import FINISHED, State

_COLUMNS = (
    *("kind", "queue", "priority", "args", "kwargs", "message", "state", "max_attempts", "max_crashes"),
    *("limit", "rate", "parent_id", "root_id", "tags"),
)
#: What belonged to the old job alone: its place in a group or chord, when it would expire, whose answer it was.
_OF_THE_OLD = ("expires", "group", "group_index", "root_id", "parent_id")
#: What an argument of a plain type may be, as JSON knows it.
_TYPES: dict[Any, tuple[type, ...]] = {
    "int": (int,), "float": (float, int), "str": (str,), "bool": (bool,), "list": (list,), "dict": (dict,),
}  # fmt: skip


def retry_with(job_id: UUID, args: Sequence[Any], kwargs: Mapping[str, Any], by: Actor = SYSTEM) -> UUID:
    """Enqueue a job like this one with other arguments; the new job's id. The old one stays as it is.

    It keeps the kind, queue, priority, tags, attempts, time limits, callbacks and error callbacks; and, unless the old
    one completed, the rest of its chain. It leaves the group or chord that the old one was a part of.

    Args:
        args, kwargs: JSON values.

    Raises:
        NotAllowed: the job is not over.
        WrongArguments: the task cannot be called like this, or nobody but Faena calls it. Nothing was written.
        AlreadyLive: a job with the same unique key is live. Nothing was written.
    """
    need_app()
    app: Celery = current_app._get_current_object()
    row = _row_of(job_id)
    refuse_own(row["kind"])
    check_arguments(app, row["kind"], args, kwargs)
    declared = app.amqp.declaration_of(row["kind"])
    named = declared.named(args, kwargs)
    new = NewJob(
        id=uuid7(),
        kind=row["kind"],
        queue=row["queue"],
        priority=row["priority"],
        args=dumps(list(args)),
        kwargs=dumps(dict(kwargs)),
        message=_message(row),
        title=named.title,
        max_attempts=row["max_attempts"],
        max_crashes=row["max_crashes"],
        unique_key=named.unique_key,
        limit_key=named.limit_key,
        limit=row["limit"],
        rate=row["rate"] if named.limit_key else None,
        parent_id=row["parent_id"] and sql.uuid(row["parent_id"]),
        root_id=row["root_id"] and sql.uuid(row["root_id"]),
        retry_of=job_id,
        created_by=by.name,
        tags=row["tags"],
    )
    before = _shown(row["kind"], json.loads(row["args"]), json.loads(row["kwargs"]))
    after = _shown(row["kind"], args, kwargs)
    with transaction.atomic():
        enqueue.insert([new])
        details = {"new_job": str(new.id), "before": before, "after": after}
        write_audit(by, "retry with arguments", job_id, details)
        doorbell.ring_on_commit([new.id])
    return new.id


def _shown(kind: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {"args": masked_args(kind, args), "kwargs": masked(dict(kwargs))}


def refuse_own(task: str) -> None:
    """See that the task is the project's.

    Raises:
        WrongArguments: it is Faena's.
    """
    if registry.is_own(task):
        raise WrongArguments(task, "own task")


def check_arguments(app: Celery, kind: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """See whether the task could be called like this.

    Raises:
        WrongArguments: it could not, with the argument that is wrong.
    """
    declared = app.amqp.declaration_of(kind)
    task: Task | None = app.tasks.get(kind)
    if task is None:
        raise WrongArguments(kind, "unknown task")
    signature = declared.signature or inspect.signature(task.run)
    _check_names(signature, args, kwargs)
    for name, value in signature.bind(*args, **kwargs).arguments.items():
        _check_type(signature.parameters[name], value)


def _check_names(signature: inspect.Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    parameters = signature.parameters.values()
    by_place = [each for each in parameters if each.kind in {each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD}]
    takes_any = {each.kind for each in parameters}
    if len(args) > len(by_place) and inspect.Parameter.VAR_POSITIONAL not in takes_any:
        raise WrongArguments("", "too many")
    given = {each.name for each in by_place[: len(args)]}
    for name in kwargs:
        unknown = name not in signature.parameters and inspect.Parameter.VAR_KEYWORD not in takes_any
        if unknown or name in given:
            raise WrongArguments(name, "unknown" if unknown else "too many")
    for each in parameters:
        has_own = each.default is not each.empty or each.kind in {each.VAR_POSITIONAL, each.VAR_KEYWORD}
        if not has_own and each.name not in given | set(kwargs):
            raise WrongArguments(each.name, "missing")


def _check_type(parameter: inspect.Parameter, value: Any) -> None:
    """Only plain types: what else an annotation says is the body's to check."""
    wanted = getattr(parameter.annotation, "__name__", parameter.annotation)
    allowed = _TYPES.get(wanted) if parameter.kind is parameter.POSITIONAL_OR_KEYWORD else None
    if allowed is None or (value is None and parameter.default is None):
        return
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        raise WrongArguments(parameter.name, "type", wanted)


def _row_of(job_id: UUID) -> dict[str, Any]:
    columns = ", ".join(f'"{name}"' for name in _COLUMNS)
    found = sql.rows(f"SELECT {columns} FROM faena_job WHERE id = %s", [sql.key(job_id)])
    row = dict(zip(_COLUMNS, found[0], strict=True)) if found else {"state": "unknown"}
    if row["state"] not in FINISHED:
        raise NotAllowed(job_id, "be retried with other arguments", row["state"])
    return row


def _message(row: dict[str, Any]) -> str:
    stored = json.loads(row["message"])
    for name in ("task_id", "unrun"):
        stored.pop(name, None)
    headers = {name: value for name, value in stored.get("headers", {}).items() if name not in _OF_THE_OLD}
    embed = {name: value for name, value in stored.get("embed", {}).items() if name != "chord"}
    if row["state"] in {State.COMPLETED, State.COMPLETED_WITH_ERRORS}:
        embed.pop("chain", None)
    kept = stored | {"headers": headers, "embed": embed}
    return dumps({part: value for part, value in kept.items() if value})
