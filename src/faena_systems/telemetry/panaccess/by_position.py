"""Read without filters: pages are rows of the whole list, oldest first, so that what arrives comes last.

Every page begins with the last record of the page before. If it does not, records were deleted meanwhile, and the
place is looked for again: nothing is left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import OrderIgnored
from ..records import RECORD_ID, Page, Row
from .ahead import Ahead, Wanted
from .place import Arrival, Place, newer, ordered

#: Looking for the place so often without a new record means that the list is not sorted.
LOOKS = 5


def read(ahead: Ahead, place: Place, limit: int) -> Iterator[Arrival]:
    """Hand what is new after the place.

    Raises:
        OrderIgnored: the place cannot be found.
    """
    wanted, page = page_at(ahead, place.position or seek(ahead, place.record_id), limit)
    following = wanted.start + limit - 1
    looks = 0
    while True:
        rows = newer(page, place)
        if is_elsewhere(wanted, page, rows, place, limit):
            looks += 1
            if looks > LOOKS:
                raise OrderIgnored
            ahead.forget()
            wanted, page = page_at(ahead, seek(ahead, place.record_id), limit)
            following = wanted.start + limit - 1
            continue
        if rows:
            looks = 0
            place = Place(rows[-1][RECORD_ID], wanted.start + page.size)
            yield Arrival(rows, place, page.unusable)
        if page.size < limit:
            return
        while ahead.has_room:
            ahead.order(at(following, limit))
            following += limit - 1
        wanted, page = ahead.next()


def is_elsewhere(wanted: Wanted, page: Page, rows: list[Row], place: Place, limit: int) -> bool:
    """Tell whether the page neither begins at the place nor holds it."""
    if page.ids is None:
        return wanted.start > 0
    begins_later = wanted.start > 0 and page.ids[0] > place.record_id
    return begins_later or (not rows and page.size >= limit)


def page_at(ahead: Ahead, position: int, limit: int) -> tuple[Wanted, Page]:
    """Fetch the page that begins with the last known record."""
    wanted = at(max(0, position - 1), limit)
    return wanted, ahead.now(wanted)


def seek(ahead: Ahead, record_id: int) -> int:
    """Return how many records of the list have ids up to this one, by halving."""
    # Ids are unique and positive, so no more than that.
    low, high = 0, record_id
    while low < high:
        middle = (low + high) // 2
        ids = ahead.now(at(middle, 1)).ids
        if ids is None or ids[0] > record_id:
            high = middle
        else:
            low = middle + 1
    return low


def at(offset: int, limit: int) -> Wanted:
    """Return the page of the whole list that begins at an offset."""
    return Wanted(offset, ordered(offset, limit))
