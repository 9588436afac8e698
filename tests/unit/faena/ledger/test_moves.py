"""Every verb, tried on a job in every state: what it does is a move of `states.MOVES`, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from uuid6 import uuid7

from faena.duties.reap import reap_once
from faena.duties.reconcile import reconcile_once
from faena.duties.relay import relay_once
from faena.errors import FaenaError, Stopped
from faena.ledger import hold as people
from faena.ledger import settle, sql
from faena.ledger.claim import Hold, claim
from faena.ledger.enqueue import NewJob
from faena.ledger.settle import Again, Cancelled, Done, Error, Failed, HandedOver, Paused
from faena.run import Run
from faena.states import HELD, MOVES, State, Stop

ERROR = Error("ValueError", "no")
AGAIN = NewJob(id=uuid7(), kind="k", queue="q", attempt=1)


def held(job_id: UUID) -> Hold:
    """A hold whose fence fits, whatever the state of the job is."""
    return Hold(job_id, 3, 0, "tests.nothing", None, {}, 1, 0, 0, None, [], "w1")


VERBS: dict[str, Callable[[UUID], object]] = {
    "claim": lambda job_id: claim(job_id, 0, worker="w2", holder="here|2|2"),
    "claim limited": lambda job_id: claim(job_id, 0, worker="w2", holder="here|2|2", limited=True),
    "done": lambda job_id: settle.settle(held(job_id), Done("1")),
    "failed": lambda job_id: settle.settle(held(job_id), Failed(ERROR)),
    "again": lambda job_id: settle.settle(held(job_id), Again(AGAIN, ERROR)),
    "paused": lambda job_id: settle.settle(held(job_id), Paused()),
    "cancelled": lambda job_id: settle.settle(held(job_id), Cancelled("no")),
    "handed over": lambda job_id: settle.settle(held(job_id), HandedOver()),
    "crash": lambda job_id: settle.crash(job_id, 3, "died"),
    "ended as failed": lambda job_id: settle.end_unheld(job_id, "w1", State.FAILED, ERROR),
    "ended as cancelled": lambda job_id: settle.end_unheld(job_id, "w1", State.CANCELLED, ERROR),
    "pause": people.pause,
    "resume": people.resume,
    "cancel": people.cancel,
    "retry": people.retry,
    "discard": people.discard,
    "hand over": lambda job_id: people.hand_over("w1"),
    "validating": lambda job_id: Run(held(job_id))._enter(State.VALIDATING),
    "checkpoint": lambda job_id: Run(held(job_id)).checkpoint().__enter__ and _checkpoint(job_id),
    "relay": lambda job_id: relay_once(),
    "reap": lambda job_id: reap_once(),
    "reconcile": lambda job_id: reconcile_once(),
}


def _checkpoint(job_id: UUID) -> None:
    with Run(held(job_id)).checkpoint():
        pass


def put_into(job_id: UUID, state: State, stop: Stop = Stop.NONE) -> None:
    """The row as if it had come to that state, overdue for everything."""
    lease = sql.now(-timedelta(hours=1)) if state in HELD else "NULL"
    finished = sql.now() if state not in HELD | {State.PENDING, State.PAUSED} else "NULL"
    sql.execute(
        f"UPDATE faena_job SET state = %s, stop = %s, fence = 3, worker = 'w1', holder = 'elsewhere|1|1',"
        f" lease_until = {lease}, finished = {finished}, dispatched = {sql.now(-timedelta(hours=1))} WHERE id = %s",
        [state, stop, sql.key(job_id)],
    )


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_makes_a_move_or_nothing(make_job, row, verb, state):
    stops = [Stop.NONE, Stop.PAUSE, Stop.CANCEL] if state in HELD else [Stop.NONE]
    for stop in stops:
        job_id = make_job()
        put_into(job_id, state, stop)
        with suppress(FaenaError, Stopped):
            VERBS[verb](job_id)
        after = row(job_id)
        assert after.state == state or after.state in MOVES[state]
        assert after.is_held == (after.lease_until is not None)
        assert after.is_finished == (after.finished is not None)
        assert after.is_held or not after.stop


def test_every_move_is_made_by_some_verb(make_job, row):
    made = set()
    for state in State:
        for stop in [Stop.NONE, Stop.PAUSE, Stop.CANCEL]:
            for verb in VERBS.values():
                job_id = make_job()
                put_into(job_id, state, stop)
                if state is State.VALIDATING:
                    made.add((state, _entered(job_id)))
                    put_into(job_id, state, stop)
                with suppress(FaenaError, Stopped):
                    verb(job_id)
                made.add((state, State(row(job_id).state)))
    # A job that completed with errors is the one end that items decide.
    assert {(a, b) for a in State for b in MOVES[a]} - made == {(state, State.COMPLETED_WITH_ERRORS) for state in HELD}


def _entered(job_id: UUID) -> State:
    Run(held(job_id))._enter(State.RUNNING)
    return State.RUNNING
