"""What all shapes share."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Schema
from pydantic import AfterValidator, ConfigDict


def example(value: dict[str, Any]) -> ConfigDict:
    """The configuration of a shape with this example."""
    return ConfigDict(json_schema_extra={"example": value})


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("Text has no NUL character.")
    return text


#: Text that both databases store.
Text = Annotated[str, AfterValidator(_without_nul)]


class Given(Schema):
    """What is sent. A name that is not known is refused, with its place."""

    model_config = ConfigDict(extra="forbid")


class Enqueued(Schema):
    """A background job that does what was asked, and to how many jobs."""

    job: str
    count: int

    model_config = example({"job": "01a1fb12-c056-7f27-9918-cc335e4e47be", "count": 1250})
