"""Price lists' errors.

faena.errors.Invalid
├── UnreadableFile     an upload, or a CSV of ours, cannot be read; ``problem`` is a key of PROBLEMS
└── NothingToImport    the file was read and no row of it can be used

UploadNotFound         no such upload of this supplier (any more)
"""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from faena.errors import Invalid

PROBLEMS = {
    "empty": gettext_noop("The file is empty."),
    "empty_sheet": gettext_noop("The sheet is empty."),
    "unknown": gettext_noop("This is not a spreadsheet: send .xlsx, .xls, .ods or .csv."),
    "web_page": gettext_noop("This is a web page or XML with a spreadsheet's name: open it and save it as .xlsx."),
    "encrypted": gettext_noop("The file is protected by a password: save it without one."),
    "broken": gettext_noop("The file is damaged: open it and save it again."),
    "open_quote": gettext_noop(
        "A quotation mark is opened before or in row %(row)s and not closed where it should be, so that the"
        " following rows run together: put it right, or save the file as .xlsx."
    ),
    "bomb": gettext_noop("The file unpacks to more than we are ready to read."),
    "too_large": gettext_noop("The file is too large to read."),
    "too_slow": gettext_noop("Reading the file took too long."),
    "no_sheet": gettext_noop("The file has no such sheet."),
    "no_csv": gettext_noop("The converted file is gone: upload the spreadsheet again."),
    "no_config": gettext_noop("The configuration of this file was deleted: choose another one."),
    "bad_config": gettext_noop("The configuration names a column that does not exist."),
}


class UnreadableFile(Invalid):
    """A file cannot be read; the message is for people."""

    def __init__(self, problem: str, row: int | None = None) -> None:
        super().__init__(_(PROBLEMS[problem]) % {"row": row})
        self.problem = problem


class NothingToImport(Invalid):
    """No row of the file can be used; most likely the configuration does not fit it."""


class UploadNotFound(LookupError):
    """No such upload of this supplier, or it was tidied away."""
