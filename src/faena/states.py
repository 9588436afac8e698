"""The eight states of a job and every move between them. Nothing else may change a job's state.

The diagram in the docs and the tests are made from :data:`MOVES`.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a job stands. The names are those of the reference documents."""

    PENDING = "pending"
    VALIDATING = "validating"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    COMPLETED_WITH_ERRORS = "completed_with_errors"
    FAILED = "failed"
    CANCELLED = "cancelled"


#: A worker holds the job under a lease.
HELD = frozenset({State.VALIDATING, State.RUNNING})
#: The job is not over: uniqueness counts these.
LIVE = frozenset({State.PENDING, State.PAUSED}) | HELD
#: The job is over. Only a person leads out of here: by a retry, or from failed to cancelled by discarding it.
FINISHED = frozenset(State) - LIVE

_ENDS = frozenset({State.COMPLETED, State.COMPLETED_WITH_ERRORS, State.FAILED, State.CANCELLED})

#: state -> the states it may move to.
MOVES: dict[State, frozenset[State]] = {
    # claimed; held back; called off; or failed before it ever ran (expired, or it killed its workers)
    State.PENDING: frozenset({State.RUNNING, State.PAUSED, State.CANCELLED, State.FAILED}),
    # back to pending: a retry, a crash, a deploy
    State.RUNNING: _ENDS | {State.VALIDATING, State.PENDING, State.PAUSED},
    State.VALIDATING: _ENDS | {State.RUNNING, State.PENDING, State.PAUSED},
    State.PAUSED: frozenset({State.PENDING, State.CANCELLED}),
    State.COMPLETED: frozenset(),
    State.COMPLETED_WITH_ERRORS: frozenset(),
    # retried, or discarded: nobody will
    State.FAILED: frozenset({State.PENDING, State.CANCELLED}),
    State.CANCELLED: frozenset({State.PENDING}),
}


class Stop(StrEnum):
    """What a running body has been asked to do at its next row. Empty: go on."""

    NONE = ""
    PAUSE = "pause"
    CANCEL = "cancel"
    HANDOVER = "handover"


class ItemState(StrEnum):
    """How one part of a job (a row, a page, a file) came out."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


def sources(target: State) -> frozenset[State]:
    """Every state from which `target` may be reached."""
    return frozenset(state for state, targets in MOVES.items() if target in targets)


def diagram() -> str:
    """The moves as a mermaid state diagram, for the docs."""
    edges = [f"    {state} --> {target}" for state in State for target in sorted(MOVES[state])]
    return "\n".join(["stateDiagram-v2", "    [*] --> pending", *edges])
