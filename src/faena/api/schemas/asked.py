"""What is asked for of jobs: which ones, a new one, another state, other arguments."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Literal, get_type_hints

from pydantic import AwareDatetime, Field, create_model, model_validator

from faena import queries
from faena.api.schemas.base import Given, Text, example

STATES = Literal[tuple(queries.TABS)]  # type: ignore[valid-type]
#: Ten years, in seconds.
LONGEST = 315_360_000


def _filters() -> dict[str, Any]:
    """The filters of the list of jobs, whichever there are; the state is one of the tabs."""
    types = get_type_hints(queries.JobFilter)
    members = {each.name: (Text if types[each.name] is str else types[each.name], each.default) for each in _FILTERS}
    return members | {"state": (STATES | None, None)}


_FILTERS = fields(queries.JobFilter)
_PAGING: dict[str, Any] = {
    "cursor": (Text, Field("", description="`next` of the page before.")),
    "limit": (int, Field(queries.PAGE, ge=1, le=200)),
}
JobQuery: Any = create_model("JobQuery", __base__=Given, **_filters(), **_PAGING)


def job_filter(wanted: Any) -> queries.JobFilter:
    """What a `JobQuery` asks for."""
    asked: dict[str, Any] = {each.name: getattr(wanted, each.name) or each.default for each in _FILTERS}
    return queries.JobFilter(**asked)


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
