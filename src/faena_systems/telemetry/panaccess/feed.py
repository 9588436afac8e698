"""New records in ascending order, whatever the installation can do."""

from __future__ import annotations

import logging
from collections.abc import Generator

from . import by_id, by_position
from .access import Access
from .ahead import Ahead
from .place import Arrival, FiltersIgnored, Place

logger = logging.getLogger(__name__)

#: PanAccess lowers a higher limit to this without a word.
MOST = 1000


def arrivals(access: Access, place: Place, limit: int = MOST) -> Generator[Arrival, None, None]:
    """Hand the records after a place, page by page, until there are no more.

    Args:
        limit: records a page, 2 to 1000.

    Raises:
        OrderIgnored: the installation does not sort.
        NoAccess, UnknownFunction, LoginRefused, Transient, Stopped: as they come.
    """
    limit = max(2, min(limit, MOST))
    client = access.client
    with Ahead(access, client.configuration.concurrency) as ahead:
        if client.honours_filters:
            try:
                for arrival in by_id.read(ahead, place, limit):
                    place = arrival.place
                    yield arrival
                return
            except FiltersIgnored:
                logger.info("This PanAccess ignores newFilters; its records are read by their place in the list.")
                client.honours_filters = False
                ahead.forget()
        yield from by_position.read(ahead, place, limit)
