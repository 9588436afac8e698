"""What the commands that talk to the ledger share: Django loaded, errors as sentences, tables and JSON."""

from __future__ import annotations

import getpass
import json
import os
import sys
from datetime import datetime
from typing import Any
from uuid import UUID

import click
from rich.console import Console
from rich.table import Table

#: The colour of each state, as on the pages.
COLOURS = {
    "pending": "dim", "validating": "blue", "running": "blue", "paused": "yellow", "completed": "green",
    "completed_with_errors": "yellow", "failed": "red", "cancelled": "dim",
}  # fmt: skip


class Refusal(click.ClickException):
    """What cannot be done, in one sentence: to stderr, with exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print it."""
        click.echo(self.format_message(), err=True)


class Plain(click.Command):
    """A command that talks to the ledger. People see no tracebacks: what goes wrong is one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Load Django, then do it."""
        load()
        from django.db import DatabaseError, connection

        from faena.errors import FaenaError

        try:
            return super().invoke(ctx)
        except FaenaError as error:
            raise Refusal(str(error)) from None
        except DatabaseError as error:
            said = str(error).strip().partition("\n")[0]
            raise Refusal(
                f"The database {connection.settings_dict['NAME']} cannot be used: {said}. "
                "Check FAENA_DATABASE_URL, that it runs, and that its tables are there (`faena up` makes them)."
            ) from None
        finally:
            connection.close()


def load() -> None:
    """Set Django up, and import the Celery app that `-A` names.

    Raises:
        Refusal: the settings or the app cannot be read.
    """
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.utils import translation

    from faena import standalone
    from faena.errors import ConfigurationError

    try:
        standalone.set_up() if standalone.is_wanted() else django.setup()
        from faena.celery.loading import load_named

        load_named(os.environ.get("FAENA_APP"))
    except ConfigurationError as error:
        raise Refusal(str(error)) from None
    except (ImportError, ImproperlyConfigured, ValueError) as error:
        name = os.environ.get("DJANGO_SETTINGS_MODULE", "")
        raise Refusal(f"The settings {name} cannot be read: {error}. Check DJANGO_SETTINGS_MODULE.") from None
    # The commands speak English; what they share with the pages is said in the terminal's language.
    translation.activate("es" if os.environ.get("LANG", "").startswith("es") else "en")


def person() -> str:
    """Who acts, for the audit: the user of this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"uid {os.getuid()}"


def job_id(text: str) -> UUID:
    """The id that was typed.

    Raises:
        Refusal: it is none.
    """
    try:
        return UUID(text.strip())
    except ValueError:
        raise Refusal(f"{text!r} is not a job's id. Ids look like 01a1fb12-c056-7f27-9918-cc335e4e47be.") from None


def console() -> Console:
    """Where tables go. A file or a pipe has no width of its own: nothing is cut there."""
    made = Console(highlight=False)
    if not made.is_terminal:
        made.width = 240
    return made


def table(*columns: str) -> Table:
    """A table as all commands print it."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, no_wrap=True, overflow="ellipsis")
    return made


def coloured(state: str) -> str:
    """The state, coloured."""
    return f"[{COLOURS.get(state, 'default')}]{state}[/]"


def print_json(value: Any) -> None:
    """For programs."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=_as_json)
    sys.stdout.write("\n")


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def ago(moment: datetime | None) -> str:
    """How long ago, in one unit."""
    if moment is None:
        return ""
    seconds = (datetime.now().astimezone() - moment).total_seconds()
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if abs(seconds) >= length:
            return f"{round(seconds / length)}{unit}"
    return f"{round(seconds)}s"
