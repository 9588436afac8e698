"""Rows of a sheet, read with a supplier's configuration into articles or into reasons for refusing them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from . import parsing
from .parsing import BadCell, Cell, PriceStyle

#: What people call the fields.
FIELDS: dict[str, str | Promise] = {
    "codigo": gettext_lazy("Code"),
    "descripcion": gettext_lazy("Description"),
    "precio": gettext_lazy("Price"),
    "bulto": gettext_lazy("Quantity"),
    "iva": gettext_lazy("VAT"),
    "marca": gettext_lazy("Brand"),
    "barcode": gettext_lazy("Barcode"),
}


@dataclass(frozen=True)
class Columns:
    """0-based positions of the fields; the last four may be missing from a list."""

    codigo: int
    descripcion: int
    precio: int
    cant: int | None = None
    iva: int | None = None
    cod_barras: int | None = None
    marca: int | None = None

    @classmethod
    def parse(cls, **columns: str) -> Columns:
        """Build it from letters or 0-based numbers; blank means that the list has no such column."""
        return cls(**{field: parsing.column_index(column) for field, column in columns.items() if column.strip()})

    def as_dict(self) -> dict[str, int | None]:
        """Return it as JSON-ready numbers."""
        return asdict(self)


class Row(NamedTuple):
    """One article of a list. ``number`` is the sheet's 1-based row; None means that the list says nothing."""

    number: int
    codigo: str
    descripcion: str
    precio: Decimal
    bulto: int | None = None
    iva: Decimal | None = None
    marca: str | None = None
    barcode: str | None = None


class Rejection(NamedTuple):
    """Why a row was refused: the sheet's 1-based row, column letters, field, the cell's text, the reason.

    The reason is a msgid with its parameters: each reader is told it in a language of their own.
    """

    number: int
    column: str
    field: str
    value: str
    reason: str
    parameters: dict[str, Any] | None = None

    @property
    def told(self) -> str:
        """The reason in the language that is active."""
        return gettext(self.reason) % self.parameters if self.parameters else gettext(self.reason)

    @property
    def label(self) -> str:
        """What people call the field."""
        return str(FIELDS.get(self.field, self.field))


class Repeated(NamedTuple):
    """A good row that gave way to a later one (``by``) with the same code."""

    number: int
    codigo: str
    by: int


class RowReader:
    """Turns the cells of one row into a Row, or names the column that stopped it."""

    def __init__(self, columns: Columns, style: PriceStyle) -> None:
        self.columns, self.style = columns, style
        self.required = (columns.codigo, columns.descripcion, columns.precio)
        # In the order of Row's fields.
        self.optional: list[tuple[str, int | None, Callable[[Cell], Any]]] = [
            ("bulto", columns.cant, parsing.quantity),
            ("iva", columns.iva, parsing.iva),
            ("marca", columns.marca, parsing.brand),
            ("barcode", columns.cod_barras, parsing.barcode),
        ]
        self.width = 1 + max(index for index in columns.as_dict().values() if index is not None)

    def read(self, number: int, cells: list[Cell]) -> Row | Rejection | None:
        """Read one row; nothing if code, description and price are all blank."""
        if len(cells) < self.width:
            cells = [*cells, *[""] * (self.width - len(cells))]
        codigo, descripcion, precio = self.required
        field, index = "codigo", codigo
        given: list[Any] = []
        try:
            code = parsing.code(cells[codigo])
            field, index = "descripcion", descripcion
            description = parsing.required_text(cells[descripcion], 500)
            field, index = "precio", precio
            price = parsing.price(cells[precio], self.style)
            for field, column, parse in self.optional:  # noqa: B007 - a rejection names it
                index = codigo if column is None else column
                given.append(None if column is None else parse(cells[index]))
        except BadCell as bad:
            if field == "codigo" and all(parsing.is_nothing(cells[index]) for index in self.required):
                return None
            value, letters = parsing.text(cells[index])[:200], parsing.column_letters(index)
            return Rejection(number, letters, field, value, bad.reason, bad.parameters or None)
        return Row(number, code, description, price, *given)


class Overview(NamedTuple):
    """What a first reading of the whole sheet tells."""

    read: int
    valid: int
    repeated: dict[int, int]
    first_rejection: Rejection | None

    @property
    def rejected(self) -> int:
        """Rows that cannot be used."""
        return self.read - self.valid


def parsed(numbered: Iterable[tuple[int, list[Cell]]], reader: RowReader) -> Iterator[Row | Rejection]:
    """Read numbered rows one by one, leaving out blank ones."""
    read = reader.read
    for number, cells in numbered:
        if row := read(number, cells):
            yield row


def overview(rows: Iterable[Row | Rejection]) -> Overview:
    """Count the rows and find those that a later row with the same code replaces.

    The last good row of a code wins, wherever it stands in the sheet; ``repeated`` maps the number of each
    row that gives way to the number of the winner.
    """
    last: dict[str, int] = {}
    losers: dict[int, str] = {}
    first: Rejection | None = None
    read = valid = 0
    for row in rows:
        read += 1
        if isinstance(row, Rejection):
            first = first or row
            continue
        valid += 1
        if row.codigo in last:
            losers[last[row.codigo]] = row.codigo
        last[row.codigo] = row.number
    return Overview(read, valid, {number: last[code] for number, code in losers.items()}, first)


def settled(rows: Iterable[Row | Rejection], repeated: dict[int, int]) -> Iterator[Row | Rejection | Repeated]:
    """Replace the rows that give way to a later one by a note of it."""
    for row in rows:
        if row.number in repeated and isinstance(row, Row):
            yield Repeated(row.number, row.codigo, repeated[row.number])
        else:
            yield row
