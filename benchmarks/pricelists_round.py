"""One round of ``benchmarks.pricelists``, in a process and on a database of its own; prints one JSON line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import django
from benchmarks.pricelists import peak_mb, timed

import faena_server  # noqa: F401  the Celery app


def faena_way(workbook: Path) -> dict[str, float]:
    """Upload, convert, import; then the same list once more."""
    import resource

    from faena_systems.pricelists import queries

    convert_s, archivo = timed(lambda: upload(workbook))
    import_s, job = timed(lambda: run(archivo))
    again_s, _again = timed(lambda: run(upload(workbook)))
    result = queries.import_result(job)
    assert result is not None and result.job.state == "completed_with_errors", result
    assert result.created == result.read - result.rejected > 0, result
    return {
        "rows_per_s": result.read / (convert_s + import_s),
        "again_rows_per_s": result.read / again_s,
        "convert_s": convert_s,
        "import_s": import_s,
        "peak_mb": peak_mb(),
        "reader_peak_mb": peak_mb(resource.RUSAGE_CHILDREN),
    }


def upload(workbook: Path) -> Any:
    """Keep the file and queue its sheet, as the page does."""
    from faena_sandbox import pricelists as sandbox
    from faena_systems.pricelists import uploading
    from faena_systems.pricelists.models import ConfigImportacion, Proveedor

    proveedor, _ = Proveedor.objects.get_or_create(nombre="El Tornillo", abreviatura="TOR")
    config, _ = ConfigImportacion.objects.get_or_create(
        proveedor=proveedor, nombre_config="lista", defaults=sandbox.COLUMNS
    )
    kept = uploading.keep(proveedor, workbook.name, [workbook.read_bytes()])
    choices = [uploading.Choice("Lista 1", config, sandbox.BANNER_ROWS)]
    [archivo] = uploading.queue_sheets(proveedor, kept, choices)
    return archivo


def run(archivo: Any) -> str:
    """Import it as a job in this process."""
    from faena_systems.pricelists.tasks import importar_archivo

    return importar_archivo.run_now(archivo.pk, archivo.proveedor_id, archivo.title).id


def usual_way(workbook: Path, count: str) -> dict[str, float]:
    """openpyxl, and update_or_create per row and table, each row in a transaction of its own."""
    from django.db import transaction

    return measured(workbook, int(count), transaction.atomic(save_row))


def price_only_way(workbook: Path, count: str) -> dict[str, float]:
    """The same for the price alone, and all in one transaction."""
    from django.db import transaction

    with transaction.atomic():
        return measured(workbook, int(count), save_price)


def measured(workbook: Path, count: int, save: Callable) -> dict[str, float]:
    from faena_systems.pricelists.models import Proveedor

    proveedor = Proveedor.objects.create(nombre="El Tornillo", abreviatura="TOR")

    def save_all() -> None:
        for row in openpyxl_rows(workbook, count):
            save(proveedor, row)

    seconds, _ = timed(save_all)
    return {"rows_per_s": count / seconds, "peak_mb": peak_mb()}


def openpyxl_rows(workbook: Path, count: int) -> Iterator[Any]:
    """The good rows among the first so many, read by the same rules."""
    import openpyxl

    from faena_sandbox import pricelists as sandbox
    from faena_systems.pricelists.parsing import PriceStyle
    from faena_systems.pricelists.rows import Columns, Row, RowReader

    columns = {name.removeprefix("col_"): letters for name, letters in sandbox.COLUMNS.items()}
    reader = RowReader(Columns.parse(**columns), PriceStyle(","))
    sheet = openpyxl.load_workbook(workbook, read_only=True).worksheets[0]
    below = sheet.iter_rows(min_row=sandbox.BANNER_ROWS + 1, values_only=True)
    for number, cells in enumerate(islice(below, count)):
        row = reader.read(number, [float(cell) if isinstance(cell, int) else cell or "" for cell in cells])
        if isinstance(row, Row):
            yield row


def save_price(proveedor: Any, row: Any) -> Any:
    from faena_systems.pricelists.models import PrecioDeLista

    given = {"iva": row.iva, "bulto": row.bulto, "marca": row.marca}
    defaults = {"descripcion": row.descripcion, "precio": row.precio}
    defaults |= {name: value for name, value in given.items() if value is not None}
    return PrecioDeLista.objects.update_or_create(proveedor=proveedor, codigo=row.codigo, defaults=defaults)[0]


def save_row(proveedor: Any, row: Any) -> None:
    from faena_systems.pricelists.models import Articulo, ArticuloProveedor, ArticuloSinRevisar

    code = {"proveedor": proveedor, "codigo_proveedor": row.codigo}
    price = save_price(proveedor, row)
    follows = {
        "descripcion_proveedor": row.descripcion,
        "estado": "mapeado" if row.barcode else "pendiente",
    }
    unreviewed, _ = ArticuloSinRevisar.objects.update_or_create(
        **code, defaults=follows, create_defaults={**follows, "descripcion": row.descripcion}
    )
    article = None
    if row.barcode:
        made = {"descripcion": row.descripcion, "marca": row.marca or ""}
        article, _ = Articulo.objects.get_or_create(codigo_barras=row.barcode, defaults=made)
    ends = {"articulo": article, "articulo_sin_revisar": None if article else unreviewed}
    ArticuloProveedor.objects.update_or_create(**code, defaults={"precio_de_lista": price, **ends})


def main() -> None:
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    way, workbook, *rest = sys.argv[1:]
    ways: dict[str, Callable[..., dict[str, float]]] = {
        "faena": faena_way,
        "usual": usual_way,
        "price_only": price_only_way,
    }
    print(json.dumps(ways[way](Path(workbook), *rest)))


if __name__ == "__main__":
    main()
