from __future__ import annotations

import re

import pytest

from faena.celery.backend import CELERY_STATE
from faena.models.job import STATES
from faena.states import FINISHED, HELD, LIVE, MOVES, State, diagram, sources


def test_every_state_has_its_moves_and_its_label():
    assert set(MOVES) == set(State) == {state for state, _ in STATES} == set(CELERY_STATE)


def test_the_diagram_shows_exactly_the_moves():
    edges = set(re.findall(r"^    (\w+) --> (\w+)$", diagram(), re.MULTILINE))
    assert edges == {(str(a), str(b)) for a, targets in MOVES.items() for b in targets}


def test_live_and_finished_are_all_states():
    assert set(State) == LIVE | FINISHED
    assert not LIVE & FINISHED
    assert HELD < LIVE


@pytest.mark.parametrize("state", State)
def test_sources_is_moves_the_other_way_round(state):
    assert sources(state) == {a for a in State if state in MOVES[a]}


def test_what_completed_has_no_way_back():
    assert {state for state in State if not MOVES[state]} == {State.COMPLETED, State.COMPLETED_WITH_ERRORS}


def test_only_pending_is_where_a_job_begins_to_run():
    assert {a for a in State if MOVES[a] & HELD} == {State.PENDING} | HELD
