"""The result of one import as an .xlsx file."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import xlsxwriter
from django.utils.translation import gettext as _

from . import queries

# Nothing a supplier wrote may become a formula or a link in somebody's spreadsheet program.
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def write_report(job_id: UUID, path: Path) -> int:
    """Write an import's counts and refused rows, row by row, and return how many rows were refused.

    Raises LookupError if there is no such import.
    """
    result = queries.import_result(job_id)
    if result is None:
        raise LookupError(job_id)
    with xlsxwriter.Workbook(path, OPTIONS) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        write_counts(book.add_worksheet(_("Result")), result, bold)
        return write_rejected(book.add_worksheet(_("Rejected rows")), job_id, bold)


def write_counts(sheet: xlsxwriter.worksheet.Worksheet, result: queries.ImportResult, bold: object) -> None:
    """Write the counts, one a row."""
    counts = (
        (_("Rows read"), result.read),
        (_("Created"), result.created),
        (_("Updated"), result.updated),
        (_("Unchanged"), result.unchanged),
        (_("Rejected"), result.rejected),
        (_("Repeated in the file"), result.repeated),
    )
    sheet.set_column(0, 0, 40)
    sheet.write_string(0, 0, str(result.archivo or result.job), bold)
    for row, (label, count) in enumerate(counts, 1):
        sheet.write_string(row, 0, label)
        sheet.write_number(row, 1, count)


def write_rejected(sheet: xlsxwriter.worksheet.Worksheet, job_id: UUID, bold: object) -> int:
    """Write the refused rows and return how many they are."""
    sheet.freeze_panes(1, 0)
    sheet.set_column(2, 4, 30)
    for column, title in enumerate((_("Row"), _("Column"), _("Field"), _("Value"), _("Reason"))):
        sheet.write_string(0, column, title, bold)
    count = 0
    for count, rejection in enumerate(queries.iter_rejected(job_id), 1):
        sheet.write_number(count, 0, rejection.number)
        for column, text in enumerate((rejection.column, rejection.label, rejection.value, rejection.told), 1):
            sheet.write_string(count, column, text)
    return count
