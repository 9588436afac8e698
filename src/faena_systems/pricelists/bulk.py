"""Many rows in one statement, on SQLite and on PostgreSQL, with the ids they got.

``QuerySet.bulk_create`` would do, were it not ten times as slow: it builds a model per row.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db import connection

# SQLite spends more on compiling a statement than on running it: always the same one is compiled once.
SQLITE_ROWS = 250


@dataclass(frozen=True)
class Table:
    """A table as an import writes it. ``columns`` maps names to PostgreSQL types, ``key`` is unique.

    ``conflict`` says, in SQL, what to do with a row that is there already.
    """

    name: str
    primary_key: str
    columns: Mapping[str, str]
    key: Sequence[str]
    conflict: str

    def insert(self, rows: Sequence[Sequence[Any]], returning: str, **same: int) -> dict[str, int]:
        """Insert rows that are new; return their ids by their ``returning`` column.

        ``same`` are columns with one number for all the rows. Raises IntegrityError if a row is there already.
        """
        return self._write(rows, "", returning, same)

    def upsert(self, rows: Sequence[Sequence[Any]], returning: str, **same: int) -> dict[str, int]:
        """Insert rows or do to those there already what ``conflict`` says; return the ids of what was written."""
        # PostgreSQL takes twice as long as for a plain INSERT.
        return self._write(rows, f"ON CONFLICT ({', '.join(self.key)}) {self.conflict}", returning, same)

    def _write(
        self, rows: Sequence[Sequence[Any]], conflict: str, returning: str, same: Mapping[str, int]
    ) -> dict[str, int]:
        columns = ", ".join([*self.columns, *same])
        constants = "".join(f", {int(value)}" for value in same.values())
        returned = f"RETURNING {returning}, {self.primary_key}"
        step = SQLITE_ROWS if connection.vendor == "sqlite" else len(rows) or 1
        found: dict[str, int] = {}
        for start in range(0, len(rows), step):
            source, parameters = self._source(rows[start : start + step], constants)
            found |= run(f"INSERT INTO {self.name} ({columns}) {source} {conflict} {returned}", parameters)
        return found

    def _source(self, rows: Sequence[Sequence[Any]], constants: str) -> tuple[str, list[Any]]:
        if connection.vendor == "sqlite":
            row = f"({', '.join('?' * len(self.columns))}{constants})"
            return f"VALUES {', '.join([row] * len(rows))}", list(chain.from_iterable(rows))
        arrays = ", ".join(f"%s::{kind}[]" for kind in self.columns.values())
        parameters = [array(column) for column in zip(*rows, strict=True)]
        return f"SELECT *{constants} FROM unnest({arrays}) AS given", parameters


def run(statement: str, parameters: Sequence[Any]) -> dict[str, int]:
    """Run a statement, in the database's own placeholders, that returns pairs."""
    if connection.vendor == "sqlite":
        # Straight to the driver: Django would look for %s in every statement, a sixth of an import's time.
        with connection.wrap_database_errors:
            return dict(connection.connection.execute(statement, parameters).fetchall())
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return dict(cursor.fetchall())


def array(values: Collection[Any]) -> str:
    """Return a PostgreSQL array literal: JSON's, but for the brackets.

    JSON escapes more than PostgreSQL does, but only control characters, which no cell's text holds.
    """
    return f"{{{json.dumps(values, ensure_ascii=False)[1:-1]}}}"


def among(column: str, values: Collection[str]) -> tuple[str, str]:
    """Return a condition ``column is one of values`` with one parameter, however many values there are."""
    if connection.vendor == "sqlite":
        return f"{column} IN (SELECT value FROM json_each(%s))", json.dumps(list(values))
    return f"{column} = ANY(%s::text[])", array(list(values))


def select(statement: str, parameters: Sequence[Any]) -> dict[str, tuple[Any, ...]]:
    """Run a query and return its rows by their first column, without it."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return {key: tuple(rest) for key, *rest in cursor.fetchall()}
