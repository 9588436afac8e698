"""One import: how far it is, what came of it, which rows it refused and why."""

from __future__ import annotations

import re
import tempfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.generic import View

from faena.monitor.page import Page

from .. import queries, report
from ..models import ArchivoPendiente
from ..queries import ImportResult
from ..rows import FIELDS, Rejection
from .shared import PAGE, LivePage, page_number

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class RejectedPage:
    """A page of refused rows. ``field`` and ``search`` narrow it down."""

    rows: list[Rejection]
    number: int
    is_last: bool
    field: str
    search: str

    @property
    def is_filtered(self) -> bool:
        """Whether some rows may be left out."""
        return bool(self.field or self.search)


class Result(LivePage):
    """The result, moving by itself while its job lives."""

    template_name = "importaciones/result.html"
    fragment_name = "importaciones/parts/result_live.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the import and a page of its refused rows."""
        result = result_or_404(kwargs["pk"])
        return super().get_context_data(**kwargs) | {
            "result": result,
            "is_live": not result.job.is_finished and result.job.state != "paused",
            "rejected": rejected_page(self.request, result.job.pk),
            "repeated": queries.repeated(result.job.pk) if result.repeated else [],
            "fields": FIELDS,
        }


class ResultOfFile(Page, View):
    """The result of a file's latest import."""

    def get(self, request: HttpRequest, archivo: int) -> HttpResponseBase:
        """Find its job; without one the file still waits."""
        file = get_object_or_404(ArchivoPendiente, pk=archivo)
        if file.job_id is None:
            return redirect("importaciones:confirmar", file.proveedor_id)
        return redirect("importaciones:resultado", file.job_id)


class Report(Page, View):
    """The result as .xlsx."""

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """Write it and send it."""
        result = result_or_404(pk)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report.xlsx"
            report.write_report(pk, path)
            content = BytesIO(path.read_bytes())
        return FileResponse(content, as_attachment=True, filename=file_name(result), content_type=XLSX)


def result_or_404(pk: UUID) -> ImportResult:
    """Return the import of a job."""
    result = queries.import_result(pk)
    if result is None:
        raise Http404
    return result


def file_name(result: ImportResult) -> str:
    """Name a report after its file, with plain characters: ``ñandú`` is ``nandu``."""
    title = result.archivo.title if result.archivo else str(result.job)
    words = re.findall(r"\w+", unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower())
    return f"resultado-{'-'.join(words)[:80] or result.job.pk}.xlsx"


def rejected_page(request: HttpRequest, job_id: UUID) -> RejectedPage:
    """Return the wanted page of refused rows."""
    number, field = page_number(request), request.GET.get("field", "")
    search = request.GET.get("q", "").strip()[:100]
    first = (number - 1) * PAGE
    rows = list(islice(matching(job_id, field, search.lower()), first, first + PAGE + 1))
    return RejectedPage(rows[:PAGE], number, len(rows) <= PAGE, field, search)


def matching(job_id: UUID, field: str, search: str) -> Iterator[Rejection]:
    """Stream the refused rows of a field whose value, reason or row number has the text."""
    for row in queries.iter_rejected(job_id):
        if field and row.field != field:
            continue
        if search in f"{row.number}\n{row.value}\n{row.told}".lower():
            yield row
