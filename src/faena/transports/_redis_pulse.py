"""The thread behind a consumer: it sends acknowledgements after a few milliseconds, and beats."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable
from typing import Protocol

from faena.transports._redis_link import FAILURES

ACK_DELAY = 0.005
BEAT_EVERY = 2.0

logger = logging.getLogger(__name__)


class Beating(Protocol):
    """What the pulse drives."""

    on_failure: Callable[[], None]

    def beat(self) -> None:
        """Do the periodic work."""

    def flush(self) -> None:
        """Send the pending acknowledgements."""


class Pulse(threading.Thread):
    """Beats while its consumer lives.

    A thread of its own, because the main thread may be busy in a task for hours (solo pool) and its
    acknowledgements and its heartbeat must not wait for that.
    """

    def __init__(self, consumer: Beating) -> None:
        super().__init__(name="faena-redis-pulse", daemon=True)
        self._consumer = weakref.ref(consumer)
        self._hurry = threading.Event()
        self._stopped = False
        self._failing = False

    def hurry(self) -> None:
        """There are acknowledgements to send."""
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
        consumer = self._consumer()
        if consumer is None:
            self._stopped = True
            return
        try:
            getattr(consumer, act)()
            self._failing = False
        except FAILURES as error:
            if not (self._stopped or self._failing):
                logger.warning("The heartbeat cannot reach Redis, trying on: %s", error)
            self._failing = True
            consumer.on_failure()
