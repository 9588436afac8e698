"""What running workers say of themselves, so that people and `explain` know who listens to which queue."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from faena.ledger import sql

#: Workers that were not heard of for so long are forgotten.
KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """A worker as it is now; `name` is what `Job.worker` holds."""

    name: str
    holder: str
    host: str
    pid: int
    pool: str
    slots: int
    queues: Sequence[str]
    cpu: float | None = None
    memory: int | None = None


def beat(standing: Standing) -> None:
    """Write the worker's row, in one statement."""
    now = sql.now()
    with sql.unsynced():
        sql.execute(
            f"""INSERT INTO faena_worker (name, holder, host, pid, pool, slots, queues, cpu, memory, started, seen)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, {now}, {now})
                ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, pool = excluded.pool, slots = excluded.slots,
                    queues = excluded.queues, cpu = excluded.cpu, memory = excluded.memory, seen = excluded.seen,
                    started = CASE WHEN faena_worker.holder = excluded.holder
                                   THEN faena_worker.started ELSE excluded.started END""",
            [
                standing.name, standing.holder, standing.host, standing.pid, standing.pool, standing.slots,
                json.dumps(sorted(standing.queues)), standing.cpu, standing.memory,
            ],
        )  # fmt: skip


def leave(name: str) -> None:
    """Remove the row of a worker that ends."""
    sql.execute("DELETE FROM faena_worker WHERE name = %s", [name])


def forget_once() -> int:
    """Remove workers that were not heard of for a day; how many."""
    return sql.execute(f"DELETE FROM faena_worker WHERE seen < {sql.now(-KEPT)}")
