from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from faena_sandbox import pricelists as sandbox
from faena_systems.pricelists import uploading
from faena_systems.pricelists.models import ArchivoPendiente, ConfigImportacion, Proveedor
from tests.support.stack import Stack


class Shop(Stack):
    """An installation that runs the price lists, with this process looking into the same folder and database."""

    @property
    def env(self) -> dict[str, str]:
        return super().env | {"FAENA_SYSTEMS": "pricelists"}

    def supplier(self, short_name: str) -> Proveedor:
        """A supplier with the configuration of the made lists."""
        proveedor = Proveedor.objects.create(nombre=short_name, abreviatura=short_name)
        ConfigImportacion.objects.create(proveedor=proveedor, nombre_config="lista", **sandbox.COLUMNS)
        return proveedor

    def upload(self, proveedor: Proveedor, path: Path) -> ArchivoPendiente:
        """Queue the first sheet of a made list."""
        kept = uploading.keep(proveedor, path.name, [path.read_bytes()])
        choice = uploading.Choice("Lista 1", proveedor.configuraciones.get(), sandbox.BANNER_ROWS)
        return uploading.queue_sheets(proveedor, kept, [choice])[0]


@pytest.fixture(scope="module", params=["sqlite+sqlite", "postgresql+redis"])
def shop_of_module(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[Shop]:
    with django_db_blocker.unblock():
        shop = Shop(*request.param.split("+"))
        before, settings.DATA_DIR = settings.DATA_DIR, shop.folder
        try:
            yield shop
        finally:
            settings.DATA_DIR = before
            shop.close()


@pytest.fixture
def shop(request: pytest.FixtureRequest, shop_of_module: Shop) -> Iterator[Shop]:
    yield shop_of_module
    if request.node.report is None or request.node.report.failed:
        print(shop_of_module.logs())
