"""The books: what was accepted must be what is there plus what was pruned. Read in one statement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from faena.states import FINISHED, HELD, State

#: The trigger on the job table that counts what is accepted; `ledger/tally.py` makes it.
TRIGGER = "faena_job_accepted"

_NOT_HELD = sorted({State.PENDING, State.PAUSED})


def _listed(states: Iterable[State]) -> str:
    return "(" + ", ".join(f"'{state}'" for state in sorted(states)) + ")"


#: What no job can be: a name, and the rows. Each looks at live rows, or at an index, so that history costs nothing.
IMPOSSIBLE = {
    "held without a lease": f"state IN {_listed(HELD)} AND lease_until IS NULL",
    "waiting under a lease": f"state IN {_listed(_NOT_HELD)} AND lease_until IS NOT NULL",
    "waiting and asked to stop": f"state IN {_listed(_NOT_HELD)} AND stop <> ''",
    "live with a time of its end": f"state IN {_listed(set(State) - FINISHED)} AND finished IS NOT NULL",
    "over without a time of its end": f"state IN {_listed(FINISHED)} AND finished IS NULL",
}


@dataclass(frozen=True, slots=True)
class Books:
    """How many jobs were accepted and pruned by the tally, and how many there are by the rows themselves."""

    accepted: int
    pruned: int
    by_state: dict[str, int]
    #: Rows that are as no job can be, by what is wrong with them.
    impossible: dict[str, int]
    #: Whether the database counts what is accepted; without its trigger the tally says nothing.
    is_counting: bool

    @property
    def present(self) -> int:
        """The jobs that are there."""
        return sum(self.by_state.values())

    @property
    def difference(self) -> int:
        """Jobs that are missing; below zero, jobs that nobody accepted."""
        return self.accepted - self.pruned - self.present

    @property
    def is_balanced(self) -> bool:
        """Every job that was ever accepted is there or was pruned, in a state that jobs can be in."""
        return self.difference == 0 and self.is_counting and not any(self.impossible.values())


def check() -> Books:
    """Read the books. One statement sees one moment, whatever is written meanwhile."""
    parts = [
        "SELECT 'accepted', COALESCE(sum(accepted), 0) FROM faena_tally",
        "SELECT 'pruned', COALESCE(sum(pruned), 0) FROM faena_tally",
        f"SELECT 'counting', count(*) FROM {triggers()}",
        *(f"SELECT '{name}', count(*) FROM faena_job WHERE {rows}" for name, rows in IMPOSSIBLE.items()),
        "SELECT state, count(*) FROM faena_job GROUP BY state",
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        found = {name: int(number) for name, number in cursor.fetchall()}
    impossible = {name: found.pop(name) for name in IMPOSSIBLE}
    accepted, pruned, counting = (found.pop(name) for name in ("accepted", "pruned", "counting"))
    unknown = {name: number for name, number in found.items() if name not in set(State)}
    by_state = {str(state): found.get(state, 0) for state in State}
    return Books(accepted, pruned, by_state | unknown, impossible | _named(unknown), bool(counting))


def _named(unknown: dict[str, int]) -> dict[str, int]:
    return {f"in the unknown state {name!r}": number for name, number in unknown.items()}


def triggers() -> str:
    """SQL that comes after FROM: the trigger, if it is there and works."""
    if connection.vendor == "postgresql":
        # Switched off ('D', as by a careless restore) it counts nothing.
        return (
            f"pg_trigger WHERE tgname = '{TRIGGER}' AND tgrelid = to_regclass('faena_job') AND tgenabled IN ('O', 'A')"
        )
    return f"sqlite_master WHERE type = 'trigger' AND name = '{TRIGGER}'"
