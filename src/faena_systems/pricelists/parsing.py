"""What one cell means. Pure functions; every rule is the shop's own (docs, price lists).

A cell is text, or a float when the spreadsheet itself holds a number: a number is never ambiguous.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite
from typing import Any

from django.utils.translation import gettext_noop as _

Cell = str | float

CENT = Decimal("0.01")
BASIS_POINT = Decimal("0.0001")
MAX_PRICE = Decimal("9999999999.99")
MAX_IVA = Decimal("1.5")
MAX_QUANTITY = 1_000_000
MIN_BARCODE = 6  # digits
MAX_COLUMN = 16_383
UNTAXED = frozenset(["exento", "exenta", "no gravado", "no gravada", "n/g"])
BLANKS = frozenset(["", "-", "--", "–", "—", "s/d", "n/a", "#n/a"])

_CONTROLS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
# Signs as lists write them, with the currency that they name; the shop's own pesos name none.
FOREIGN = {
    **dict.fromkeys(["U$S", "US$", "U$D", "USD", "U$"], "USD"),
    **dict.fromkeys(["€", "EUR"], "EUR"),
    **dict.fromkeys(["R$", "BRL"], "BRL"),
    **dict.fromkeys(["£", "GBP"], "GBP"),
}
SIGNS = "|".join(map(re.escape, [*FOREIGN, "AR$", "ARS", "$"]))
_CURRENCY = re.compile(rf"^({SIGNS})\s*|\s*({SIGNS})$", re.IGNORECASE)
_PLAIN = re.compile(r"([0-9]{1,15})(?:([.,])([0-9]{1,15}))?")
_GROUPED = re.compile(r"([1-9][0-9]{0,2})([.,\s])([0-9]{3}(?:\2[0-9]{3}){0,4})(?:(?!\2)([.,])([0-9]{1,15}))?")
_NEGATIVE = re.compile(r"[-−(]\s*[0-9$]|[0-9]\s*-$")
_FIRST_NUMBER = re.compile(r"(-?)\s*([0-9][0-9.,]*)(\s*%)?")
_ROUNDED_BARCODE = re.compile(r"[0-9]+(?:[.,][0-9]+)?e\+?[0-9]+", re.IGNORECASE)
_NO_DIGIT = re.compile(r"[^0-9]+")


class BadCell(Exception):
    """A cell cannot be used; ``reason`` says why, as a msgid of the catalogue with its ``parameters``."""

    def __init__(self, reason: str, **parameters: Any) -> None:
        super().__init__(reason, parameters)
        self.reason, self.parameters = reason, parameters


BLANK = _("it is blank")
NOT_A_PRICE = _("it is not a price")
NEGATIVE = _("it is negative")
ZERO_PRICE = _("the price is zero")
PRICE_TOO_LARGE = _("the price is too large")
NO_NUMBER = _("there is no number in it")
NOT_A_RATE = _("it is not a VAT rate")
OTHER_CURRENCY = _("it is in %(currency)s, and other prices of the column are not")
ROUNDED_BARCODE = _("the spreadsheet rounded the barcode: format the column as text")


def text(cell: Cell) -> str:
    """Return a cell's exact text on one line: ``37.0`` held as a number is ``37``, never ``37.0``.

    Control characters, which no database column wants, become spaces.
    """
    if isinstance(cell, str):
        return cell.strip() if cell.isprintable() else _CONTROLS.sub(" ", cell).strip()
    if not isfinite(cell):
        return ""
    return str(int(cell)) if cell == int(cell) else format(Decimal(repr(cell)), "f")


def is_blank(cell: Cell) -> bool:
    """Tell whether a cell says nothing: empty, a dash, ``s/d``, ``n/a``."""
    return isinstance(cell, str) and cell.strip().lower() in BLANKS


def required_text(cell: Cell, longest: int) -> str:
    """Return the text of a cell that must say something in at most ``longest`` characters."""
    value = text(cell)
    if not value:
        raise BadCell(BLANK)
    return value if len(value) <= longest else fitting(value, longest)


def fitting(value: str, longest: int) -> str:
    """Return the text if it has at most ``longest`` characters."""
    if len(value) > longest:
        raise BadCell(_("it is longer than %(longest)s characters"), longest=longest)
    return value


def code(cell: Cell) -> str:
    """Normalise a supplier's code: ``00012/`` → ``12/``, ``0037-25`` → ``0037-25/``, ``000`` → ``000/``.

    A trailing ``/`` is dropped, leading zeros are stripped if the rest is an integer, ``/`` is added.
    """
    value = text(cell).removesuffix("/").rstrip()
    if not value:
        raise BadCell(BLANK)
    if value[0] == "0" and value.isascii() and value.isdecimal():
        value = value.lstrip("0") or value
    return fitting(value + "/", 50)


@dataclass(frozen=True)
class PriceStyle:
    """How a price column writes decimals: ``,`` or ``.``, or nothing when no value tells.

    Only ``1.234`` and ``1,234`` are ambiguous: one to three digits, one mark, exactly three digits. They
    are read with the mark as decimal point if the column's other values use it so, else as thousands:
    a list without a single ``12.50`` has no cents.

    In a column of mixed currencies, no price in a foreign one can be used: it would count as pesos.
    """

    decimal_mark: str = ""
    has_mixed_currencies: bool = False

    @classmethod
    def of(cls, cells: Iterable[Cell]) -> PriceStyle:
        """Learn it from a column's cells."""
        votes = PriceVotes()
        for cell in cells:
            votes.see(cell)
        return votes.style()


class PriceVotes:
    """What all cells of a price column say together about its style.

    Every unambiguous text votes on the decimal mark; the majority wins, a tie decides nothing. Currencies
    are mixed unless every price names the same foreign one, or none does: ``$ 45``, ``45`` and the number 45
    are pesos, ``U$S 45`` and ``USD 45`` are the same, and what is no price (blanks, ``consultar``) does not count.
    """

    def __init__(self) -> None:
        self.votes = {",": 0, ".": 0, "": 0}
        self.currencies: set[str] = set()

    def see(self, cell: Cell) -> None:
        """Count the vote of one cell; a number has none on the decimal mark."""
        if not isinstance(cell, str):
            self.currencies.add("")
            return
        value, currency = without_currency(cell)
        self.votes[decimal_mark(value)] += 1
        if _PLAIN.fullmatch(value) or _GROUPED.fullmatch(value):
            self.currencies.add(currency)

    def style(self) -> PriceStyle:
        """Return what was decided so far."""
        commas, points = self.votes[","], self.votes["."]
        mark = "" if commas == points else "," if commas > points else "."
        return PriceStyle(mark, has_mixed_currencies=len(self.currencies) > 1)


def decimal_mark(value: str) -> str:
    """Return the decimal mark a bare price proves, ``,`` or ``.``, or ``""`` if it proves none."""
    if plain := _PLAIN.fullmatch(value):
        whole, mark, fraction = plain.groups()
        return mark if mark and not is_ambiguous(whole, fraction) else ""
    if grouped := _GROUPED.fullmatch(value):
        thousands, mark = grouped[2], grouped[4]
        return mark or {",": ".", ".": ","}.get(thousands, "")
    return ""


def is_ambiguous(whole: str, fraction: str) -> bool:
    """Tell whether ``whole`` mark ``fraction`` may be thousands as well as decimals."""
    return len(fraction) == 3 and len(whole) <= 3 and whole[0] != "0"


def is_nothing(cell: Cell) -> bool:
    """Tell whether a cell is empty; the number 0 is not."""
    return isinstance(cell, str) and (not cell or cell.isspace())


def without_currency(text: str) -> tuple[str, str]:
    """Part a price's text into the bare number and the foreign currency that it names, ``""`` for pesos."""
    value = text.strip().removeprefix("$").lstrip()
    if value[:1].isdecimal() and value[-1].isdecimal():
        return value, ""
    sign = _CURRENCY.search(value)
    return (_CURRENCY.sub("", value), FOREIGN.get((sign[1] or sign[2]).upper(), "")) if sign else (value, "")


def price(cell: Cell, style: PriceStyle) -> Decimal:
    """Read a price, rounded half up to 0.01 and above zero.

    Understands ``100.50``, ``1.234,56``, ``1234,56``, ``$ 100``, ``1,234.56``, ``1 234,56``. Blanks,
    ``NaN``, ``1e3`` and negatives raise BadCell.
    """
    amount = written_price(cell, style) if isinstance(cell, str) else finite(cell)
    if amount < 0:
        raise BadCell(NEGATIVE)
    if amount > MAX_PRICE:
        raise BadCell(PRICE_TOO_LARGE)
    amount = amount.quantize(CENT, ROUND_HALF_UP)
    if not amount:
        raise BadCell(ZERO_PRICE)
    return amount


def written_price(cell: str, style: PriceStyle) -> Decimal:
    """Read a price's text into an exact number, whatever its currency if the column has but one."""
    value, currency = without_currency(cell)
    amount = written_number(value, style)
    if currency and style.has_mixed_currencies:
        raise BadCell(OTHER_CURRENCY, currency=currency)
    return amount


def written_number(value: str, style: PriceStyle) -> Decimal:
    """Read a bare number's text; BadCell says what is wrong with any other."""
    if plain := _PLAIN.fullmatch(value):
        whole, mark, fraction = plain.groups()
        if not mark:
            return Decimal(whole)
        if is_ambiguous(whole, fraction) and mark != style.decimal_mark:
            return Decimal(whole + fraction)
        return Decimal(f"{whole}.{fraction}")
    if grouped := _GROUPED.fullmatch(value):
        whole, thousands, groups, _mark, fraction = grouped.groups()
        return Decimal(f"{whole}{groups.replace(thousands, '')}.{fraction or 0}")
    raise BadCell(why_not_a_price(value))


def why_not_a_price(value: str) -> str:
    """Say what is wrong with a text that is no price."""
    if value.lower() in BLANKS:
        return BLANK
    return NEGATIVE if _NEGATIVE.search(value) else NOT_A_PRICE


@functools.lru_cache(4096)
def iva(cell: Cell) -> Decimal | None:
    """Read a VAT rate as a fraction with four decimals, or nothing from a blank cell.

    The first number counts. Above 1.5, or with a ``%`` behind it, it is a percentage:
    ``21``, ``21%``, ``0,21`` → 0.2100; ``10.5`` → 0.1050.
    ``Exento``, ``No gravado`` and ``N/G`` are 0; any other text without a rate raises BadCell.
    """
    if is_blank(cell):
        return None
    if isinstance(cell, str) and " ".join(cell.split()).lower() in UNTAXED:
        return Decimal("0.0000")
    number, percent = first_number(cell)
    rate = number / 100 if percent or number > MAX_IVA else number
    if not 0 <= rate <= MAX_IVA:
        raise BadCell(NOT_A_RATE)
    return rate.quantize(BASIS_POINT, ROUND_HALF_UP)


@functools.lru_cache(4096)
def quantity(cell: Cell) -> int | None:
    """Read the units in a pack from the first number of the text, or nothing if no whole number from 1 up is there.

    ``x 12 u.`` → 12, ``12,00`` → 12, ``1.000`` → 1000; ``c/u``, ``0`` and ``12.5`` say nothing.
    """
    try:
        number, _percent = first_number(cell)
    except BadCell:
        return None
    if number != number.to_integral_value() or not 1 <= number <= MAX_QUANTITY:
        return None
    return int(number)


def first_number(cell: Cell) -> tuple[Decimal, bool]:
    """Return the first number in a cell and whether a ``%`` stands behind it."""
    if not isinstance(cell, str):
        return finite(cell), False
    found = _FIRST_NUMBER.search(cell)
    if not found:
        raise BadCell(NO_NUMBER)
    if found[1] and not cell[: found.start()].rstrip()[-1:].isalnum():
        raise BadCell(NEGATIVE)
    try:
        return written_price(found[2].rstrip(".,"), PriceStyle()), bool(found[3])
    except BadCell:
        raise BadCell(NO_NUMBER) from None


def finite(number: float) -> Decimal:
    """Return a spreadsheet's number exactly as it prints."""
    if not isfinite(number):
        raise BadCell(NO_NUMBER)
    return Decimal(repr(number))


def barcode(cell: Cell) -> str | None:
    """Read a barcode as text: letters, digits and dashes, among them six digits, or nothing from anything else.

    ``S/C`` or ``x`` under one article would make it the same as every other without a code.
    """
    value = text(cell)
    if MIN_BARCODE <= len(value) <= 50 and value.isdecimal() and value.isascii() and value[0] != "0":
        return value
    value = "".join(value.split()).removesuffix(".0")
    if _ROUNDED_BARCODE.fullmatch(value):
        raise BadCell(ROUNDED_BARCODE)
    digits = _NO_DIGIT.sub("", value)
    if len(digits) < MIN_BARCODE or not digits.strip("0") or not value.replace("-", "").isalnum():
        return None
    return fitting(value, 50)


@functools.lru_cache(4096)
def brand(cell: Cell) -> str | None:
    """Read a brand, or nothing from a blank cell."""
    return None if is_blank(cell) else fitting(text(cell), 100)


def column_index(column: str) -> int:
    """Return the 0-based index of a column given as letters (A, b, AA) or as a 0-based number.

    Raises ValueError for anything else, and for what no spreadsheet has (the last column is XFD).
    """
    column = column.strip().upper()
    index = MAX_COLUMN + 1
    if column.isascii() and column.isdecimal():
        index = int(column)
    elif re.fullmatch(r"[A-Z]{1,3}", column):
        index = functools.reduce(lambda index, letter: index * 26 + ord(letter) - 64, column, 0) - 1
    if index > MAX_COLUMN:
        raise ValueError(f"{column!r} is not a column: give letters (A, B, AA) or a number that starts at 0")
    return index


def column_letters(index: int) -> str:
    """Return the letters of a 0-based column index: 0 → A, 26 → AA."""
    letters = ""
    while index >= 0:
        index, rest = divmod(index, 26)
        letters, index = chr(65 + rest) + letters, index - 1
    return letters
