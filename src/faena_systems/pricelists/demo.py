"""The price lists' part of `faena demo`: a supplier's workbook is imported although its worker is killed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from faena_sandbox import pricelists as sandbox

from . import queries, queueing, uploading
from .models import ArchivoPendiente, ConfigImportacion, PrecioDeLista, Proveedor

if TYPE_CHECKING:
    from faena.cli.demo import Stage

ROWS, BAD = 60_000, 37


def show(stage: Stage) -> None:
    """Upload a realistic workbook, import it, kill the worker on the way, and say what came of it."""
    stage.tell(f"Price lists: a supplier sends a workbook of {ROWS:,} rows, {BAD} of them bad")
    supplier, config = _supplier()
    # The list of an earlier demo; the supplier is the demo's own.
    PrecioDeLista.objects.filter(proveedor=supplier).delete()
    archivo = _upload(supplier, config)
    job_id = queueing.enqueue(archivo)
    stage.watch([job_id], kill_at=ROWS // 3)
    result = queries.import_result(job_id)
    prices = PrecioDeLista.objects.filter(proveedor=supplier).count()
    if result is None or prices != result.valid - result.repeated:
        raise SystemExit(f"The import of the demo is not exact: {prices} prices. See var/logs/demo.log.")
    stage.happened(
        "A supplier's workbook, imported",
        f"{result.read:,} rows read, {prices:,} prices, {result.rejected} rejected\n"
        f"killed {result.job.crashes} time(s) on the way; exact all the same",
        f"/jobs/{job_id}/",
    )
    stage.happened("Its prices for sale", f"{prices:,}, searchable", f"/importaciones/precios/{supplier.pk}/")


def _supplier() -> tuple[Proveedor, ConfigImportacion]:
    supplier, _ = Proveedor.objects.get_or_create(abreviatura="DEMO", defaults={"nombre": "Distribuidora El Tornillo"})
    config, _ = ConfigImportacion.objects.get_or_create(
        proveedor=supplier, nombre_config="Lista", defaults=sandbox.COLUMNS
    )
    return supplier, config


def _upload(supplier: Proveedor, config: ConfigImportacion) -> ArchivoPendiente:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "Lista mayorista noviembre.xlsx"
        made = sandbox.write_xlsx(path, ROWS, bad=BAD)
        with path.open("rb") as file:
            upload = uploading.keep(supplier, path.name, iter(lambda: file.read(65536), b""))
    choice = uploading.Choice("Lista 1", config, made.start_row)
    return uploading.queue_sheets(supplier, upload, [choice])[0]
