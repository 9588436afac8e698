from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from rich.console import Console
from rich.table import Table

from faena_systems.pricelists import queueing

COLUMNS = ("filas_leidas", "filas_validas", "filas_descartadas", "creadas", "actualizadas", "sin_cambios")


class Command(BaseCommand):
    help = _("Import the pending price lists here and now, oldest first; no worker is needed.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=int, default=None, help=_("Import at most so many files."))

    def handle(self, *args: Any, limit: int | None = None, **options: Any) -> None:
        files = queueing.waiting(limit)
        details = [queueing.import_here(archivo) for archivo in files]
        table = Table("ruta_csv", *COLUMNS, "error")
        for detail in details:
            counts = (str(detail.get(column, "")) for column in COLUMNS)
            table.add_row(detail["ruta_csv"], *counts, detail.get("error", ""))
        Console(file=self.stdout, width=160).print(table)  # type: ignore[arg-type]
        failed = sum("error" in detail for detail in details)
        self.stdout.write(_("%(count)s files imported.") % {"count": len(details) - failed})
        if failed:
            raise CommandError(_("%(count)s files were not imported.") % {"count": failed})
