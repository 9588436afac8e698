"""System checks: what `manage.py check` and every start say about the settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import Error, Warning, register
from django.db import connections

from faena import conf
from faena.errors import ConfigurationError


@register("faena")
def check_settings(**_: Any) -> list[Error]:
    """faena.E001: the dict FAENA names a setting that does not exist."""
    try:
        conf.get()
    except ConfigurationError as error:
        return [Error(str(error), id="faena.E001")]
    return []


@register("faena")
def check_sqlite(**_: Any) -> list[Warning]:
    """faena.W001: SQLite as Django sets it up refuses to wait for another writer in the middle of a transaction."""
    database = connections.settings["default"]
    mode = database.get("OPTIONS", {}).get("transaction_mode", "")
    if not database["ENGINE"].endswith("sqlite3") or mode.upper() in {"IMMEDIATE", "EXCLUSIVE"}:
        return []
    return [
        Warning(
            "With several processes at work, SQLite will now and then answer 'database is locked'.",
            hint=(
                "Let writers wait for each other: DATABASES['default']['OPTIONS'] = {'transaction_mode': 'IMMEDIATE', "
                "'timeout': 30, 'init_command': 'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;'}"
            ),
            id="faena.W001",
        )
    ]


@register("faena")
def check_install(**_: Any) -> list[Warning]:
    """faena.W002: this process would enqueue with plain Celery, or with no app at all."""
    from faena.ledger import doorbell

    # Commands on the settings of a project without Django see its database and not its app.
    if doorbell.is_connected() or getattr(settings, "ROOT_URLCONF", "") == "faena.standalone.urls":
        return []
    return [
        Warning(
            "No Celery app has Faena installed here: what this process enqueues is not recorded.",
            hint=(
                "Call faena.install(app) where the app is made, and import that module in the __init__.py of the "
                "project's package, as Celery asks of every Django project: `from .celery import app as celery_app`."
            ),
            id="faena.W002",
        )
    ]


@register("faena")
def check_schedules(**_: Any) -> list[Error]:
    """faena.E002: an entry of Celery's `beat_schedule` can never fire."""
    from faena.celery.schedule_sources import problems_of_setting

    return [
        Error(f"The schedule {name} of beat_schedule can never fire: {problem}", id="faena.E002")
        for name, problem in problems_of_setting()
    ]
