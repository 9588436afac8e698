"""Pages that are fetched ahead of those being saved: a few at a time, by threads that only talk to PanAccess."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, NamedTuple

from ..errors import SessionExpired
from ..records import Page
from .access import Access


class Wanted(NamedTuple):
    """A page to fetch: where it starts, in the caller's own terms, and the form fields that ask for it."""

    start: int
    fields: dict[str, Any]


class Ahead:
    """A queue of at most ``most`` pages on their way. For one thread; leaving it forgets what is on its way."""

    def __init__(self, access: Access, most: int) -> None:
        self._access, self.most = access, most
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="panaccess")
        self._on_the_way: deque[tuple[Wanted, Future[Page]]] = deque()

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.forget()
        self._pool.shutdown(wait=False)

    @property
    def has_room(self) -> bool:
        """Whether another page may be ordered."""
        return len(self._on_the_way) < self.most

    def order(self, wanted: Wanted) -> None:
        """Begin to fetch a page."""
        client, session_id = self._access.client, self._access.session_id

        def fetch() -> Page:
            return client.list_records(client.function, session_id, wanted.fields)

        self._on_the_way.append((wanted, self._pool.submit(fetch)))

    def next(self) -> tuple[Wanted, Page]:
        """Wait for the page that was ordered first.

        Raises:
            NoAccess, LoginRefused, Transient, Stopped: it does not come.
        """
        wanted, future = self._on_the_way.popleft()
        try:
            return wanted, future.result()
        except SessionExpired:
            return wanted, self.now(wanted)

    def now(self, wanted: Wanted) -> Page:
        """Fetch a page here, past those that are on their way, with a new session if need be."""
        return self._access.list_records(wanted.fields)

    def forget(self) -> None:
        """Let go of what is on its way."""
        for _wanted, future in self._on_the_way:
            future.cancel()
        self._on_the_way.clear()
