"""Reading spreadsheets: what a file is, its sheets, their rows. No Django, so that it may run on its own.

The type is told from the first bytes; a client's file name is never looked at.
"""

from __future__ import annotations

import codecs
import csv
import datetime
import lzma
import os
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import python_calamine as calamine

Cell = str | float
Kind = str  # "xlsx", "xls", "ods" or "csv"

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ODS = b"application/vnd.oasis.opendocument.spreadsheet"
DELIMITERS = ";,\t|"
MAX_UNCOMPRESSED = 512 * 1024 * 1024
SAMPLE = 64 * 1024
MANIFEST = 1024 * 1024
# What a zip's reader raises, at one time or another, for a damaged one; UnicodeError is a ValueError.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    KeyError,
    OSError,
    RuntimeError,
    ValueError,
    OverflowError,
    EOFError,
)


class ReadError(Exception):
    """A file cannot be read. ``problem`` is one of the keys of ``errors.PROBLEMS``, ``row`` where it shows."""

    def __init__(self, problem: str, row: int | None = None) -> None:
        super().__init__(problem)
        self.problem, self.row = problem, row


class Sheet(NamedTuple):
    """A sheet's name as in the file (empty for a CSV) and whether its author hid it."""

    name: str
    hidden: bool = False


def kind_of(path: Path) -> Kind:
    """Tell a file's type from its content; raise ReadError for what is no spreadsheet of ours."""
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    if not head:
        raise ReadError("empty")
    if head.startswith(b"PK"):
        return kind_of_zip(path)
    if head.startswith(OLE):
        return kind_of_ole(path)
    return kind_of_text(head)


def kind_of_zip(path: Path) -> Kind:
    """Tell xlsx from ods, and refuse a zip whose directory promises more than we are ready to unpack."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > MAX_UNCOMPRESSED:
                raise ReadError("bomb")
            names = {entry.filename.lower() for entry in entries}
            if "mimetype" in names and beginning(archive, "mimetype", len(ODS) + 1).startswith(ODS):
                return kind_of_ods(archive)
    except ZIP_ERRORS as error:
        raise ReadError("broken") from error
    if any(name.startswith("xl/worksheets/") and name.endswith(".xml") for name in names):
        return "xlsx"
    raise ReadError("unknown")


def beginning(archive: zipfile.ZipFile, name: str, size: int) -> bytes:
    """Unpack the first bytes of an entry, whatever size its directory names; raise BadZipFile for an odd packing."""
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile(name)
    with archive.open(name) as entry:
        return entry.read(size)


def kind_of_ods(archive: zipfile.ZipFile) -> Kind:
    """Refuse an OpenDocument spreadsheet that needs a password."""
    if b"encryption-data" in beginning(archive, "META-INF/manifest.xml", MANIFEST):
        raise ReadError("encrypted")
    return "ods"


def kind_of_ole(path: Path) -> Kind:
    """Tell an old xls from an encrypted xlsx, which hides in the same kind of container."""
    content = path.read_bytes()
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise ReadError("encrypted")
    if any(name.encode("utf-16-le") in content for name in ("Workbook", "Book")):
        return "xls"
    raise ReadError("unknown")


def kind_of_text(head: bytes) -> Kind:
    """Accept text as CSV; refuse binary files and the web pages that some systems export as ``.xls``."""
    start = head.lstrip(codecs.BOM_UTF8).lstrip()[:512].lower()
    if start.startswith((b"<html", b"<!doctype", b"<table", b"<meta", b"<?xml", b"<style")):
        raise ReadError("web_page")
    if not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and b"\0" in head:
        raise ReadError("unknown")
    if not start:
        raise ReadError("empty")
    return "csv"


def sheets(path: Path) -> list[Sheet]:
    """Name a file's sheets in their order; charts and macros are left out."""
    if kind_of(path) == "csv":
        return [Sheet("")]
    with workbook(path) as book:
        return [
            Sheet(sheet.name, sheet.visible != calamine.SheetVisibleEnum.Visible)
            for sheet in book.sheets_metadata
            if sheet.typ == calamine.SheetTypeEnum.WorkSheet
        ]


def rows(path: Path, sheet: str) -> Iterator[list[Cell]]:
    """Hand the rows of one sheet from its first row on, blank ones included, without blanks at their ends.

    Cells are exact text, or a number where the spreadsheet holds one. A CSV's only sheet is ``""``.
    """
    source = csv_rows(path) if kind_of(path) == "csv" else workbook_rows(path, sheet)
    for row in source:
        while row and row[-1] == "":
            row.pop()
        yield row


@contextmanager
def workbook(path: Path) -> Iterator[calamine.CalamineWorkbook]:
    """Open a workbook and turn its reader's errors into ours."""
    try:
        with path.open("rb") as file, calamine.CalamineWorkbook.from_filelike(file) as book:
            yield book
    except calamine.PasswordError as error:
        raise ReadError("encrypted") from error
    except calamine.WorksheetNotFound as error:
        raise ReadError("no_sheet") from error
    except (calamine.CalamineError, OSError) as error:
        raise ReadError("broken") from error


def workbook_rows(path: Path, sheet: str) -> Iterator[list[Cell]]:
    """Hand the rows of a workbook's sheet."""
    with workbook(path) as book:
        content = book.get_sheet_by_name(sheet)
        # The reader hands rows from the sheet's first on, but columns from the first that holds anything.
        left: list[Cell] = [""] * (content.start or (0, 0))[1]
        for row in content.iter_rows():
            cells = [cell if type(cell) is str or type(cell) is float else plain(cell) for cell in row]
            yield left + cells if left else cells


def plain(cell: object) -> Cell:
    """Turn a date, a truth value or an integer into a cell of ours."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int):
        return float(cell)
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(" ")
    return cell.isoformat() if isinstance(cell, datetime.date) else str(cell)


def csv_rows(path: Path) -> Iterator[list[Cell]]:
    """Hand the rows of a foreign CSV, whatever its encoding and delimiter."""
    encoding = encoding_of(path)
    with path.open(encoding=encoding, newline="") as file:
        lines = whole_lines(file.read(SAMPLE))
        delimiter = delimiter_of(lines)
        width = max(widths(lines, delimiter).items(), key=lambda each: each[1], default=(0, 0))[0]
        file.seek(0)
        try:
            for number, row in enumerate(csv.reader(file, delimiter=delimiter), 1):
                refuse_swallowed(row, number, delimiter, width)
                yield [*row]
        except csv.Error as error:
            raise ReadError("broken") from error


def refuse_swallowed(row: Sequence[str], number: int, delimiter: str, width: int) -> None:
    """Raise ReadError for a cell that holds other rows: a quotation mark before it was never closed.

    A text may have lines, and delimiters too; but not as many as whole rows of the file have.
    """
    for cell in row:
        if lines := cell.count("\n"):
            cuts = len(row) - 1 + cell.count(delimiter)
            if width > 1 and cuts >= (lines + 1) * (width - 1):
                raise ReadError("open_quote", number)


def encoding_of(path: Path) -> str:
    """Tell UTF-8 (with or without BOM) and UTF-16 from the 8-bit encoding of Western spreadsheets."""
    with path.open("rb") as file:
        head = file.read(4)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        file.seek(0)
        if decodes(file, "utf-8"):
            return "utf-8-sig"
        file.seek(0)
        # A few bytes mean nothing in cp1252; Latin-1 gives every byte a meaning.
        return "cp1252" if decodes(file, "cp1252") else "latin-1"


def decodes(file: BinaryIO, encoding: str) -> bool:
    """Tell whether the rest of the file is valid in an encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while block := file.read(1 << 20):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def whole_lines(sample: str) -> list[str]:
    """Cut the beginning of a file into lines, without the last one if it may be cut off."""
    lines = sample.splitlines(keepends=True)
    return lines[:-1] if len(sample) == SAMPLE else lines


def delimiter_of(lines: Sequence[str]) -> str:
    """Choose the delimiter that cuts most lines into the same number of fields, and into most of them."""
    return max(DELIMITERS, key=lambda delimiter: regularity(lines, delimiter))


def regularity(lines: Sequence[str], delimiter: str) -> int:
    """Score a delimiter: cuts per line times the lines that have exactly so many."""
    return max(((width - 1) * count for width, count in widths(lines, delimiter).items()), default=0)


def widths(lines: Sequence[str], delimiter: str) -> Counter[int]:
    """Count the lines of each number of fields; lines that a delimiter does not cut are left out."""
    try:
        return Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if len(row) > 1)
    except csv.Error:
        return Counter()


def write_csv(path: Path, source: Iterable[list[Cell]]) -> int:
    """Write rows as a CSV of ours and return how many: UTF-8, text quoted, numbers bare.

    CSV row n is sheet row n. Quotes keep the difference between a text and a number for the import.
    """
    with path.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
        count = 0
        for row in source:
            writer.writerow(row)
            count += 1
        # The spreadsheet is let go when this file is there.
        file.flush()
        os.fsync(file.fileno())
    return count


def read_csv(path: Path) -> Iterator[tuple[int, list[Cell]]]:
    """Hand the rows of a CSV of ours with their numbers, which are those of the sheet, from 1 up."""
    with path.open(encoding="utf-8", newline="", buffering=1 << 16) as file:
        yield from enumerate(csv.reader(file, quoting=csv.QUOTE_NONNUMERIC), 1)
