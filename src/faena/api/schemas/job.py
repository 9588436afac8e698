"""Jobs as they are asked for and shown. Secrets in arguments, results and items are masked."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Schema

from faena import models
from faena.api.schemas.base import example
from faena.masking import masked, masked_args

ID = "01a1fb12-c056-7f27-9918-cc335e4e47be"
_BRIEF: dict[str, Any] = {
    "id": ID, "kind": "shop.tasks.send_invoice", "title": "Invoice 4711", "state": "failed", "queue": "mail",
    "priority": 0, "attempt": 3, "max_attempts": 3, "crashes": 0, "worker": "celery@web1/4711", "done": 0,
    "failed": 0, "skipped": 0, "total": None, "percent": None, "failure": "TimeoutError in shop/mail.py:send",
    "error": {"type": "TimeoutError", "message": "The mail server did not answer."}, "tags": ["invoices"],
    "created_by": "ana", "created": "2026-11-25T08:00:00Z", "run_at": "2026-11-25T08:00:00Z",
    "started": "2026-11-25T08:00:01Z", "finished": "2026-11-25T08:00:31Z",
}  # fmt: skip
_WHOLE: dict[str, Any] = _BRIEF | {
    "args": [4711], "kwargs": {"to": "juan@example.com", "api_key": "••••••"}, "result": None, "cursor": None,
    "stop": "", "parent": None, "root": None, "retry_of": None, "schedule": None, "attempts": [],
    "traceback": "Traceback (most recent call last):\n  …",
}  # fmt: skip


class Failure(Schema):
    """What an attempt failed with."""

    type: str
    message: str


class JobBrief(Schema):
    """A job in a list."""

    id: UUID
    kind: str
    title: str
    state: str
    queue: str
    priority: int
    attempt: int
    max_attempts: int
    crashes: int
    worker: str
    done: int
    failed: int
    skipped: int
    total: int | None
    percent: int | None
    failure: str
    error: Failure | None
    tags: list[Any]
    created_by: str
    created: datetime
    run_at: datetime
    started: datetime | None
    finished: datetime | None

    model_config = example(_BRIEF)


class Attempt(Schema):
    """An attempt that failed."""

    number: int
    type: str
    message: str
    traceback: str
    worker: str
    at: str


class Job(JobBrief):
    """A job with everything in it."""

    args: list[Any]
    kwargs: dict[str, Any]
    result: Any = None
    cursor: Any = None
    #: What its body was asked to do at its next row: pause, cancel, handover, or nothing.
    stop: str
    parent: UUID | None
    root: UUID | None
    retry_of: UUID | None
    schedule: int | None
    attempts: list[Attempt]
    traceback: str

    model_config = example(_WHOLE)


class JobList(Schema):
    """A page of jobs, newest first; `next` leads to the older ones."""

    data: list[JobBrief]
    next: str | None

    model_config = example({"data": [_BRIEF], "next": "2026-11-25T08:00:00+00:00~" + ID.replace("-", "")})


def brief(job: models.Job) -> dict[str, Any]:
    """The members of `JobBrief`."""
    error: Any = job.error
    own = {name: getattr(job, name) for name in JobBrief.model_fields if name not in {"error"}}
    return own | {"error": error and {"type": str(error.get("type", "")), "message": str(error.get("message", ""))}}


def whole(job: models.Job) -> Job:
    """The job with everything in it, secrets masked."""
    errors: Any = job.errors or []
    error: Any = job.error or {}
    return Job(
        **brief(job),
        args=masked_args(job.kind, job.args),
        **{name: masked(getattr(job, name)) for name in ("kwargs", "result", "cursor")},
        stop=job.stop,
        parent=job.parent_id,
        root=job.root_id,
        retry_of=job.retry_of,
        schedule=job.schedule_id,
        attempts=[_attempt(each) for each in errors],
        traceback=str(error.get("traceback") or ""),
    )


def _attempt(error: dict[str, Any]) -> Attempt:
    texts = {name: str(error.get(name) or "") for name in ("type", "message", "traceback", "worker", "at")}
    return Attempt(number=error.get("attempt", 0) + 1, **texts)
