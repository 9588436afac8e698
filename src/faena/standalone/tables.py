"""The tables of a project that runs no `migrate` of its own: made at first use on SQLite, asked for elsewhere."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from django.apps import AppConfig, apps
from django.core.management import call_command
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.migrations.recorder import MigrationRecorder

from faena import environment
from faena.errors import ConfigurationError

#: How long a process waits for another one that makes the tables.
PATIENCE_SECONDS = 120


def see_to(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Django calls this for every new connection; the first one of the process finds the tables, or makes them.

    Raises:
        ConfigurationError: a server's database does not have them. A schema that people share is theirs to change.
    """
    connection_created.disconnect(dispatch_uid="faena.standalone")
    try:
        if _missing(connection):
            _make(connection)
    except BaseException:
        # The next connection asks again.
        connection_created.connect(see_to, dispatch_uid="faena.standalone")
        connection.close()
        raise


def _missing(connection: BaseDatabaseWrapper) -> bool:
    """Whether the newest migration of any app is not in this database; without loading them all, as Django would."""
    applied = MigrationRecorder(connection).applied_migrations()
    return not applied.keys() >= {each for config in apps.get_app_configs() for each in _newest(config)}


def _newest(app: AppConfig) -> list[tuple[str, str]]:
    names = sorted(each.stem for each in Path(app.path, "migrations").glob("[0-9]*.py"))
    return [(app.label, name) for name in names[-1:]]


def _make(connection: BaseDatabaseWrapper) -> None:
    if connection.vendor != "sqlite":
        raise ConfigurationError(
            f"The database {connection.settings_dict['NAME']!r} lacks tables of this version of Faena. Make them with: "
            "django-admin migrate --settings faena.standalone.settings"
        )
    # SQLite's own lock: of several processes that start at once one makes the tables, and a killed one frees it.
    lock = sqlite3.connect(environment.data_dir() / "migrating.sqlite3", timeout=PATIENCE_SECONDS, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
        call_command("migrate", database=connection.alias, verbosity=0, interactive=False)
    finally:
        lock.close()
