"""Tokens as they are made and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Schema
from pydantic import Field

from faena.api.schemas.base import Given, Text, example
from faena.permissions import Role

_TOKEN: dict[str, Any] = {
    "id": 5, "name": "nightly export", "role": "viewer", "created": "2026-11-25T08:00:00Z", "created_by": "ana",
    "expires": "2027-02-23T08:00:00Z", "used": None, "revoked": None,
}  # fmt: skip


class NewToken(Given):
    """A token to be."""

    name: Text = Field(min_length=1, max_length=100)
    role: Role = Role.VIEWER
    days: int | None = Field(90, ge=1, le=3650, description="How long it is good for; null: until it is revoked.")

    model_config = example({"name": "nightly export", "role": "viewer", "days": 90})


class Token(Schema):
    """A token, without its text."""

    id: int
    name: str
    role: str
    created: datetime
    created_by: str
    expires: datetime | None
    used: datetime | None
    revoked: datetime | None

    model_config = example(_TOKEN)


class MadeToken(Token):
    """A token with its text, which is answered this once."""

    token: str

    model_config = example(_TOKEN | {"token": "faena_…"})


class TokenList(Schema):
    """Every token by name, revoked and expired ones too."""

    data: list[Token]

    model_config = example({"data": [_TOKEN]})
