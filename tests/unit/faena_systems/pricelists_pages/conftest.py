from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from faena_sandbox import pricelists as sandbox
from faena_systems.pricelists import queueing, uploading
from faena_systems.pricelists.models import ArchivoPendiente, ConfigImportacion, Proveedor
from tests.unit.faena_systems.pricelists.conftest import write_sheet

INICIO = "/importaciones/"


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    cache.clear()
    return settings.DATA_DIR


@pytest.fixture
def proveedor(db) -> Proveedor:
    return Proveedor.objects.create(nombre="El Tornillo", abreviatura="TOR")


@pytest.fixture
def config(proveedor) -> ConfigImportacion:
    return ConfigImportacion.objects.create(proveedor=proveedor, nombre_config="de siempre", **sandbox.COLUMNS)


@pytest.fixture
def operator(db) -> User:
    return User.objects.create_user("olga", is_staff=True)


@pytest.fixture
def web(operator) -> Client:
    """A browser in which an operator is signed in."""
    client = Client()
    client.force_login(operator)
    return client


@pytest.fixture
def viewer(db) -> Client:
    """A browser of somebody who may only look."""
    client = Client()
    client.force_login(User.objects.create_user("vera"))
    return client


@pytest.fixture
def send(web, proveedor) -> Callable[..., Any]:
    """Upload a file through the page."""

    def do(content: bytes, name: str = "lista.xlsx", **changed: Any) -> Any:
        return web.post(INICIO, {"proveedor": proveedor.pk, "archivo": SimpleUploadedFile(name, content)} | changed)

    return do


@pytest.fixture
def book(tmp_path) -> Callable[[list[list[Any]]], bytes]:
    """Make a workbook of one sheet."""

    def make(rows: list[list[Any]]) -> bytes:
        write_sheet(tmp_path / "made.xlsx", rows)
        return (tmp_path / "made.xlsx").read_bytes()

    return make


@pytest.fixture
def pending(proveedor, config, book) -> Callable[..., ArchivoPendiente]:
    """Queue a sheet without the pages."""

    def make(rows: list[list[Any]] | None = None, name: str = "lista.xlsx", start_row: int = 0) -> ArchivoPendiente:
        upload = uploading.keep(proveedor, name, [book(rows or [["7", "Clavo", 5]])])
        [archivo] = uploading.queue_sheets(proveedor, upload, [uploading.Choice("Lista", config, start_row)])
        return archivo

    return make


@pytest.fixture
def imported(pending) -> Callable[..., ArchivoPendiente]:
    """Import a sheet without the pages."""

    def make(rows: list[list[Any]], **options: Any) -> ArchivoPendiente:
        archivo = pending(rows, **options)
        queueing.import_here(archivo)
        archivo.refresh_from_db()
        return archivo

    return make


def url(name: str, *args: Any) -> str:
    return reverse(f"importaciones:{name}", args=args)


def sheet(prefix: str = "s0", **changed: Any) -> dict[str, Any]:
    """What the preview posts for a ticked sheet with a new configuration."""
    fields = {"take": "on", "start_row": "0", "config": ""}
    columns = {"nombre_config": "nueva", "col_codigo": "A", "col_descripcion": "b", "col_precio": "2"}
    data = {f"{prefix}-{name}": value for name, value in (fields | changed).items() if name in fields}
    return data | {f"{prefix}n-{n}": value for n, value in (columns | changed).items() if n not in fields}
