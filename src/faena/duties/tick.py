"""Tick: fire the schedules that are due. Any number of processes may do it at once."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from django.db import InterfaceError, OperationalError

from faena import conf
from faena.duties.relay import relay_once
from faena.ledger import firing, schedules, sql
from faena.models import Schedule
from faena.models.occurrence import Outcome
from faena.timing import BadTiming

logger = logging.getLogger(__name__)

#: The longest sleep between two ticks, in seconds: what people change takes hold so soon.
LONGEST_SLEEP = 1.0
#: The sleep while a job waits for the one before it.
SHORT_SLEEP = 0.2


@dataclass(frozen=True, slots=True)
class Ticked:
    """What a tick did, and in how many seconds there is something to do again."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    released: int = 0
    expired: int = 0
    next_in: float = LONGEST_SLEEP


def tick_once(batch: int = 100) -> Ticked:
    """Fire up to `batch` schedules that are due, release jobs that waited for others, cancel those that expired."""
    agenda = firing.agenda()
    if agenda.is_empty:
        return Ticked(next_in=_sleep(agenda))
    due = list(Schedule.objects.filter(next_due__lte=agenda.now).order_by("next_due")[:batch])
    fired = [_fire(each, agenda.now) for each in due]
    expired = firing.expire()
    released = firing.release_waiting()
    if released:
        relay_once()
    # One that failed is tried again, but not at once.
    next_in = LONGEST_SLEEP if None in fired else _sleep(firing.agenda())
    return Ticked(sum(filter(None, fired), Counter()), released, expired, next_in)


def align_once() -> int:
    """Set right what a clock that was wrong for a while has put off; how many schedules that were."""
    return schedules.align()


def forget_once(batch: int = 1000) -> int:
    """Delete occurrences that were due before the oldest job that is kept; how many."""
    oldest = sql.database_now() - max(conf.get().RETENTION.values())
    return schedules.forget_occurrences(oldest, batch)


def _fire(schedule: Schedule, now: datetime) -> Counter[Outcome] | None:
    """Fire one schedule; None if it failed. Whatever is wrong with it keeps no other from firing."""
    try:
        return firing.fire(schedule, now)
    except BadTiming as bad:
        schedules.stop(schedule, str(bad))
        logger.error("Schedule %s fires no more: %s", schedule, bad)
        return Counter()
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("Schedule %s failed; it will be tried again.", schedule)
        return None


def _sleep(agenda: firing.Agenda) -> float:
    longest = SHORT_SLEEP if agenda.waiting else LONGEST_SLEEP
    if agenda.next_due is None:
        return longest
    return min(longest, max(0.0, (agenda.next_due - agenda.now).total_seconds()))
