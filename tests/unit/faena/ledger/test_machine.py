"""Anything in any order: the books balance, rows follow `states.MOVES`, and a stale hold never writes."""

from __future__ import annotations

import math
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test
from uuid6 import uuid7

from faena.duties import steady
from faena.duties.reap import reap_once
from faena.duties.relay import relay_once
from faena.errors import AlreadyLive, LeaseLost, NotAllowed, Stopped
from faena.ledger import enqueue, settle, sql
from faena.ledger import hold as people
from faena.ledger.claim import Hold, claim, extend
from faena.ledger.enqueue import NewJob
from faena.ledger.settle import Again, Cancelled, Done, Error, Failed, HandedOver, Paused
from faena.models import Job, JobItem
from faena.run import Run
from faena.states import HELD, LIVE, MOVES, State
from tests.support import inline

OUTCOMES = {
    "done": lambda hold: Done('"ok"'),
    "failed": lambda hold: Failed(Error("E", "m")),
    "again": lambda hold: Again(NewJob(id=hold.job_id, kind="k", queue="q", attempt=hold.attempt + 1), Error("E", "m")),
    "paused": lambda hold: Paused(),
    "cancelled": lambda hold: Cancelled("r"),
    "handed over": lambda hold: HandedOver(),
}
LIMIT = 2


class Life(RuleBasedStateMachine):
    jobs = Bundle("jobs")
    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        sql.execute("DELETE FROM faena_jobitem")
        sql.execute("DELETE FROM faena_job")
        self.accepted: set[UUID] = set()
        self.states: dict[UUID, State] = {}
        self.fences: dict[UUID, int] = {}

    def is_current(self, hold: Hold) -> bool:
        """Whether the ledger should believe this hold: by the model, not by the row."""
        return self.fences[hold.job_id] == hold.fence and self.states[hold.job_id] in HELD

    @rule(target=jobs, unique=st.sampled_from([None, "a", "b"]), limited=st.booleans(), crashes=st.integers(1, 3))
    def enqueue(self, unique: str | None, limited: bool, crashes: int) -> UUID:
        limit = {"limit_key": "l", "limit": LIMIT} if limited else {}
        new = NewJob(id=uuid7(), kind="k", queue="q", unique_key=unique, max_crashes=crashes, **limit)
        try:
            enqueue.insert([new])
        except AlreadyLive as live:
            assert self.states[live.job_id] in LIVE
            return live.job_id
        self.accepted.add(new.id)
        return new.id

    @rule(target=holds, job=jobs, attempt=st.integers(0, 2))
    def claim(self, job: UUID, attempt: int) -> Hold | None:
        row = Job.objects.get(pk=job)
        hold = claim(job, attempt, worker="w", holder="elsewhere|1|1", limited=row.limit_key is not None)
        if hold is None:
            return None
        assert self.states[job] is State.PENDING
        assert hold.attempt == attempt == row.attempt
        assert hold.fence == self.fences[job] + 1
        self.fences[job] = hold.fence
        return hold

    @rule(hold=holds, outcome=st.sampled_from(sorted(OUTCOMES)))
    def settle(self, hold: Hold | None, outcome: str) -> None:
        if hold is None:
            return
        before = Job.objects.filter(pk=hold.job_id).values().get()
        try:
            settle.settle(hold, OUTCOMES[outcome](hold))
        except LeaseLost:
            assert not self.is_current(hold)
            assert Job.objects.filter(pk=hold.job_id).values().get() == before
        else:
            # The answer to a settlement may be lost: saying the same once more is no error, and changes nothing.
            assert self.is_current(hold) or Job.objects.filter(pk=hold.job_id).values().get() == before

    @rule(hold=holds)
    def checkpoint(self, hold: Hold | None) -> None:
        if hold is None:
            return
        before = Job.objects.filter(pk=hold.job_id).values().get()
        items = JobItem.objects.count()
        run = Run(hold)
        run.item(uuid7(), "done")
        try:
            with run.checkpoint():
                pass
        except LeaseLost:
            assert not self.is_current(hold)
            assert Job.objects.filter(pk=hold.job_id).values().get() == before
            assert JobItem.objects.count() == items
            hold.done -= 0
        except Stopped as stopped:
            assert stopped.stop == before["stop"] != ""
            assert self.is_current(hold)
        else:
            assert self.is_current(hold)
            assert JobItem.objects.count() == items + 1

    @rule(hold=holds)
    def beat(self, hold: Hold | None) -> None:
        if hold is not None:
            extend([hold.job_id], hold.worker)

    @rule(hold=consumes(holds))
    def worker_dies(self, hold: Hold | None) -> None:
        if hold is None or not self.is_current(hold):
            return
        sql.execute(
            f"UPDATE faena_job SET lease_until = {sql.now(-timedelta(seconds=1))} WHERE id = %s", [sql.key(hold.job_id)]
        )
        crashes = Job.objects.get(pk=hold.job_id).crashes
        steady._since, steady._last = -math.inf, None  # however long ago this slow machine looked last
        reap_once()
        row = Job.objects.get(pk=hold.job_id)
        assert row.crashes == crashes + 1
        assert row.attempt == hold.attempt
        assert row.state not in HELD

    @rule(job=jobs, verb=st.sampled_from([people.pause, people.resume, people.cancel, people.retry, people.discard]))
    def person(self, job: UUID, verb: object) -> None:
        try:
            verb(job)
        except (NotAllowed, AlreadyLive):
            assert Job.objects.get(pk=job).state == self.states[job]

    @rule()
    def relay(self) -> None:
        relay_once()

    @invariant()
    def rows_follow_the_moves(self) -> None:
        rows = {row.pk: row for row in Job.objects.all()}
        assert set(rows) == self.accepted
        for job_id, row in rows.items():
            before, now = self.states.get(job_id, State.PENDING), State(row.state)
            # One rule may settle and, through its own crash, go on; a single move is all that any of them makes.
            assert now is before or now in MOVES[before], f"{before} -> {now}"
            self.states[job_id] = now
            assert row.fence >= self.fences.get(job_id, 0)
            self.fences[job_id] = row.fence

    @invariant()
    def promises_hold(self) -> None:
        live = Job.objects.filter(state__in=list(LIVE))
        unique = [row.unique_key for row in live if row.unique_key]
        assert len(unique) == len(set(unique))
        assert live.filter(state__in=list(HELD), limit_key="l").count() <= LIMIT
        inline.sent("q")


@pytest.mark.usefixtures("ledger")
def test_a_life_of_jobs():
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
