"""One pending file into the tables: the body of the job ``importaciones.importar_archivo``.

Every chunk of rows commits together with the job's place in the file, so that after a crash at any moment
each row has been applied exactly once. The file is read twice: first to count, to learn how its prices are
written and which rows repeat a code; then to apply.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connection
from django.utils.translation import gettext as _

from faena.errors import Invalid, LeaseLost
from faena.run import Run
from faena.states import ItemState

from . import applying, reading, rows
from .errors import NothingToImport, UnreadableFile
from .models import ArchivoPendiente, ConfigImportacion
from .parsing import Cell, PriceStyle, PriceVotes
from .rows import Columns, Overview, Rejection, Repeated, Row, RowReader

T = TypeVar("T")
CHUNK = 4_000
# While it only reads, the job still has to be heard of, and to hear that it should stop.
READ_CHECK = 20_000
TALLIES = ("creadas", "actualizadas", "sin_cambios")


@dataclass(frozen=True)
class Plan:
    """What to read and how, fixed by the first chunk: editing a configuration changes no running import."""

    path: Path
    start_row: int
    columns: Columns

    def cells(self) -> Iterator[tuple[int, list[Cell]]]:
        """Hand the sheet's rows below the banner, with their own numbers."""
        try:
            yield from islice(reading.read_csv(self.path), self.start_row, None)
        except FileNotFoundError as error:
            raise UnreadableFile("no_csv") from error
        except (csv.Error, ValueError) as error:
            raise UnreadableFile("broken") from error

    def survey(self, run: Run) -> tuple[PriceStyle, Overview]:
        """Read everything once: how prices are written, how many rows are good, which repeat a code.

        Whether a row is good depends on the style only where currencies are mixed: then it is read once more. An
        ambiguous price is a price either way.
        """
        votes = PriceVotes()
        cells = heard(run, self.voting(votes))
        seen = rows.overview(rows.parsed(cells, RowReader(self.columns, PriceStyle())))
        style = votes.style()
        if style.has_mixed_currencies:
            seen = rows.overview(heard(run, self.rows(style)))
        return style, seen

    def voting(self, votes: PriceVotes) -> Iterator[tuple[int, list[Cell]]]:
        """Hand the rows and have their prices counted."""
        column, see = self.columns.precio, votes.see
        for numbered in self.cells():
            if len(numbered[1]) > column:
                see(numbered[1][column])
            yield numbered

    def rows(self, style: PriceStyle) -> Iterator[Row | Rejection]:
        """Read the articles, in the order of the sheet."""
        return rows.parsed(self.cells(), RowReader(self.columns, style))


def import_file(run: Run, archivo_id: int) -> dict[str, Any]:
    """Import one pending file; a file that cannot be imported keeps the reason and is left alone.

    Returns:
        {proveedor_id, ruta_csv, filas_leidas, filas_validas, filas_descartadas, filas_repetidas, creadas,
        actualizadas, sin_cambios}

    Raises:
        Invalid: the file is gone, was imported before, cannot be read, or has no usable row.
    """
    archivo = ArchivoPendiente.objects.select_related("config_usada").filter(pk=archivo_id).first()
    if archivo is None:
        raise Invalid(_("The pending file was deleted."))
    if "resultado" not in run.cursor:
        waiting = ArchivoPendiente.objects.filter(pk=archivo_id, procesado=False)
        waiting.update(job_id=run.id, error="")
        try:
            import_rows(run, archivo)
        except (LeaseLost, OperationalError, InterfaceError):
            # The file is another worker's now, or the database cannot be asked whose it is.
            raise
        except Exception as error:
            why = str(error) or type(error).__name__
            waiting.update(error=why)
            raise
    # After the commit: a crash before this line comes back here.
    archivo.csv_path.unlink(missing_ok=True)
    return run.cursor["resultado"]


def import_rows(run: Run, archivo: ArchivoPendiente) -> None:
    """Check the file, apply its rows chunk by chunk, and mark it processed."""
    if archivo.procesado:
        raise Invalid(_("This file was imported before."))
    fixed = run.cursor.get("plan") or describe_plan(archivo)
    plan = Plan(archivo.csv_path, fixed["start_row"], Columns(**fixed["columns"]))
    with run.validating():
        style, seen = plan.survey(run)
        refuse_useless(seen)
    # Kept with the first chunk: until then a retry may come with a configuration that was put right.
    run.cursor["plan"] = fixed
    settled = read_ahead(rows.settled(plan.rows(style), seen.repeated))
    for chunk in run.each(settled, batch=CHUNK, total=seen.read):
        apply_chunk(run, archivo.proveedor_id, chunk)
    with run.checkpoint():
        ArchivoPendiente.objects.filter(pk=archivo.pk).update(procesado=True, error="")
        run.cursor["resultado"] = result(run, archivo, seen)


def describe_plan(archivo: ArchivoPendiente) -> dict[str, Any]:
    """Return the file's banner and columns as JSON values."""
    if archivo.config_usada is None:
        raise UnreadableFile("no_config")
    return {"start_row": archivo.start_row, "columns": asdict(columns_of(archivo.config_usada))}


def columns_of(config: ConfigImportacion) -> Columns:
    """Read a configuration's letters or numbers; raise UnreadableFile for others."""
    try:
        return Columns.parse(
            codigo=config.col_codigo,
            descripcion=config.col_descripcion,
            precio=config.col_precio,
            cant=config.col_cant,
            iva=config.col_iva,
            cod_barras=config.col_cod_barras,
            marca=config.col_marca,
        )
    except (ValueError, TypeError) as error:
        raise UnreadableFile("bad_config") from error


def heard(run: Run, source: Iterator[T]) -> Iterator[T]:
    """Pass rows on, and now and then show that the job lives."""
    for count, row in enumerate(source, 1):
        yield row
        if count % READ_CHECK == 0:
            with run.checkpoint():
                pass


def read_ahead(source: Iterator[T]) -> Iterator[T]:
    """Read the next chunk while the database server works on this one.

    SQLite works in this very process: there a second thread would only be in the way.
    """
    if connection.vendor == "sqlite":
        yield from source
        return
    with ThreadPoolExecutor(1) as reader:
        chunk = reader.submit(list, islice(source, CHUNK))
        while ready := chunk.result():
            chunk = reader.submit(list, islice(source, CHUNK))
            yield from ready


def refuse_useless(seen: Overview) -> None:
    """End an import that could only reject: almost always its configuration does not fit the sheet."""
    if seen.valid:
        return
    if seen.first_rejection is None:
        raise NothingToImport(_("There are no rows below the banner in the configured columns."))
    raise NothingToImport(
        _("None of the %(rows)s rows can be used; the configuration may not fit. Row %(row)s: %(why)s")
        % {"rows": seen.read, "row": seen.first_rejection.number, "why": explain(seen.first_rejection)}
    )


def apply_chunk(run: Run, proveedor_id: int, chunk: list[Row | Rejection | Repeated]) -> None:
    """Apply the good rows of a chunk and record the others."""
    applied = applying.apply(proveedor_id, (row for row in chunk if isinstance(row, Row)))
    for name, count in zip(TALLIES, applied, strict=True):
        run.cursor[name] = run.cursor.get(name, 0) + count
    for row in chunk:
        if isinstance(row, Rejection):
            run.reject(row.number, explain(row), row._asdict())
        elif isinstance(row, Repeated):
            message = _("Row %(row)s has the same code, %(code)s, and counts.") % {
                "row": row.by,
                "code": row.codigo,
            }
            run.item(row.number, ItemState.SKIPPED, message, row._asdict())


def explain(rejection: Rejection) -> str:
    """Say in one line why a row was refused, in the installation's language where a worker asks."""
    return f"{rejection.column}{rejection.number} {rejection.label} “{rejection.value}”: {rejection.told}"


def result(run: Run, archivo: ArchivoPendiente, seen: Overview) -> dict[str, Any]:
    """Count what came of the file."""
    return {
        "proveedor_id": archivo.proveedor_id,
        "ruta_csv": archivo.ruta_csv,
        "filas_leidas": seen.read,
        "filas_validas": seen.valid,
        "filas_descartadas": seen.rejected,
        "filas_repetidas": len(seen.repeated),
        **{name: run.cursor.get(name, 0) for name in TALLIES},
    }
