"""A constant load of jobs of every sort, and what must have come of each in the end."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from celery import chain, chord
from django.db import InterfaceError, OperationalError, connection, transaction

from faena import enqueue_many
from faena.ledger import doorbell
from faena.models import Job
from faena.states import LIVE
from tests.support import storm_jobs as jobs


@dataclass
class Load:
    """Sends jobs while fewer than `level` are live."""

    chance: random.Random
    level: int
    #: The result that each job must have.
    results: dict[str, Any] = field(default_factory=dict)
    #: How many effects each job must have had, if any.
    effects: dict[str, int] = field(default_factory=dict)
    #: How often the database could not be reached, so that nothing was accepted.
    refused: int = 0

    def top_up(self) -> None:
        """Send what is missing to the level; a database that is away takes nothing, and says so."""
        try:
            for _ in range(self.level - Job.objects.filter(state__in=LIVE).count()):
                self._send()
        except (OperationalError, InterfaceError):
            self.refused += 1
            connection.close()

    def live(self) -> int:
        """How many jobs are not over; a database that is away does not say."""
        try:
            return Job.objects.filter(state__in=LIVE).count()
        except (OperationalError, InterfaceError):
            connection.close()
            return self.level

    def _send(self) -> None:
        send = self.chance.choice(SORTS)
        # All rows of a chord or none; what was not committed was not accepted.
        with transaction.atomic():
            results, effects = send(self.chance)
        self.results |= results
        self.effects |= effects
        if self.chance.random() < 0.2:
            for _ in range(2):
                doorbell.ring([UUID(job_id) for job_id in results])


Expected = tuple[dict[str, Any], dict[str, int]]


def _seconds(chance: random.Random) -> float:
    return round(chance.uniform(0.1, 1.5), 2)


def _plain(chance: random.Random) -> Expected:
    value = chance.randrange(1000)
    return {jobs.plain.delay(value, _seconds(chance)).id: value}, {}


def _delayed(chance: random.Random) -> Expected:
    return {jobs.plain.apply_async((7, 0.2), countdown=chance.uniform(0.5, 3)).id: 7}, {}


def _many(chance: random.Random) -> Expected:
    return dict.fromkeys(map(str, enqueue_many(jobs.plain, [(3, 0.1)] * 3)), 3), {}


def _batches(chance: random.Random) -> Expected:
    rows = chance.randrange(20, 100)
    job_id = jobs.batches.delay(rows, chance.randrange(3, 20), _seconds(chance)).id
    return {job_id: {"done": rows, "failed": 0, "skipped": 0, "total": rows}}, {job_id: rows}


def _places(chance: random.Random) -> Expected:
    rows = chance.randrange(5, 20)
    job_id = jobs.places.delay(rows, _seconds(chance) / 10).id
    return {job_id: rows}, {job_id: rows}


def _chain(chance: random.Random) -> Expected:
    steps = chance.randrange(2, 5)
    last = chain(jobs.link.s(0), *(jobs.link.s() for _ in range(steps - 1))).apply_async()
    results = {}
    while last is not None:
        results[last.id] = steps
        last, steps = last.parent, steps - 1
    return results, dict.fromkeys(results, 1)


def _chord(chance: random.Random) -> Expected:
    parts = chance.randrange(2, 5)
    last = chord(jobs.plain.s(n, 0.3) for n in range(parts))(jobs.total.s())
    results = {part.id: n for n, part in enumerate(last.parent.results)}
    return results | {last.id: sum(range(parts))}, {}


def _flaky(chance: random.Random) -> Expected:
    return {jobs.flaky.delay(_seconds(chance) / 3).id: 2}, {}


def _stumbles(chance: random.Random) -> Expected:
    return {jobs.stumbles.delay(_seconds(chance) / 3).id: 2}, {}


def _limited(chance: random.Random) -> Expected:
    return {jobs.limited.delay(_seconds(chance) / 2).id: "limited"}, {}


def _only_one(chance: random.Random) -> Expected:
    name = f"u{chance.randrange(3)}"
    return {jobs.only_one.delay(name, _seconds(chance)).id: name}, {}


SORTS: list[Callable[[random.Random], Expected]] = [
    *(_plain, _delayed, _many, _batches, _batches, _places, _chain, _chain, _chord),
    *(_flaky, _stumbles, _limited, _only_one),
]
