"""Read with ``newFilters``: pages begin after an id.

As ids are unique, a full page reaches at least as many ids further as it has records. So the next starts are known
before the page has come, and nothing that arrives or is deleted meanwhile moves them. Pages overlap a little where
ids are missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..records import RECORD_ID
from .ahead import Ahead, Wanted
from .place import Arrival, FiltersIgnored, Place, newer, ordered


def read(ahead: Ahead, place: Place, limit: int) -> Iterator[Arrival]:
    """Hand what is new after the place.

    Raises:
        FiltersIgnored: it cannot be read so.
    """
    # The first page alone: most often there is no second.
    wanted = after(place.record_id, limit)
    page = ahead.now(wanted)
    following = wanted.start + limit
    while True:
        rows = newer(page, place)
        if page.ids and page.ids[0] <= wanted.start:
            raise FiltersIgnored
        if rows:
            place = Place(rows[-1][RECORD_ID], place.position)
            yield Arrival(rows, place, page.unusable)
        if page.size < limit:
            return
        if place.record_id > wanted.start + 2 * limit:
            # So many ids are missing here that the pages on their way hold little new.
            ahead.forget()
            following = place.record_id
        while ahead.has_room:
            ahead.order(after(following, limit))
            following += limit
        wanted, page = ahead.next()


def after(record_id: int, limit: int) -> Wanted:
    """Return the page of the records with higher ids."""
    rule = {"field": "recordId", "op": "gt", "data": str(record_id)}
    tree = {"groupOp": "AND", "filters": [{"groupOp": "AND", "rules": [rule]}]}
    return Wanted(record_id, ordered(0, limit, newFilters=json.dumps(tree)))
