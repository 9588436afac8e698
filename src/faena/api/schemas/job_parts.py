"""The parts of a job: its items, its log, and why it waits."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Schema

from faena.api.schemas.base import example
from faena.explain import Explanation
from faena.states import ItemState

ItemStates = Literal[tuple(str(each) for each in ItemState)]  # type: ignore[valid-type]


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

    model_config = example({"data": [Item.model_config["json_schema_extra"]["example"]], "next": 17})  # type: ignore[index]


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
