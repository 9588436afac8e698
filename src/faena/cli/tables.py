"""The database's tables: which migrations it lacks, and those that are Faena's to apply."""

from __future__ import annotations

import sys
from collections import Counter

from faena.cli import project


def unapplied() -> list[tuple[str, str]]:
    """The app and the name of every migration that the database lacks, in the order in which they would run."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [(migration.app_label, migration.name) for migration, _ in plan]


def bring_up_to_date() -> None:
    """Apply what is missing; in somebody's own project only Faena's and what that needs, and say what is left."""
    from django.core.management import call_command

    ours = () if project.is_ours() else ("faena",)
    call_command("migrate", *ours, verbosity=0, interactive=False)
    if left := Counter(app for app, _ in unapplied()):
        said = ", ".join(f"{app} ({count})" for app, count in sorted(left.items()))
        print(f"Migrations not applied: {said}. They are yours to run: python manage.py migrate", file=sys.stderr)
