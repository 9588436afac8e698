"""The thread behind a consumer: it writes acks after a few milliseconds, and beats every three seconds."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from typing import Protocol

from faena.transports._file import BrokerError

ACK_DELAY = 0.005
BEAT_EVERY = 3.0

logger = logging.getLogger(__name__)


class Beating(Protocol):
    """What the pulse drives."""

    def beat(self) -> None:
        """Do the periodic work."""

    def flush(self) -> None:
        """Write the pending acks."""


class Pulse(threading.Thread):
    """Beats while its store lives.

    A thread of its own, because the main thread may be busy in a task for hours (solo pool) and its acks
    and its heartbeat must not wait for that.
    """

    def __init__(self, store: Beating) -> None:
        super().__init__(name="faena-sqlite-pulse", daemon=True)
        self._store = weakref.ref(store)
        self._hurry = threading.Event()
        self._stopped = False

    def hurry(self) -> None:
        """There are acks to write."""
        if not self._hurry.is_set():
            self._hurry.set()

    def stop(self) -> None:
        """End the thread at its next step."""
        self._stopped = True
        self._hurry.set()

    def run(self) -> None:
        """Beat at once, to give back what earlier consumers left, then regularly."""
        due = time.monotonic()
        while not self._stopped:
            now = time.monotonic()
            if now >= due:
                due = now + BEAT_EVERY
                self._do("beat")
            elif self._hurry.wait(due - now) and not self._stopped:
                time.sleep(ACK_DELAY)
                self._hurry.clear()
                self._do("flush")

    def _do(self, act: str) -> None:
        store = self._store()
        if store is None:
            self._stopped = True
            return
        try:
            getattr(store, act)()
        except BrokerError as error:
            # The consuming thread meets the same error and reconnects; acks stay pending until then.
            if not self._stopped:
                logger.warning("%s", error)
