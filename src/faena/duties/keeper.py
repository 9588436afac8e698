"""The keeper: the one loop that calls the duties. Every worker has one; one of them holds the post."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from django.db import Error, connection

from faena import conf
from faena.duties.prune import prune_once
from faena.duties.reap import reap_once
from faena.duties.reconcile import reconcile_once
from faena.duties.relay import relay_once
from faena.ledger import leases, limits, tally, workers
from faena.ledger.forking import brief_connection

logger = logging.getLogger(__name__)

POST = "keeper"
#: How long the post stays this process's without being extended.
TENURE = timedelta(seconds=8)
#: How often the post is extended, or asked for.
ASK = timedelta(seconds=2)
#: How often the tally of what was accepted is added up.
COMPACT = timedelta(seconds=5)
#: How often workers that are long gone, permits that no longer count, and occurrences of old are forgotten.
FORGET = timedelta(minutes=10)
#: The longest pause between two looks at the schedules; a tick says itself when the next one is due sooner.
TICK = timedelta(seconds=1)
#: How often schedules are set right that a wrong clock has put off.
ALIGN = timedelta(minutes=1)
#: How often the jobs that ended are counted, and the alert rules looked at.
SAMPLE = timedelta(seconds=5)
ALERT = timedelta(seconds=15)
#: The longest pause between two looks at what takes a while to measure; the duty says itself when it looks again.
MEASURE = timedelta(hours=1)


class Keeper(threading.Thread):
    """Runs until `stop` is set. An error in one duty is logged and the loop goes on."""

    def __init__(self) -> None:
        super().__init__(name="faena-keeper", daemon=True)
        self.stopping = threading.Event()
        settings = conf.get()
        # Models need Django to be set up, which it is not yet when `faena.install` imports this module.
        from faena.duties import alert, measure, sample, tick

        self._duties: list[tuple[Callable[[], object], timedelta]] = [
            (reap_once, settings.REAP_INTERVAL),
            (relay_once, settings.RELAY_INTERVAL),
            (reconcile_once, settings.RECONCILE_INTERVAL),
            (prune_once, settings.PRUNE_INTERVAL),
            (tally.compact_once, COMPACT),
            (workers.forget_once, FORGET),
            (limits.forget_once, FORGET),
            (tick.tick_once, TICK),
            (tick.align_once, ALIGN),
            (tick.forget_once, FORGET),
            (sample.sample_once, SAMPLE),
            (sample.forget_once, FORGET),
            (measure.measure_once, MEASURE),
            (alert.alert_once, ALERT),
        ]
        self._next = dict.fromkeys((duty for duty, _ in self._duties), 0.0)
        self._held_until = self._ask_at = 0.0

    def run(self) -> None:
        """Do what is due, then wait for the next thing that is."""
        while not self.stopping.is_set():
            try:
                wait = self._turn()
            except Exception:
                logger.exception("The keeper failed and goes on in two seconds.")
                wait = ASK.total_seconds()
            self.stopping.wait(wait)
        if time.monotonic() < self._held_until:
            # Without the database the post is free when its time is over.
            with suppress(Error), brief_connection():
                leases.release(POST)

    def _turn(self) -> float:
        """Ask for the post, do the duties that are due; the seconds until the next one."""
        now = time.monotonic()
        if now >= self._ask_at:
            self._ask_at = now + ASK.total_seconds()
            with brief_connection():
                self._held_until = now + TENURE.total_seconds() if leases.take(POST, TENURE) else 0.0
        if now >= self._held_until:
            return self._ask_at - now
        for duty, interval in self._duties:
            if now >= self._next[duty]:
                self._next[duty] = now + interval.total_seconds()
                if (pause := self._do(duty)) is not None:
                    self._next[duty] = min(self._next[duty], time.monotonic() + pause)
        return max(0.0, min(self._ask_at, *self._next.values()) - time.monotonic())

    def _do(self, duty: Callable[[], object]) -> float | None:
        """The seconds after which the duty has more to do, if it knows; the others have their turn before."""
        try:
            # One at a time: between two duties the heartbeat, and a fork, have their turn.
            with brief_connection():
                done = duty()
            return 0.0 if getattr(done, "more", False) else getattr(done, "next_in", None)
        except Exception:
            logger.exception("The keeper's %s failed; it will be tried again.", duty.__name__)
            connection.close()
            return None
