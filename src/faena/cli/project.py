"""Which project the commands are about."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

#: How every manage.py names its project's settings.
_NAMED = re.compile(r"""DJANGO_SETTINGS_MODULE["']\s*,\s*["']([\w.]+)["']""")
#: The settings of the projects that Faena ships with; what is in their databases is Faena's alone.
_OURS = frozenset(["faena.standalone.settings", "faena_server.settings"])
#: What to say when nothing names a project.
UNNAMED = (
    "This is the server that Faena ships with: there is no manage.py here, and no -A or FAENA_APP names a Celery app."
)


def choose(app: str | None) -> bool:
    """Let the environment name the project, for this process and those that it starts.

    It is, in this order: what `DJANGO_SETTINGS_MODULE` says; the Django project whose manage.py is in this folder;
    the Celery app that was named, in a project without Django; and else the server that Faena ships with. Returns
    whether anything named it.
    """
    # Its packages need not be installed.
    sys.path.insert(0, os.getcwd())
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [os.getcwd(), os.environ.get("PYTHONPATH")]))
    if app:
        os.environ["FAENA_APP"] = app
    named = os.environ.get("DJANGO_SETTINGS_MODULE") or _of_manage_py() or (app and "faena.standalone.settings")
    os.environ["DJANGO_SETTINGS_MODULE"] = named or "faena_server.settings"
    return bool(named)


def is_ours() -> bool:
    """Whether the chosen project is one that Faena ships with, and not somebody's own."""
    return os.environ["DJANGO_SETTINGS_MODULE"] in _OURS


def _of_manage_py() -> str | None:
    try:
        found = _NAMED.search(Path("manage.py").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return found[1] if found else None
