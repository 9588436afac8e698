"""Many rows into the raw table at once, without a model for each."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, connection, transaction

from .models import TelemetryRecordEntry
from .records import COLUMNS, Row

TABLE = TelemetryRecordEntry._meta.db_table
NAMES = ", ".join(f'"{column}"' for column in COLUMNS)
INSERT = (
    f'INSERT INTO {TABLE} ({NAMES}) VALUES ({", ".join(["%s"] * len(COLUMNS))}) ON CONFLICT ("recordId") DO NOTHING'
)


def save(rows: Sequence[Row]) -> int:
    """Write rows in the caller's transaction; return how many were not there yet."""
    if not rows:
        return 0
    if connection.vendor != "postgresql":
        return insert(rows)
    try:
        with transaction.atomic():
            copy(rows)
    except IntegrityError:
        # Somebody wrote one of them by hand: COPY knows no ON CONFLICT.
        return insert(rows)
    return len(rows)


def insert(rows: Sequence[Row]) -> int:
    """Write those that are not there yet; return how many they were."""
    with connection.cursor() as cursor:
        cursor.executemany(INSERT, rows)
        return cursor.rowcount


def copy(rows: Sequence[Row]) -> None:
    """Write rows that are new the fast way of PostgreSQL's; raise IntegrityError if one is there."""
    statement = f"COPY {TABLE} ({NAMES}) FROM STDIN"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.cursor.copy(statement) as target:
        for row in rows:
            target.write_row(row)
