"""Jobs as they are asked for and shown. Secrets in arguments, results and items are masked."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, Field, create_model, model_validator

from faena import models, queries
from faena.api.schemas.base import Given, Text, example
from faena.explain import Explanation
from faena.masking import masked, masked_args
from faena.states import ItemState

ID = "01a1fb12-c056-7f27-9918-cc335e4e47be"
STATES = Literal[tuple(queries.TABS)]  # type: ignore[valid-type]
#: Ten years, in seconds.
LONGEST = 315_360_000

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


class NewJob(Given):
    """A job to be: a task by its name, as `apply_async` takes it."""

    task: Text = Field(min_length=1, max_length=255)
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    queue: Text | None = Field(None, min_length=1, max_length=255)
    priority: int | None = Field(None, ge=0, le=9)
    countdown: float | None = Field(None, ge=0, le=LONGEST, description="Seconds from now.")
    eta: AwareDatetime | None = Field(None, description="Not before this time.")
    expires: float | None = Field(None, gt=0, le=LONGEST, description="Seconds within which it must have begun.")
    unique: Text | None = Field(None, max_length=200, description="While such a job of the task lives, it is answered.")
    tags: list[Text] = Field([], max_length=20)
    auto_start: bool = Field(True, description="False: it waits, paused, until somebody starts it.")

    model_config = example(
        {
            "task": "shop.tasks.send_invoice",
            "args": [4711],
            "kwargs": {"to": "juan@example.com"},
            "queue": "mail",
            "priority": 5,
            "unique": "invoice-4711",
        }
    )

    @model_validator(mode="after")
    def _one_time(self) -> NewJob:
        if self.countdown is not None and self.eta is not None:
            raise ValueError("Give countdown or eta, not both.")
        return self


class StatusChange(Given):
    """The state a job should be in: `failed` also ends one that is stuck; `running` starts or resumes it."""

    status: Literal["paused", "cancelled", "failed", "running", "pending"]

    model_config = example({"status": "failed"})


class OtherArguments(Given):
    """Arguments for a retry; what is left out stays as it was. With any of them the retry is a new job."""

    args: list[Any] | None = None
    kwargs: dict[str, Any] | None = None

    model_config = example({"kwargs": {"to": "maria@example.com"}})


class Item(Schema):
    """One part of a job."""

    key: str
    state: str
    message: str
    output: Any = None
    at: datetime
    seconds: float | None

    model_config = example(
        {"key": "17", "state": "failed", "message": "No price", "output": None, "at": "2026-11-25T08:00:05Z",
         "seconds": 0.02}
    )  # fmt: skip


class ItemList(Schema):
    """A page of items, in their order; `next` leads on."""

    data: list[Item]
    next: int | None

    model_config = example({"data": [Item.model_config["json_schema_extra"]["example"]], "next": 17})  # type: ignore[index,call-overload]


class Line(Schema):
    """A line of a job's log."""

    id: int
    at: datetime
    level: str
    text: str
    attempt: int


class Log(Schema):
    """Lines of a job's log, oldest first; `next` is where to go on, now or later."""

    data: list[Line]
    next: int

    model_config = example(
        {"data": [{"id": 9, "at": "2026-11-25T08:00:05Z", "level": "info", "text": "500 rows", "attempt": 0}],
         "next": 9}
    )  # fmt: skip


class Why(Schema):
    """Why a job is not running, or not over; every member is null or empty where there is nothing to explain."""

    code: str | None = None
    sentence: str = ""
    hint: str = ""
    since: datetime | None = None
    until: datetime | None = None
    jobs: list[dict[str, Any]] = []
    workers: list[str] = []

    model_config = example(
        {"code": "no_worker", "sentence": "No worker is running.", "hint": "Start one: celery -A shop worker -Q mail",
         "since": None, "until": None, "jobs": [], "workers": []}
    )  # fmt: skip

    @classmethod
    def of(cls, explanation: Explanation | None) -> Why:
        """The explanation."""
        return cls() if explanation is None else cls(**explanation.as_json())


ItemStates = Literal[tuple(str(each) for each in ItemState)]  # type: ignore[valid-type]

#: The filters of the list of jobs, whichever there are.
JobQuery: Any = create_model(
    "JobQuery",
    __base__=Given,
    **{each.name: (Text, "") for each in fields(queries.JobFilter) if each.name != "state"},
    state=(STATES | None, None),
    cursor=(Text, Field("", description="`next` of the page before.")),
    limit=(int, Field(queries.PAGE, ge=1, le=200)),
)


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
