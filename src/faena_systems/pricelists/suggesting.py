"""Guess from a sheet's first rows how to read it: where its banner ends and which column holds what. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from . import parsing

# The first pattern that fits a title takes it, so the narrow ones come first.
TITLES = {
    "col_cod_barras": re.compile(r"barra|\bean\b|\bgtin\b|\bupc\b|barcode"),
    "col_codigo": re.compile(r"^cod|codigo|articulo n|\bsku\b|^ref|^art\.?$|\bcode\b|^id$"),
    "col_iva": re.compile(r"\biva\b|impuesto|\bvat\b|\btax\b|alicuota"),
    "col_precio": re.compile(r"precio|\blista\b|importe|\bprice\b|\bp\.?\s?unit|costo|\$"),
    "col_descripcion": re.compile(r"desc|detalle|producto|denominacion|^articulo$|nombre"),
    "col_cant": re.compile(r"cant|bulto|unid|\bpack\b|\bu/?b\b|qty|quantity|x caja"),
    "col_marca": re.compile(r"marca|brand|fabricante|linea"),
}
REQUIRED = ("col_codigo", "col_descripcion", "col_precio")


class Suggestion(NamedTuple):
    """A guess: ``start_row`` rows of banner, and column letters by field of ConfigImportacion."""

    start_row: int
    columns: dict[str, str]

    @property
    def is_whole(self) -> bool:
        """Whether every required column was recognised."""
        return all(field in self.columns for field in REQUIRED)


def suggest(rows: Iterable[tuple[int, list[str]]]) -> Suggestion:
    """Take the row that names most fields, at least two, as the header; without one suggest nothing."""
    best = Suggestion(0, {})
    for number, texts in rows:
        columns = named_columns(texts)
        if len(columns) >= 2 and len(columns) > len(best.columns):
            best = Suggestion(number, columns)
    return best


def named_columns(texts: Iterable[str]) -> dict[str, str]:
    """Return the letters of the columns whose title names a field; the first of a kind counts."""
    columns: dict[str, str] = {}
    for index, text in enumerate(texts):
        field = field_named(text)
        if field:
            columns.setdefault(field, parsing.column_letters(index))
    return columns


def field_named(title: str) -> str | None:
    """Return the field that a column's title names; a title is short."""
    plain = unicodedata.normalize("NFKD", title.lower()).encode("ascii", "ignore").decode().strip()
    if not plain or len(plain) > 30:
        return None
    return next((field for field, pattern in TITLES.items() if pattern.search(plain)), None)
