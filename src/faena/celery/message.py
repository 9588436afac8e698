"""Between a Celery message and a job's row, in both directions."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from celery import Celery, Task
from celery.app.amqp import task_message
from celery.utils.time import maybe_iso8601
from kombu.exceptions import EncodeError
from kombu.utils.json import dumps

from faena.celery.declaration import Declaration, Named
from faena.errors import ConfigurationError
from faena.ledger import sql
from faena.ledger.enqueue import NewJob

#: Task ids that are no UUIDs (`apply_async(task_id="nightly")`) get one of their own, always the same.
_FOREIGN_IDS = UUID("6b1f5d3e-6f0a-5c6e-9d54-0c1b8c0d7a11")

#: The header that tells a worker that the message has a row: 1 more than the row's fence when it was sent.
HAS_ROW = "faena"

#: Headers that say who asks for a job.
CREATED_BY = "faena_created_by"
SCHEDULE = "faena_schedule"
#: Headers with which a caller makes one job unique, and tags it.
UNIQUE = "faena_unique"
TAGS = "faena_tags"

#: Headers of which nothing need be kept: columns hold them, or they are made anew.
_IN_COLUMNS = {"id", "task", "eta", "retries", "argsrepr", "kwargsrepr", "lang"}
_IN_COLUMNS |= {HAS_ROW, CREATED_BY, SCHEDULE, UNIQUE, TAGS}
#: What Celery puts into headers of which nothing was asked; None for all others.
_USUAL: dict[str, Any] = {
    "ignore_result": False,
    "replaced_task_nesting": 0,
    "stamps": {},
    "timelimit": [None, None],
}
#: Celery's own headers, as a request has them.
_CELERYS = (
    *("expires", "group", "group_index", "root_id", "parent_id", "timelimit", "ignore_result", "shadow"),
    *("replaced_task_nesting", "stamped_headers", "stamps"),
)
#: Delivery options that matter again when a row is sent later.
_DELIVERY = ("exchange", "routing_key", "serializer", "compression", "delivery_mode", "priority", "reply_to")


def job_id(task_id: str) -> UUID:
    """The row's id for a Celery task id: the same UUID, or one derived from a name."""
    try:
        return UUID(task_id)
    except ValueError:
        return uuid.uuid5(_FOREIGN_IDS, task_id)


def chord_id(group_id: str) -> UUID:
    """The id of the job that waits for a chord's header, from the header's group id."""
    return uuid.uuid5(_FOREIGN_IDS, f"chord {group_id}")


def _job_id_or_none(task_id: str | None) -> UUID | None:
    return job_id(task_id) if task_id else None


def new_job(name: str, message: Any, options: dict[str, Any], queue: str, declared: Declaration) -> NewJob:
    """The row of a job that Celery is about to send.

    Args:
        message: Celery's own `task_message`.
        options: the delivery options of `send_task_message`.
        declared: what the task's declaration says of limits, titles and attempts.
    """
    headers, properties, (args, kwargs, embed), _ = message
    headers = headers | (options.get("headers") or {})
    eta = maybe_iso8601(headers["eta"])
    kept = _unusual(headers)
    if kept.get("root_id") == headers["id"]:
        del kept["root_id"]  # Celery makes a job its own root unless it is told of another
    delivery = {name: options[name] for name in _DELIVERY if options.get(name) is not None}
    if properties.get("reply_to"):
        delivery["reply_to"] = properties["reply_to"]
    calls = {name: value for name, value in embed.items() if value}
    stored: dict[str, Any] = {"headers": kept, "delivery": delivery, "embed": calls}
    if str(job_id(headers["id"])) != headers["id"]:
        stored["task_id"] = headers["id"]
    named = declared.named(args, kwargs)
    return NewJob(
        id=job_id(headers["id"]),
        kind=name,
        queue=queue,
        args=_text(args),
        kwargs=_text(kwargs),
        message=_text({part: value for part, value in stored.items() if value}),
        title=named.title,
        priority=_priority(options.get("priority")),
        run_at=_if_future(eta),
        attempt=headers["retries"],
        max_attempts=declared.max_attempts,
        max_crashes=declared.max_crashes,
        unique_key=_unique(name, headers) or named.unique_key,
        limit_key=named.limit_key,
        limit=declared.limit,
        rate=declared.rate,
        parent_id=_job_id_or_none(headers.get("parent_id")),
        root_id=_job_id_or_none(headers.get("root_id")),
        group_id=_job_id_or_none(headers.get("group")),
        schedule_id=headers.get(SCHEDULE),
        created_by=sql.short(headers.get(CREATED_BY, ""), 150),
        tags=_text(headers[TAGS]) if headers.get(TAGS) else "[]",
    )


def like(first: NewJob, calls: Iterable[tuple[UUID, Any, Any]], declared: Declaration) -> Iterator[NewJob]:
    """Rows that differ from the first in nothing but the call: (id, args, kwargs). Each is its own root if that is."""
    common = {each.name: getattr(first, each.name) for each in fields(first)}
    for key, args, kwargs in calls:
        named = declared.named(args, kwargs)
        yield NewJob(
            **common
            | {
                "id": key,
                "root_id": key if first.root_id == first.id else first.root_id,
                "args": _text(args),
                "kwargs": _text(kwargs) if kwargs else "{}",
                "title": named.title,
                "unique_key": named.unique_key,
                "limit_key": named.limit_key,
            }
        )


def celery_message(app: Celery, row: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The message of a row that is sent later, and its delivery options.

    Args:
        row: columns id, kind, queue, args, kwargs, message (JSON text) and attempt; fence, if a worker is to get it.
    """
    stored = json.loads(row["message"])
    headers, embed = stored.get("headers", {}), stored.get("embed", {})
    task_id = stored.get("task_id", str(row["id"]))
    message = app.amqp.as_task_v2(
        task_id,
        row["kind"],
        json.loads(row["args"]),
        json.loads(row["kwargs"]),
        retries=row["attempt"],
        callbacks=embed.get("callbacks"),
        errbacks=embed.get("errbacks"),
        chain=embed.get("chain"),
        chord=embed.get("chord"),
        create_sent_event=app.conf.task_send_sent_event,
    )
    built, properties, body, sent_event = message
    delivery = dict(stored.get("delivery", {}))
    properties["reply_to"] = delivery.pop("reply_to", "")
    return task_message(built | headers | {HAS_ROW: row.get("fence", 0) + 1}, properties, body, sent_event), delivery


def adopted(task: Task, declared: Declaration) -> NewJob:
    """The row of a message that came without one, from the request that the worker made of it."""
    request = task.request
    headers = _unusual({name: getattr(request, name, None) for name in _CELERYS} | (request.headers or {}))
    embed = {
        name: value for name in ("callbacks", "errbacks", "chain", "chord") if (value := getattr(request, name, None))
    }
    stored: dict[str, Any] = {"headers": headers, "embed": embed}
    if str(job_id(request.id)) != request.id:
        stored["task_id"] = request.id
    try:
        named = declared.named(request.args, request.kwargs)
    except (TypeError, ConfigurationError):
        # Nobody hears of it but by a job that fails: its body says what is wrong with the arguments.
        named = Named("", None, None)
    return NewJob(
        id=job_id(request.id),
        kind=task.name,
        queue=(request.delivery_info or {}).get("routing_key") or task.app.conf.task_default_queue,
        args=_text(request.args),
        kwargs=_text(request.kwargs),
        message=_text(stored),
        title=named.title,
        priority=_priority((request.delivery_info or {}).get("priority")),
        attempt=request.retries or 0,
        max_attempts=declared.max_attempts,
        max_crashes=declared.max_crashes,
        unique_key=named.unique_key,
        limit_key=named.limit_key,
        limit=declared.limit,
        rate=declared.rate if named.limit_key else None,
        parent_id=_job_id_or_none(request.parent_id),
        root_id=_job_id_or_none(request.root_id),
        group_id=_job_id_or_none(request.group),
    )


def _unusual(headers: dict[str, Any]) -> dict[str, Any]:
    """The headers that are not what Celery fills in by itself."""
    return {name: value for name, value in headers.items() if name not in _IN_COLUMNS and value != _USUAL.get(name)}


def _priority(value: int | None) -> int:
    return min(9, max(0, value or 0))


def _unique(kind: str, headers: dict[str, Any]) -> str | None:
    return sql.short(f"{kind}|{headers[UNIQUE]}", 255) if headers.get(UNIQUE) else None


def _if_future(eta: datetime | None) -> datetime | None:
    if eta is None:
        return None
    eta = eta if eta.tzinfo else eta.replace(tzinfo=UTC)  # as Celery's workers take it
    return eta if eta > datetime.now().astimezone() else None


def _text(value: Any) -> str:
    try:
        return dumps(value)
    except TypeError as error:
        # Celery's word for it, and at once instead of at the broker.
        raise EncodeError(f"A job's arguments must be JSON: {error}") from None
