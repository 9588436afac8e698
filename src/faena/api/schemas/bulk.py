"""Many jobs at once: what is done, to which."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, Field

from faena.api.schemas.asked import STATES
from faena.api.schemas.base import Given, Text, example
from faena.api.schemas.job import ID
from faena.celery.many import VERBS
from faena.selection import MOST_IDS, Selection

_GROUP: dict[str, Any] = {
    "kind": "shop.tasks.send_invoice", "failure": "TimeoutError in shop/mail.py:send", "count": 12,
    "first": "2026-11-25T06:00:00Z", "last": "2026-11-25T08:00:31Z", "example": ID,
    "message": "The mail server did not answer.",
}  # fmt: skip


class Filter(Given):
    """The jobs that are like this; what is left out does not matter."""

    state: STATES | None = None  # type: ignore[valid-type]
    kind: Text = Field("", max_length=255)
    queue: Text = Field("", max_length=255)
    text: Text = Field("", max_length=200)
    failure: Text = Field("", max_length=255)
    before: AwareDatetime | None = Field(None, description="Those that had ended before this time.")
    ids: list[UUID] = Field([], max_length=MOST_IDS)

    def selection(self) -> Selection:
        """As the ledger has it."""
        plain = self.model_dump() | {"state": self.state or "", "ids": tuple(map(str, self.ids))}
        return Selection(**plain)


class BulkAction(Given):
    """One action on every job of a filter, in a background job."""

    action: Literal[tuple(VERBS)]  # type: ignore[valid-type]
    filter: Filter

    model_config = example({"action": "retry", "filter": {"state": "failed", "queue": "mail"}})


class Group(Schema):
    """The failed jobs of one kind that failed alike."""

    kind: str
    failure: str
    #: 1001 says that there are more than 1000.
    count: int
    first: datetime
    last: datetime
    example: UUID
    message: str


class GroupList(Schema):
    """The groups of failed jobs, the one that failed last first."""

    data: list[Group]

    model_config = example({"data": [_GROUP]})


class OneGroup(Given):
    """A group of failed jobs, as the list names it."""

    kind: Text = Field(min_length=1, max_length=255)
    failure: Text = Field(min_length=1, max_length=255)

    model_config = example({name: _GROUP[name] for name in ("kind", "failure")})
