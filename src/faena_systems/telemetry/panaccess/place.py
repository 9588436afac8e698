"""Where a reader of records stands, and what it hands on."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..errors import OrderIgnored
from ..records import RECORD_ID, Page, Row


class Place(NamedTuple):
    """Every record up to this id is known. ``position`` of them are in the whole list; 0 where that is not known."""

    record_id: int = 0
    position: int = 0


class Arrival(NamedTuple):
    """New records that follow the place before without a gap, and the place after them; ``unusable`` had no id."""

    rows: list[Row]
    place: Place
    unusable: int


class FiltersIgnored(Exception):
    """The installation sends records that the filter does not let through."""


def ordered(offset: int, limit: int, **more: Any) -> dict[str, Any]:
    """Return the form fields that ask for a page of the list, oldest first."""
    return {"offset": offset, "limit": limit, "orderBy": "recordId", "orderDir": "ASC"} | more


def newer(page: Page, place: Place) -> list[Row]:
    """Return the rows after the place.

    Raises:
        OrderIgnored: the page is not sorted.
    """
    ids = [row[RECORD_ID] for row in page.rows]
    if ids != sorted(set(ids)):
        raise OrderIgnored
    return [row for row in page.rows if row[RECORD_ID] > place.record_id]
