from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from rich.console import Console

from faena_systems.telemetry import merging, running, syncing
from faena_systems.telemetry.panaccess import feed


class Command(BaseCommand):
    help = _("Synchronise telemetry from PanAccess and merge it, here and now; no worker is needed.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--limit", type=page, default=feed.MOST, help=_("Records a page of PanAccess, 2 to 1000."))
        add("--batch-size", type=positive, default=syncing.BATCH, help=_("Records to a transaction."))
        add("--merge-batch-size", type=positive, default=merging.BATCH, help=_("Raw records to a merge's transaction."))
        add("--backfill-last-n", type=natural, default=0, help=_("Merge the last so many record ids once more."))

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=self.stdout, width=None if self.stdout.isatty() else 120)  # type: ignore[arg-type]
        names = ("limit", "batch_size", "merge_batch_size", "backfill_last_n")
        try:
            result = running.run(console, **{name: options[name] for name in names})
        except running.Failed as error:
            raise CommandError(str(error)) from None
        for part, counts in result.items():
            self.stdout.write(f"{part}: " + "  ".join(f"{name}={value}" for name, value in counts.items()))


def natural(text: str) -> int:
    """Read a whole number, not below 0."""
    number = int(text)
    if number < 0:
        raise ArgumentTypeError(_("not below 0"))
    return number


def positive(text: str) -> int:
    """Read a whole number, 1 or more."""
    if (number := natural(text)) < 1:
        raise ArgumentTypeError(_("1 or more"))
    return number


def page(text: str) -> int:
    """Read the size of a page."""
    if not 2 <= (number := natural(text)) <= feed.MOST:
        raise ArgumentTypeError(_("2 to 1000"))
    return number
