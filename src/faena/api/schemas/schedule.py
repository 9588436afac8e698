"""Schedules as they are made and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, Field

from faena import models, occurrences, phrasing
from faena.api.schemas.base import Given, Text, example
from faena.masking import masked, masked_args
from faena.models.schedule import Kind, Misfire, Overlap

_BRIEF: dict[str, Any] = {
    "id": 3, "name": "nightly report", "when": "at 08:00, Monday to Friday (America/Tegucigalpa)",
    "task": "shop.tasks.report", "args": [], "kwargs": {"days": 1}, "queue": "", "priority": None, "expires": None,
    "kind": "crontab", "every": None, "crontab": "0 8 * * mon-fri", "event": "", "latitude": None, "longitude": None,
    "at": None, "time_zone": "America/Tegucigalpa", "starts": "2026-11-01T00:00:00Z", "ends": None, "overlap": "skip",
    "misfire": "once", "catch_up": 10, "jitter": 0, "source": "people", "enabled": True, "problem": "",
    "next_due": "2026-11-25T14:00:00Z",
}  # fmt: skip
_TO_COME = {"due_at": "2026-11-25T14:00:00Z", "skipped": False}
_CAME = {"due_at": "2026-11-24T14:00:00Z", "outcome": "fired", "why": "", "job": "01a1fb12-c056-7f27-9918-cc335e4e47be"}


class ScheduleFields(Given):
    """What people decide about a schedule. What is left out stays as it is, or as it usually is."""

    name: Text = Field(None, min_length=1, max_length=255)  # type: ignore[assignment]
    task: Text = Field(None, min_length=1, max_length=255)  # type: ignore[assignment]
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    queue: Text = Field("", max_length=255)
    priority: int | None = Field(None, ge=0, le=9)
    expires: float | None = Field(None, gt=0, le=315_360_000)
    kind: Literal[tuple(Kind.values)] = Kind.CRONTAB.value  # type: ignore[valid-type]
    every: float | None = Field(None, gt=0, le=315_360_000, description="Seconds, for an interval.")
    crontab: Text = Field("", max_length=255)
    event: Text = Field("", max_length=20)
    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)
    at: AwareDatetime | None = None
    time_zone: Text = Field(None, min_length=1, max_length=64)  # type: ignore[assignment]
    starts: AwareDatetime = None  # type: ignore[assignment]
    ends: AwareDatetime | None = None
    overlap: Literal[tuple(Overlap.values)] = Overlap.SKIP.value  # type: ignore[valid-type]
    misfire: Literal[tuple(Misfire.values)] = Misfire.ONCE.value  # type: ignore[valid-type]
    catch_up: int = Field(10, ge=1, le=100)
    jitter: float = Field(0, ge=0, le=86_400)
    enabled: bool = True

    model_config = example({"crontab": "30 7 * * mon-fri", "kwargs": {"days": 2}})

    def apply_to(self, schedule: models.Schedule) -> models.Schedule:
        """The schedule with what was given written into it."""
        for name in self.model_fields_set:
            setattr(schedule, name, getattr(self, name))
        return schedule


class NewSchedule(ScheduleFields):
    """A schedule to be."""

    name: Text = Field(min_length=1, max_length=255)
    task: Text = Field(min_length=1, max_length=255)

    model_config = example(
        {"name": "nightly report", "task": "shop.tasks.report", "kwargs": {"days": 1}, "kind": "crontab",
         "crontab": "0 8 * * mon-fri", "time_zone": "America/Tegucigalpa"}
    )  # fmt: skip


class Due(Given):
    """One occurrence, by its time; by default the next."""

    due_at: AwareDatetime | None = None

    model_config = example({"due_at": "2026-11-25T14:00:00Z"})


class ToCome(Schema):
    """A time at which it will be due, and whether it will be left out."""

    due_at: datetime
    skipped: bool

    model_config = example(_TO_COME)


class Came(Schema):
    """An occurrence whose time has come, and what came of it."""

    due_at: datetime
    outcome: str
    why: str
    job: UUID | None


class ScheduleBrief(Schema):
    """A schedule in a list; `when` says its timing in words."""

    id: int
    name: str
    when: str
    task: str
    args: Any
    kwargs: Any
    queue: str
    priority: int | None
    expires: float | None
    kind: str
    every: float | None
    crontab: str
    event: str
    latitude: float | None
    longitude: float | None
    at: datetime | None
    time_zone: str
    starts: datetime
    ends: datetime | None
    overlap: str
    misfire: str
    catch_up: int
    jitter: float
    source: str
    enabled: bool
    problem: str
    next_due: datetime | None

    model_config = example(_BRIEF)


class Schedule(ScheduleBrief):
    """A schedule with the next ten times and the last twenty."""

    to_come: list[ToCome]
    came: list[Came]

    model_config = example(_BRIEF | {"to_come": [_TO_COME], "came": [_CAME]})


class ScheduleList(Schema):
    """Every schedule that the code or people still have, by name."""

    data: list[ScheduleBrief]

    model_config = example({"data": [_BRIEF]})


class Started(Schema):
    """The job that runs out of turn; null where its task is not recorded."""

    job: UUID | None

    model_config = example({"job": "01a1fb12-c056-7f27-9918-cc335e4e47be"})


def brief(schedule: models.Schedule) -> dict[str, Any]:
    """The members of `ScheduleBrief`, secrets masked."""
    own = {name: getattr(schedule, name) for name in ScheduleBrief.model_fields if name != "when"}
    arguments: Any = schedule.args
    shown = {"args": masked_args(schedule.task, arguments), "kwargs": masked(schedule.kwargs)}
    return own | {"when": phrasing.describe(schedule)} | shown


def whole(schedule: models.Schedule) -> Schedule:
    """The schedule with its times."""
    return Schedule(
        **brief(schedule),
        to_come=[ToCome(due_at=each.due_at, skipped=each.skipped) for each in occurrences.to_come(schedule)],
        came=[
            Came(due_at=each.due_at, outcome=each.outcome, why=str(each.why), job=each.job_id)
            for each in occurrences.history(schedule, 20)
        ],
    )
