from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from faena_sandbox import pricelists as sandbox
from faena_systems.pricelists import uploading
from faena_systems.pricelists.models import ArchivoPendiente, ConfigImportacion, Proveedor


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    return settings.DATA_DIR


@pytest.fixture
def proveedor(db) -> Proveedor:
    return Proveedor.objects.create(nombre="El Tornillo", abreviatura="TOR")


@pytest.fixture
def config(proveedor) -> ConfigImportacion:
    return ConfigImportacion.objects.create(proveedor=proveedor, nombre_config="lista", **sandbox.COLUMNS)


@pytest.fixture
def queue(proveedor, config, tmp_path) -> Callable[..., ArchivoPendiente]:
    """Upload a sheet given as rows, or a made file, and queue it."""

    def do(source: list[list] | Path, *, start_row: int = 0, sheet: str | None = None) -> ArchivoPendiente:
        if isinstance(source, list):
            path = tmp_path / "made.xlsx"
            write_sheet(path, source)
        else:
            path = source
        upload = uploading.keep(proveedor, path.name, [path.read_bytes()])
        name = uploading.inspect(uploading.path_of(proveedor, upload))[0].name if sheet is None else sheet
        [archivo] = uploading.queue_sheets(proveedor, upload, [uploading.Choice(name, config, start_row)])
        return archivo

    return do


def write_sheet(path: Path, rows: list[list]) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Lista")
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if cell != "":
                    sheet.write(number, column, cell)
