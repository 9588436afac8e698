"""Alert: look at what people asked to be told about; open an incident, and end it when all is well again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.db import IntegrityError, transaction
from django.db.models import Q
from uuid6 import uuid7

from faena import queries, registry, throughput
from faena.duties.measure import BOOKS, DISK
from faena.ledger import sql
from faena.models import AlertRule, Incident, Job, Schedule, Snapshot
from faena.models.alert_rule import Condition
from faena.queries import QueueStanding
from faena.registry import Call
from faena.states import State

logger = logging.getLogger(__name__)

#: All must have been well for so long before an incident ends, so that what flickers is told once.
CALM = timedelta(minutes=1)
#: A rate over fewer jobs than these says nothing.
FEWEST = 5
#: What is counted, up to here; and names that an incident keeps.
CEILING, NAMED = 100_000, 10


@dataclass(frozen=True, slots=True)
class Alerted:
    """Incidents that were opened and ended."""

    opened: int = 0
    ended: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """That a rule holds: the value that is too much (or too little), and the queues or schedules it is about."""

    value: float
    names: Sequence[str] = ()


def alert_once(now: datetime | None = None) -> Alerted:
    """Look at every rule that is enabled; one that cannot be looked at keeps no other from being so."""
    rules = list(AlertRule.objects.filter(enabled=True))
    if not rules:
        return Alerted()
    facts = Facts(now or sql.database_now())
    opened = ended = 0
    for rule in rules:
        try:
            found = CHECKS[Condition(rule.condition)](rule, facts)
            if found is not None:
                opened += _open(rule, found, facts.now)
            else:
                ended += _settle(rule, facts.now)
        except Exception:
            logger.exception("The alert rule %s could not be looked at; it will be tried again.", rule)
    return Alerted(opened, ended)


def _open(rule: AlertRule, found: Finding, now: datetime) -> bool:
    """Open an incident and tell people, in one transaction; False where one is open."""
    if Incident.objects.filter(rule=rule, ended=None).update(fine_since=None):
        return False
    try:
        with transaction.atomic():
            kept = {"value": found.value, "names": list(found.names[:NAMED])}
            _tell(Incident.objects.create(rule=rule, started=now, found=kept), "opened")
    except IntegrityError:
        return False  # another keeper has opened it
    return True


def _settle(rule: AlertRule, now: datetime) -> bool:
    """End the incident when all has been well for a while."""
    incident = Incident.objects.filter(rule=rule, ended=None).first()
    if incident is None:
        return False
    if incident.fine_since is None:
        Incident.objects.filter(pk=incident.pk, fine_since=None).update(fine_since=now)
        return False
    if now - incident.fine_since < CALM:
        return False
    with transaction.atomic():
        if not Incident.objects.filter(pk=incident.pk, ended=None).update(ended=now):
            return False
        _tell(incident, "ended")
    return True


def _tell(incident: Incident, what: str) -> None:
    call = Call(
        task=registry.TELL,
        args=[incident.rule_id, incident.pk, what],
        kwargs={},
        job_id=uuid7(),
        created_by=f"alert {incident.rule}"[:150],
    )
    registry.tasks.enqueue(call)


class Facts:
    """What several rules look at, found out once."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    @cached_property
    def queues(self) -> list[QueueStanding]:
        """Every queue that is not paused."""
        return [each for each in queries.queues(self.now) if each.paused is None]

    def of_queue(self, rule: AlertRule) -> Iterable[QueueStanding]:
        """The queues that the rule is about."""
        return [each for each in self.queues if rule.queue in {"", each.name}]

    def waits(self, queue: QueueStanding) -> float:
        """For how many seconds its first job has been due."""
        return (self.now - queue.oldest).total_seconds() if queue.oldest else 0.0

    def snapshot(self, name: str) -> dict:
        """What was measured last; empty before it was."""
        return next(iter(Snapshot.objects.filter(name=name).values_list("value", flat=True)), {})


def _failure_rate(rule: AlertRule, facts: Facts) -> Finding | None:
    rate = throughput.rates(rule.minutes, facts.now).get(rule.queue)
    if rate is None or rate.ended < FEWEST or (rate.failure_percent or 0) < rule.threshold:
        return None
    return Finding(round(rate.failure_percent or 0, 1), [rule.queue] if rule.queue else [])


def _oldest_wait(rule: AlertRule, facts: Facts) -> Finding | None:
    late = {each.name: facts.waits(each) for each in facts.of_queue(rule) if facts.waits(each) >= rule.threshold}
    return Finding(round(max(late.values())), sorted(late)) if late else None


def _dead_letters(rule: AlertRule, facts: Facts) -> Finding | None:
    dead = Job.objects.filter(state=State.FAILED)
    if rule.queue:
        dead = dead.filter(queue=rule.queue)
    number = queries.count_up_to(dead, CEILING)
    return Finding(number, [rule.queue] if rule.queue else []) if number >= rule.threshold else None


def _late_schedules(rule: AlertRule, facts: Facts) -> Finding | None:
    too_late = Q(next_due__lt=facts.now - timedelta(seconds=rule.threshold)) | ~Q(problem="")
    late = list(Schedule.objects.filter(too_late, enabled=True, removed=None).order_by("name")[:NAMED])
    waits = [(facts.now - each.next_due).total_seconds() for each in late if each.next_due]
    return Finding(round(max(waits, default=0)), [each.name for each in late]) if late else None


def _no_workers(rule: AlertRule, facts: Facts) -> Finding | None:
    idle = [each for each in facts.of_queue(rule) if not each.workers and facts.waits(each) >= rule.threshold]
    return Finding(round(max(map(facts.waits, idle))), [each.name for each in idle]) if idle else None


def _books(rule: AlertRule, facts: Facts) -> Finding | None:
    books = facts.snapshot(BOOKS)
    return Finding(books["difference"]) if books and not books["is_balanced"] else None


def _disk(rule: AlertRule, facts: Facts) -> Finding | None:
    disk = facts.snapshot(DISK)
    return Finding(disk["percent_free"]) if disk and disk["percent_free"] < rule.threshold else None


CHECKS: dict[Condition, Callable[[AlertRule, Facts], Finding | None]] = {
    Condition.FAILURE_RATE: _failure_rate,
    Condition.OLDEST_WAIT: _oldest_wait,
    Condition.DEAD_LETTERS: _dead_letters,
    Condition.LATE_SCHEDULES: _late_schedules,
    Condition.NO_WORKERS: _no_workers,
    Condition.BOOKS: _books,
    Condition.DISK: _disk,
}
