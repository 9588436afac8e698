"""Write what jobs leave behind for people: items, log lines, and the audit of who did what."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from faena.ledger import sql
from faena.states import ItemState

#: Rows per INSERT: below SQLite's limit of 32,766 parameters.
BATCH = 500


@dataclass(slots=True)
class Item:
    """One part of a job and how it came out."""

    key: str
    state: ItemState
    message: str
    output: Any
    at: datetime
    seconds: float | None


@dataclass(slots=True)
class Line:
    """One line of a job's log."""

    at: datetime
    level: str
    text: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, for the audit; `system` when no person does."""

    name: str = "system"
    address: str | None = None


SYSTEM = Actor()


def write_items(job_id: UUID, items: Collection[Item]) -> None:
    """Write these items; one of the same key is replaced."""
    _insert(
        "INSERT INTO faena_jobitem (job_id, key, state, message, output, at, seconds) VALUES {}"
        " ON CONFLICT (job_id, key) DO UPDATE SET state = excluded.state, message = excluded.message,"
        " output = excluded.output, at = excluded.at, seconds = excluded.seconds",
        [
            (
                sql.key(job_id),
                each.key,
                each.state,
                sql.text(each.message),
                _json(each.output),
                sql.moment(each.at),
                each.seconds,
            )
            for each in items
        ],
    )


def write_lines(job_id: UUID, lines: Collection[Line]) -> None:
    """Write these log lines."""
    _insert(
        "INSERT INTO faena_joblog (job_id, at, level, text, attempt) VALUES {}",
        [(sql.key(job_id), sql.moment(each.at), each.level, sql.text(each.text), each.attempt) for each in lines],
    )


def write_audit(actor: Actor, action: str, job_id: UUID | None, details: Any = None) -> None:
    """One row for one action of a person."""
    sql.execute(
        "INSERT INTO faena_auditentry (at, actor, action, job_id, address, details)"
        f" VALUES ({sql.now()}, %s, %s, %s, %s, %s)",
        [actor.name, action, sql.key(job_id), actor.address, _json(details)],
    )


def _insert(statement: str, rows: list[tuple]) -> None:
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        sql.execute(
            statement.format(", ".join(sql.holes(row) for row in batch)),
            [value for row in batch for value in row],
        )


def _json(value: Any) -> str | None:
    if value is None:
        return None
    return sql.text(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str))
