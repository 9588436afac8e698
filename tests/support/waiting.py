"""Wait for what another process or thread does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from faena.ledger import leases

T = TypeVar("T")


def eventually(condition: Callable[[], T], timeout: float = 60.0, what: str = "", every: float = 0.05) -> T:
    """Ask until the answer is true, and return it; after `timeout` seconds the test fails."""
    pause = threading.Event()
    deadline = time.monotonic() + timeout
    while True:
        if answer := condition():
            return answer
        assert time.monotonic() < deadline, f"Not within {timeout:.0f} s: {what or condition}"
        pause.wait(every)


def holder_of(pid: int) -> str:
    """That process as leases name their holders."""
    return leases.holder(pid)
