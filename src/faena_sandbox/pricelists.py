"""Makes realistic price lists: what hardware suppliers really send, bad rows and all. Always the same for a seed."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

BANNER_ROWS = 14
THINGS = (
    "Tornillo autoperforante", "Tarugo de nylon", "Bulón zincado", "Llave francesa", "Cinta de teflón",
    "Caño PVC", "Disco de corte", "Mecha de widia", "Cerradura de embutir", "Bisagra munición", "Pinza universal",
    "Cable unipolar", "Térmica bipolar", "Lámpara LED", "Sellador de siliconas", "Pintura látex", "Rodillo de lana",
    "Candado de bronce", "Manguera reforzada", "Canilla esférica", "Flexible mallado", "Electrodo punta azul",
)  # fmt: skip
DETAILS = (
    "cabeza hexagonal", 'de 1/2"', "20 mm", "galvanizado", "x 100 u.", "línea pesada", "reforzada", "color ñandú",
    'de 3/4" x 6 m', "para exterior", "grano 80", "2,5 mm²", "antióxido",
)  # fmt: skip
BRANDS = ("Fischer", "Bahco", "Stanley", "Tacsa", "Tigre", "Duke", "Sin Par", "El Galgo", "Kansai & Cía.", "")
BAD_PRICES = ("consultar", "NaN", "1e3", "-125,50", "", "s/d", "12.34.5", "0")
HEADER = ("Código", "Descripción", "Precio", "Cant.", "IVA", "Cód. barras", "Marca")
COLUMNS = {
    "col_codigo": "A",
    "col_descripcion": "B",
    "col_precio": "C",
    "col_cant": "D",
    "col_iva": "E",
    "col_cod_barras": "F",
    "col_marca": "G",
}

Cells = list[Any]


@dataclass(frozen=True)
class Made:
    """What a made sheet holds: ``bad`` of its ``rows`` rows below the banner must be refused."""

    rows: int
    bad: int
    start_row: int = BANNER_ROWS


def banner(name: str) -> list[Cells]:
    """Return the 14 rows above a list: letterhead, conditions, blanks, and the header as the last of them."""
    head: list[Cells] = [[name], ["", "Lista de precios mayorista"], [], ["Vigencia:", "01/10/2026"]]
    head += [["Precios sin IVA, sujetos a cambio sin previo aviso"], ["Tel. (011) 4555-1234"], []]
    return head + [[]] * (BANNER_ROWS - len(head) - 1) + [list(HEADER)]


def article_rows(count: int, *, seed: int = 1, bad: int = 0, barcodes: bool = True) -> Iterator[Cells]:
    """Make rows with distinct codes, every price format, and exactly ``bad`` that must be refused."""
    chance = random.Random(seed)  # noqa: S311 - the same rows for the same seed
    bad_at = set(chance.sample(range(count), bad))
    for number in range(count):
        row = [
            code(number),
            f"{chance.choice(THINGS)} {chance.choice(DETAILS)} {number}",
            price(chance),
            chance.choice(("1", "12", "x 100", "Caja 50", 6.0, "-", "")),
            chance.choice(("21", "21%", "0,21", "10.5", 21.0, "")),
            f"779{seed % 1000:03d}{number:07d}" if barcodes and number % 3 == 0 else "",
            chance.choice(BRANDS),
        ]
        yield spoiled(row, chance) if number in bad_at else row


def code(number: int) -> str | float:
    """Return a supplier's code: text with leading zeros, with a dash, with a slash, or a number."""
    styles = (f"{number + 1:06d}", f"{number + 1:05d}-25", f"{number + 1:05d}/", float(number + 1))
    return styles[number % len(styles)]


def price(chance: random.Random) -> str | float:
    """Return a price between 0.50 and 250,000 in one of the ways of an Argentine supplier, or as a number."""
    cents = int(50 * 500_000 ** chance.random())
    amount = Decimal(cents) / 100
    plain, grouped = f"{amount:.2f}", f"{amount:,.2f}"
    spanish = grouped.replace(",", " ").replace(".", ",").replace(" ", ".")
    return chance.choice(
        (float(amount), float(amount), spanish, plain.replace(".", ","), f"$ {spanish}", plain, grouped)
    )


def spoiled(row: Cells, chance: random.Random) -> Cells:
    """Return the row with a price, a description or a tax that cannot be read."""
    where = chance.randrange(4)
    if where == 0:
        return [*row[:1], "", *row[2:]]
    if where == 1:
        return [*row[:4], "exento?", *row[5:]]
    return [*row[:2], chance.choice(BAD_PRICES), *row[3:]]


def sheet_rows(name: str, count: int, **options: Any) -> Iterator[Cells]:
    """Return a whole sheet: banner and articles."""
    yield from banner(name)
    yield from article_rows(count, **options)


def write_xlsx(path: Path, count: int = 500, *, sheets: int = 1, **options: Any) -> Made:
    """Write an .xlsx of ``count`` articles a sheet."""
    import xlsxwriter

    seed = options.pop("seed", 1)
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        for index in range(sheets):
            sheet = book.add_worksheet(f"Lista {index + 1}")
            for number, row in enumerate(sheet_rows("Distribuidora El Tornillo", count, seed=seed + index, **options)):
                write_row(sheet, number, row)
    return Made(count, options.get("bad", 0))


def write_row(sheet: Any, number: int, row: Cells) -> None:
    """Write one row of an .xlsx, texts as texts."""
    for column, cell in enumerate(row):
        if isinstance(cell, float):
            sheet.write_number(number, column, cell)
        elif cell:
            sheet.write_string(number, column, cell)


def write_csv(path: Path, count: int = 500, *, encoding: str = "utf-8", delimiter: str = ";", **options: Any) -> Made:
    """Write a .csv in an encoding and with a delimiter."""
    with path.open("w", encoding=encoding, errors="replace", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        for row in sheet_rows("Distribuidora El Tornillo", count, **options):
            writer.writerow([f"{cell:g}" if isinstance(cell, float) and cell == int(cell) else cell for cell in row])
    return Made(count, options.get("bad", 0))


def write_xls(path: Path, count: int = 500, **options: Any) -> Made:
    """Write an old .xls; needs xlwt, which only the tests install."""
    import xlwt

    book = xlwt.Workbook()
    sheet = book.add_sheet("Lista 1")
    for number, row in enumerate(sheet_rows("Distribuidora El Tornillo", count, **options)):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell)
    book.save(str(path))
    return Made(count, options.get("bad", 0))


def write_ods(path: Path, count: int = 500, **options: Any) -> Made:
    """Write an .ods; needs odfpy, which only the tests install."""
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    book = OpenDocumentSpreadsheet()
    table = Table(name="Lista 1")
    for row in sheet_rows("Distribuidora El Tornillo", count, **options):
        line = TableRow()
        for cell in row:
            number = isinstance(cell, float)
            node = TableCell(valuetype="float", value=repr(cell)) if number else TableCell(valuetype="string")
            if cell != "":
                node.addElement(P(text=str(cell)))
            line.addElement(node)
        table.addElement(line)
    book.spreadsheet.addElement(table)
    book.save(str(path))
    return Made(count, options.get("bad", 0))
