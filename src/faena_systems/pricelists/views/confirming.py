"""A supplier's pending files: mend, delete, import."""

from __future__ import annotations

from itertools import islice
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import View

from faena.ledger.records import write_audit
from faena.monitor.page import Operating, actor

from .. import queries, queueing, reader_process, reading, uploading
from ..forms import PendingForm
from ..models import ArchivoPendiente, Proveedor
from ..uploading import SheetPreview
from .previews import columns_of
from .shared import LivePage, is_live, is_waiting, pending_file


class Confirm(LivePage):
    """The pending list; a POST imports all of it, one job a file."""

    template_name = "importaciones/confirm.html"
    fragment_name = "importaciones/parts/confirm_files.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the supplier's files."""
        proveedor = get_object_or_404(Proveedor, pk=kwargs["prov"])
        files = queries.pending(proveedor)
        return super().get_context_data(**kwargs) | {
            "proveedor": proveedor,
            "files": files,
            "ready": sum(map(is_waiting, files)),
            "is_live": any(map(is_live, files)),
        }

    def post(self, request: HttpRequest, prov: int) -> HttpResponseBase:
        """Enqueue every file that waits, all or none."""
        proveedor = get_object_or_404(Proveedor, pk=prov)
        with transaction.atomic():
            waiting = [file.archivo for file in queries.pending(proveedor) if is_waiting(file)]
            jobs = [start(request, archivo) for archivo in waiting]
        if len(jobs) == 1:
            return redirect("importaciones:resultado", jobs[0])
        said = ngettext("%(count)s import started.", "%(count)s imports started.", len(jobs)) % {"count": len(jobs)}
        messages.success(request, said if jobs else _("There was nothing left to import."))
        return redirect("importaciones:inicio")


class PendingAction(Operating, View):
    """An action on a pending file that no job has."""

    archivo: ArchivoPendiente

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Leave a file alone while a job has it."""
        if not request.user.is_authenticated:
            return self.handle_no_permission()
        file = pending_file(kwargs["pk"])
        self.archivo = file.archivo
        if is_live(file):
            messages.warning(request, _("This file is being imported. Cancel its job first."))
            return redirect("importaciones:confirmar", self.archivo.proveedor_id)
        return super().dispatch(request, *args, **kwargs)


class EditPending(PendingAction):
    """Change how a pending file is to be read, with its first rows in view."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the form."""
        return self.page(PendingForm(instance=self.archivo))

    def post(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Write it."""
        form = PendingForm(request.POST, instance=self.archivo)
        if not form.is_valid():
            return self.page(form)
        form.save()
        messages.success(request, _("Saved: the file waits to be imported."))
        return redirect("importaciones:confirmar", self.archivo.proveedor_id)

    def page(self, form: PendingForm) -> HttpResponse:
        """Render the form and the sheet's beginning."""
        context = {
            "archivo": self.archivo,
            "form": form,
            "sheet": beginning(self.archivo),
            "columns_of": columns_of(self.archivo.proveedor),
        }
        return render(self.request, "importaciones/pending_edit.html", context)


class Withdraw(PendingAction):
    """Delete a pending file."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Delete the row and its CSV."""
        with transaction.atomic():
            write_audit(actor(request), "withdraw", None, {"archivo": self.archivo.title})
            uploading.withdraw(self.archivo)
        messages.success(request, _("“%(file)s” was deleted.") % {"file": self.archivo.title})
        return redirect("importaciones:confirmar", self.archivo.proveedor_id)


class ImportOne(PendingAction):
    """Import one file, also one that failed before."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Enqueue it and show it run."""
        return redirect("importaciones:resultado", start(request, self.archivo))


def start(request: HttpRequest, archivo: ArchivoPendiente) -> UUID:
    """Enqueue a file's import in this person's name; return its job's id."""
    with transaction.atomic():
        job_id = queueing.enqueue(archivo)
        write_audit(actor(request), "import", job_id, {"archivo": archivo.title})
    return job_id


def beginning(archivo: ArchivoPendiente) -> SheetPreview | None:
    """Return the first rows of a file's CSV, or nothing if it is gone or damaged."""
    try:
        first = islice(reading.read_csv(archivo.csv_path), uploading.PREVIEW_ROWS)
        head = [reader_process.narrowed(cells) for _number, cells in first]
    except (OSError, ValueError):
        return None
    return uploading.preview({"name": archivo.hoja_origen, "hidden": False, "head": head, "rows": len(head)})
