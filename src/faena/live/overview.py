"""What tells whether the overview has changed: one statement along indexes, however many jobs there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from faena.states import FINISHED, HELD, State

#: Counts stop here, as nobody reads more of them.
CEILING = 10_000
_WAITING = sorted({State.PENDING, State.PAUSED} | HELD)


@dataclass(frozen=True, slots=True)
class Overview:
    """Values that are other ones as soon as a part of the overview is: by the part's name."""

    counts: dict[str, int]
    parts: dict[str, Any]

    def differs_in(self, before: Overview) -> list[str]:
        """The parts that are not as they were."""
        return [name for name, value in self.parts.items() if value != before.parts[name]]


def read() -> Overview:
    """The overview as it is now."""
    values = [
        f"(SELECT count(*) FROM (SELECT 1 FROM faena_job WHERE state = '{state}' LIMIT {CEILING}) AS few)"
        for state in _WAITING
    ]
    # The list of all finished states too: only then SQLite sees that the partial index serves.
    values += [
        f"(SELECT max(finished) FROM faena_job WHERE state = '{state}' AND state IN {_listed(FINISHED)})"
        for state in sorted(FINISHED)
    ]
    values += [
        "(SELECT max(created) FROM faena_job)",
        f"(SELECT sum(done + failed + skipped) FROM faena_job WHERE state IN {_listed(HELD)})",
        "(SELECT count(*) FROM faena_worker)",
        "(SELECT max(started) FROM faena_worker)",
        "(SELECT max(paused) FROM faena_queue)",
        "(SELECT count(paused) FROM faena_queue)",
        "(SELECT min(next_due) FROM faena_schedule WHERE next_due IS NOT NULL)",
        "(SELECT count(*) FROM faena_schedule WHERE enabled)",
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(values)}")
        found = list(cursor.fetchone() or [])
    numbers, found = found[: len(_WAITING)], found[len(_WAITING) :]
    ends, (newest, done, workers, started, paused, pauses, due, enabled) = (
        found[: len(FINISHED)],
        found[len(FINISHED) :],
    )
    counts = dict(zip(map(str, _WAITING), numbers, strict=True))
    failed = ends[sorted(FINISHED).index(State.FAILED)]
    parts = {
        "jobs": (*numbers, *ends, newest),
        "progress": done,
        "failures": failed,
        "workers": (workers, started),
        "queues": (paused, pauses),
        "schedules": (due, enabled),
    }
    return Overview(counts, parts)


def _listed(states: frozenset[State]) -> str:
    return "(" + ", ".join(f"'{state}'" for state in sorted(states)) + ")"
