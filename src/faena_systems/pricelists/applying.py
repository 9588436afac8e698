"""Write rows of a list to the tables: prices and all that is kept in step with them.

Set-based: a chunk takes eight statements, however many rows it has. The caller holds the transaction and
keeps two imports of one supplier apart; imports of different suppliers may run together.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction

from . import bulk
from .models import ArticuloSinRevisar
from .rows import Row

IVA = Decimal("0.21")
LOOKS = 3
PENDIENTE, MAPEADO = ArticuloSinRevisar.Estado.PENDIENTE.value, ArticuloSinRevisar.Estado.MAPEADO.value

PRECIOS = bulk.Table(
    "importaciones_preciodelista",
    "id",
    {
        "codigo": "text",
        "descripcion": "text",
        "precio": "numeric",
        "iva": "numeric",
        "bulto": "integer",
        "marca": "text",
    },
    ("proveedor_id", "codigo"),
    "DO UPDATE SET descripcion = excluded.descripcion, precio = excluded.precio, iva = excluded.iva,"
    " bulto = excluded.bulto, marca = excluded.marca",
)
SIN_REVISAR = bulk.Table(
    "importaciones_articulosinrevisar",
    "id",
    {
        "codigo_proveedor": "text",
        "descripcion_proveedor": "text",
        "descripcion": "text",
        "estado": "text",
    },
    ("proveedor_id", "codigo_proveedor"),
    # Only a barcode decides; otherwise what a person decided in the meantime stands.
    "DO UPDATE SET descripcion_proveedor = excluded.descripcion_proveedor, estado = CASE excluded.estado"
    f" WHEN '{MAPEADO}' THEN excluded.estado ELSE importaciones_articulosinrevisar.estado END",
)
ARTICULOS = bulk.Table(
    "importaciones_articulo",
    "id",
    {"codigo_barras": "text", "descripcion": "text", "marca": "text"},
    ("codigo_barras",),
    "DO NOTHING",
)
ENLACES = bulk.Table(
    "importaciones_articuloproveedor",
    "precio_de_lista_id",
    {
        "codigo_proveedor": "text",
        "precio_de_lista_id": "bigint",
        "articulo_id": "bigint",
        "articulo_sin_revisar_id": "bigint",
    },
    ("proveedor_id", "codigo_proveedor"),
    "DO UPDATE SET precio_de_lista_id = excluded.precio_de_lista_id, articulo_id = excluded.articulo_id,"
    " articulo_sin_revisar_id = excluded.articulo_sin_revisar_id",
)


class Applied(NamedTuple):
    """How many list prices are new, changed and as they were."""

    created: int
    updated: int
    unchanged: int


class Link(NamedTuple):
    """An ArticuloProveedor: the ids of its price and of the one article or unreviewed article."""

    precio: int
    articulo: int | None
    sin_revisar: int | None


def apply(proveedor_id: int, rows: Iterable[Row]) -> Applied:
    """Create or update the supplier's prices and their related entities.

    An existing price takes the row's description and price and, when given, its pack size, VAT and brand.
    Of several rows with one code the last counts.
    """
    by_code = {row.codigo: row for row in rows}
    if not by_code:
        return Applied(0, 0, 0)
    for _attempt in range(LOOKS):
        # Somebody may write one of the codes by hand after we looked: then look again.
        with suppress(IntegrityError), transaction.atomic():
            return apply_once(proveedor_id, by_code)
    return apply_once(proveedor_id, by_code)


def apply_once(proveedor_id: int, by_code: dict[str, Row]) -> Applied:
    """Look at what is there, and write what is new or differs."""
    precios, applied = apply_prices(proveedor_id, by_code)
    links = existing_links(proveedor_id, by_code)
    sin_revisar = apply_unreviewed(proveedor_id, by_code, links)
    articulos = find_or_make_articles(by_code.values())
    apply_links(proveedor_id, by_code, links, precios, sin_revisar, articulos)
    return applied


def apply_prices(proveedor_id: int, by_code: dict[str, Row]) -> tuple[dict[str, int], Applied]:
    """Write the prices that are new or differ; return all their ids by code."""
    condition, codes = bulk.among("codigo", by_code)
    existing = bulk.select(
        "SELECT codigo, id, descripcion, precio, iva, bulto, marca FROM importaciones_preciodelista"
        f" WHERE proveedor_id = %s AND {condition}",
        [proveedor_id, codes],
    )
    new = [new_price(row) for code, row in by_code.items() if code not in existing]
    changed = [price for code, old in existing.items() if (price := changed_price(by_code[code], old))]
    ids = {code: row[0] for code, row in existing.items()}
    ids |= PRECIOS.insert(new, "codigo", proveedor_id=proveedor_id, stock=0)
    PRECIOS.upsert(changed, "codigo", proveedor_id=proveedor_id, stock=0)
    return ids, Applied(len(new), len(changed), len(existing) - len(changed))


def new_price(row: Row) -> tuple[Any, ...]:
    """Return the columns of a price that is not there yet."""
    iva = IVA if row.iva is None else row.iva
    return row.codigo, row.descripcion, str(row.precio), str(iva), row.bulto or 1, row.marca or ""


def changed_price(row: Row, existing: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Return the columns of a price that differs from the row, or nothing if it does not."""
    _id, descripcion, precio, iva, bulto, marca = existing
    # SQLite hands decimals back as floats, whose shortest text is the decimal that was stored.
    old = (descripcion, Decimal(str(precio)), Decimal(str(iva)), bulto, marca)
    new = (
        row.descripcion,
        row.precio,
        old[2] if row.iva is None else row.iva,
        row.bulto or bulto,
        row.marca or marca,
    )
    return None if new == old else (row.codigo, new[0], str(new[1]), str(new[2]), *new[3:])


def existing_links(proveedor_id: int, codes: Iterable[str]) -> dict[str, Link]:
    """Return what the supplier's codes are tied to."""
    condition, parameter = bulk.among("codigo_proveedor", list(codes))
    found = bulk.select(
        "SELECT codigo_proveedor, precio_de_lista_id, articulo_id, articulo_sin_revisar_id"
        f" FROM importaciones_articuloproveedor WHERE proveedor_id = %s AND {condition}",
        [proveedor_id, parameter],
    )
    return {code: Link(*ids) for code, ids in found.items()}


def apply_unreviewed(proveedor_id: int, by_code: dict[str, Row], links: dict[str, Link]) -> dict[str, int]:
    """Create the unreviewed articles or let them follow the list; return their ids by code."""
    condition, codes = bulk.among("codigo_proveedor", by_code)
    existing = bulk.select(
        "SELECT codigo_proveedor, id, descripcion_proveedor, estado"
        f" FROM importaciones_articulosinrevisar WHERE proveedor_id = %s AND {condition}",
        [proveedor_id, codes],
    )
    new, changed = [], []
    for code, row in by_code.items():
        if code not in existing:
            mapped = row.barcode or (code in links and links[code].articulo)
            new.append((code, row.descripcion, row.descripcion, MAPEADO if mapped else PENDIENTE))
            continue
        _id, description, estado = existing[code]
        wanted = MAPEADO if row.barcode else estado
        if (row.descripcion, wanted) != (description, estado):
            changed.append((code, row.descripcion, row.descripcion, wanted))
    ids = {code: row[0] for code, row in existing.items()}
    ids |= SIN_REVISAR.insert(new, "codigo_proveedor", proveedor_id=proveedor_id)
    SIN_REVISAR.upsert(changed, "codigo_proveedor", proveedor_id=proveedor_id)
    return ids


def find_or_make_articles(rows: Iterable[Row]) -> dict[str, int]:
    """Return the ids of the articles with the rows' barcodes, made where missing."""
    by_barcode = {row.barcode: row for row in rows if row.barcode}
    if not by_barcode:
        return {}
    ids = article_ids(by_barcode)
    # Sorted, so that two suppliers' imports that share barcodes cannot wait for each other.
    missing = sorted(barcode for barcode in by_barcode if barcode not in ids)
    made = [(barcode, by_barcode[barcode].descripcion, by_barcode[barcode].marca or "") for barcode in missing]
    ids |= ARTICULOS.upsert(made, "codigo_barras")
    # Made by another supplier's import after we looked.
    if late := [barcode for barcode in missing if barcode not in ids]:
        ids |= article_ids(late)
    return ids


def article_ids(barcodes: Iterable[str]) -> dict[str, int]:
    """Return the ids of the articles that there are."""
    condition, parameter = bulk.among("codigo_barras", list(barcodes))
    found = bulk.select(f"SELECT codigo_barras, id FROM importaciones_articulo WHERE {condition}", [parameter])
    return {barcode: row[0] for barcode, row in found.items()}


def apply_links(
    proveedor_id: int,
    by_code: dict[str, Row],
    links: dict[str, Link],
    precios: dict[str, int],
    sin_revisar: dict[str, int],
    articulos: dict[str, int],
) -> None:
    """Tie each price to the article of its barcode, else leave its tie alone, else to the unreviewed one."""
    new, changed = [], []
    for code, row in by_code.items():
        old = links.get(code)
        link: tuple[int, int | None, int | None] = (precios[code], None, sin_revisar[code])
        if row.barcode:
            link = (precios[code], articulos[row.barcode], None)
        elif old:
            link = (precios[code], old.articulo, old.sin_revisar)
        if old is None:
            new.append((code, *link))
        elif link != old:
            changed.append((code, *link))
    ENLACES.insert(new, "codigo_proveedor", proveedor_id=proveedor_id)
    ENLACES.upsert(changed, "codigo_proveedor", proveedor_id=proveedor_id)
