"""Guess from a sheet's first rows how to read it: where its banner ends and which column holds what. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
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
    best, given = Suggestion(0, {}), list(rows)
    for place, (number, texts) in enumerate(given):
        columns = named_columns(texts, [below for _number, below in given[place + 1 :]])
        if len(columns) >= 2 and len(columns) > len(best.columns):
            best = Suggestion(number, columns)
    return best


def named_columns(titles: Iterable[str], below: Sequence[Sequence[str]]) -> dict[str, str]:
    """Return the letters of the columns whose title names a field; the first of a kind counts."""
    columns: dict[str, str] = {}
    for index, title in enumerate(titles):
        field = field_named(title)
        if field and not (field == "col_cant" and names_units(row[index] for row in below if index < len(row))):
            columns.setdefault(field, parsing.column_letters(index))
    return columns


def names_units(texts: Iterable[str]) -> bool:
    """Tell whether a column says what articles are measured in (``u``, ``kg``) and never how many are in a pack."""
    said = [text for text in texts if not parsing.is_blank(text)]
    return bool(said) and not any(map(parsing.quantity, said))


def field_named(title: str) -> str | None:
    """Return the field that a column's title names; a title is short."""
    plain = unicodedata.normalize("NFKD", title.lower()).encode("ascii", "ignore").decode().strip()
    if not plain or len(plain) > 30:
        return None
    return next((field for field, pattern in TITLES.items() if pattern.search(plain)), None)
