"""`celery beat` on the ledger: one more process that fires what is due. With a worker running, none is needed."""

from __future__ import annotations

import logging
from typing import Any

from celery.beat import Scheduler
from django.db import Error, connection

from faena.celery import schedule_sources
from faena.celery.loading import set_up_django
from faena.duties.tick import LONGEST_SLEEP, align_once, tick_once
from faena.ledger.forking import brief_connection
from faena.models import Schedule

logger = logging.getLogger(__name__)


class LedgerScheduler(Scheduler):
    """Celery's scheduler over the table of schedules. It keeps nothing in memory and writes no file."""

    max_interval = LONGEST_SLEEP

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.max_interval = float(self.max_interval)

    def setup_schedule(self) -> None:
        """Write the app's `beat_schedule` into the table."""
        set_up_django(self.app)
        with brief_connection():
            schedule_sources.synchronise(self.app)
            align_once()

    def tick(self, *_: Any, **__: Any) -> float:
        """Fire what is due; the seconds to sleep. A database that is away is asked again."""
        try:
            with brief_connection():
                return min(self.max_interval, tick_once().next_in)
        except Exception:
            logger.exception("beat: The schedules could not be read; trying again in %s s.", self.max_interval)
            connection.close()
            return self.max_interval

    @property
    def info(self) -> str:
        """The line of the banner that says where the schedules are."""
        set_up_django(self.app)
        try:
            with brief_connection():
                live = f"{Schedule.objects.filter(next_due__isnull=False).count()} live"
        except Error as error:
            live = f"not to be read now: {error}"
        return f"    . schedules -> {live}, in {connection.vendor} {connection.settings_dict['NAME']}"
