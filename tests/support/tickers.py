"""Tickers, each a process like a keeper's or `celery beat`: they fire what is due until they are killed.

This one starts them, and another for each that dies: `python -m tests.support.tickers 5`.
"""

from __future__ import annotations

import os
import sys
import time

import django

django.setup()

from faena.duties.tick import tick_once  # noqa: E402
from tests.support.processes import die_with_parent  # noqa: E402
from tests.support.worker_app import app  # noqa: E402


def tick_for_ever() -> None:
    die_with_parent()
    while True:
        time.sleep(min(0.05, tick_once().next_in))


if __name__ == "__main__":
    app.finalize()
    alive = 0
    while True:
        if alive < int(sys.argv[1]):
            # Forked before anything was connected: nothing is shared.
            if not os.fork():
                tick_for_ever()
            alive += 1
        else:
            os.wait()
            alive -= 1
