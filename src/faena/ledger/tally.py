"""The second book: the database itself counts what is accepted, and the prune duty what it deletes."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, transaction

from faena import accounting
from faena.accounting import TRIGGER
from faena.ledger import sql

#: Rows added up in one go.
BATCH = 10_000

# A row per INSERT: those who enqueue never wait for each other, as they would for one row that all add to.
_ON_POSTGRESQL = (
    f"""CREATE OR REPLACE FUNCTION {TRIGGER}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO faena_tally (accepted, pruned) SELECT count(*), 0 FROM added HAVING count(*) > 0;
            RETURN NULL;
        END $$""",
    f"DROP TRIGGER IF EXISTS {TRIGGER} ON faena_job",
    f"""CREATE TRIGGER {TRIGGER} AFTER INSERT ON faena_job
        REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION {TRIGGER}()""",
)
# One row: there is one writer at a time anyway.
_ON_SQLITE = (
    f"""CREATE TRIGGER IF NOT EXISTS {TRIGGER} AFTER INSERT ON faena_job BEGIN
            INSERT INTO faena_tally (id, accepted, pruned) VALUES (1, 1, 0)
                ON CONFLICT (id) DO UPDATE SET accepted = accepted + 1;
        END""",
)
# Jobs that the tally does not know of were enqueued while there was no trigger. Jobs that are missing stay missing.
_COUNT_IN = """INSERT INTO faena_tally (accepted, pruned)
    SELECT unknown, 0 FROM (
        SELECT (SELECT count(*) FROM faena_job)
             - (SELECT COALESCE(sum(accepted - pruned), 0) FROM faena_tally) AS unknown) AS counted
     WHERE unknown > 0"""


def begin_counting(using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Make the trigger where it is missing: after the first `migrate`, and after one that rebuilt the job table.

    SQLite's way of changing a table is to build a new one, and its triggers are gone with the old one.
    """
    if using != DEFAULT_DB_ALIAS or not _has_tables() or _is_counting():
        return
    with transaction.atomic():
        if sql.is_postgresql():
            # Nobody enqueues or prunes between the making of the trigger and the counting.
            sql.execute("LOCK TABLE faena_job, faena_tally IN SHARE ROW EXCLUSIVE MODE")
        for statement in _ON_POSTGRESQL if sql.is_postgresql() else _ON_SQLITE:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        sql.execute(_COUNT_IN)


def note_pruned(count: int) -> None:
    """Count deleted jobs, in the transaction that deletes them."""
    sql.execute("INSERT INTO faena_tally (accepted, pruned) VALUES (0, %s)", [count])


def compact_once(batch: int = BATCH) -> int:
    """Add up to `batch` rows of the tally up into one; how many there were. Their sum is the same at every moment."""
    locked = " FOR UPDATE SKIP LOCKED" if sql.is_postgresql() else ""
    if len(sql.rows("SELECT 1 FROM faena_tally LIMIT 2")) < 2:
        return 0
    with transaction.atomic():
        gone = sql.rows(
            f"""DELETE FROM faena_tally WHERE id IN (SELECT id FROM faena_tally LIMIT %s{locked})
             RETURNING accepted, pruned""",
            [batch],
        )
        if gone:
            sums = [sum(column) for column in zip(*gone, strict=True)]
            sql.execute("INSERT INTO faena_tally (accepted, pruned) VALUES (%s, %s)", sums)
    return len(gone)


def _has_tables() -> bool:
    # Not so when the app was just migrated to zero.
    return {"faena_job", "faena_tally"} <= set(connection.introspection.table_names())


def _is_counting() -> bool:
    return bool(sql.rows(f"SELECT 1 FROM {accounting.triggers()}"))
