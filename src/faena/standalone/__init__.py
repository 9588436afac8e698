"""Django for a project that has none: what `faena.install(app)` sets up in FastAPI, Flask or a plain script."""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType

from django import conf
from django.db.backends.signals import connection_created

#: The settings by name, for Django's own commands: `django-admin … --settings faena.standalone.settings`.
SETTINGS = "faena.standalone.settings"
#: Whether this process's Django is ours.
is_set_up = False


def is_wanted() -> bool:
    """Whether nobody has configured Django, or is about to."""
    return not conf.settings.configured and os.environ.get("DJANGO_SETTINGS_MODULE", SETTINGS) == SETTINGS


def set_up() -> None:
    """Configure Django from `FAENA_*` variables and load it, if that is wanted."""
    global is_set_up
    if not is_wanted():
        return
    import django

    from faena.standalone import tables

    # Handed over rather than named: of a settings module Django takes the time zone for the whole process.
    conf.settings.configure(**_values(import_module(SETTINGS)))
    connection_created.connect(tables.see_to, dispatch_uid="faena.standalone")
    django.setup()
    is_set_up = True


def _values(module: ModuleType) -> dict[str, object]:
    return {name: value for name, value in vars(module).items() if name.isupper()}
