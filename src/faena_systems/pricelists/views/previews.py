"""An upload's sheets: look at their first rows, say how to read them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .. import inspecting, uploading
from ..errors import UnreadableFile
from ..forms import COLUMNS, LABELS, SheetForms, column_of
from ..models import Proveedor
from .shared import OpenPage, UploadView

# Reading the upload again cannot end otherwise.
HOPELESS = frozenset(["broken", "encrypted", "bomb"])


class Preview(OpenPage, UploadView):
    """One block a sheet; a POST turns the ticked ones into pending files."""

    def get(self, request: HttpRequest, prov: int, file: str) -> HttpResponseBase:
        """Show the sheets."""
        self.find(prov, file)
        try:
            return self.page(SheetForms(self.proveedor, inspecting.sheets_of(self.proveedor, self.upload)))
        except UnreadableFile as error:
            self.say(error)
            return redirect("importaciones:inicio")

    def post(self, request: HttpRequest, prov: int, file: str) -> HttpResponseBase:
        """Queue the ticked sheets, all or none."""
        self.find(prov, file)
        try:
            forms = SheetForms(self.proveedor, inspecting.sheets_of(self.proveedor, self.upload), request.POST)
            return self.queue(forms) if forms.is_valid() else self.page(forms)
        except UnreadableFile as error:
            return self.give_up(error)

    def queue(self, forms: SheetForms) -> HttpResponseBase:
        """Write the pending files and go on to their list."""
        queued = forms.save(self.upload, self.request.user)
        said = ngettext("%(count)s sheet is ready to import.", "%(count)s sheets are ready to import.", len(queued))
        messages.success(self.request, said % {"count": len(queued)})
        return redirect("importaciones:confirmar", self.proveedor.pk)

    def page(self, forms: SheetForms) -> HttpResponse:
        """Render the sheets with what is known of their columns."""
        context = {
            "proveedor": self.proveedor,
            "upload": self.upload,
            "sheets": forms,
            "columns_of": columns_of(self.proveedor),
        }
        return render(self.request, "importaciones/preview.html", context)

    def give_up(self, error: UnreadableFile) -> HttpResponseBase:
        """Say why the upload could not be used, and let it go if it never can be."""
        self.say(error)
        if error.problem not in HOPELESS:
            return redirect("importaciones:preview", self.proveedor.pk, self.upload.file)
        uploading.discard(self.proveedor, self.upload)
        return redirect("importaciones:inicio")

    def say(self, error: UnreadableFile) -> None:
        """Leave the reason for the next page."""
        messages.error(self.request, _("%(file)s: %(why)s") % {"file": self.upload.name, "why": error})


class Discard(OpenPage, UploadView):
    """Let an upload go without importing anything."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, prov: int, file: str) -> HttpResponseBase:
        """Delete it."""
        self.find(prov, file)
        uploading.discard(self.proveedor, self.upload)
        messages.success(request, _("The upload was discarded."))
        return redirect("importaciones:inicio")


def columns_of(proveedor: Proveedor) -> dict[str, Any]:
    """Return, for the page's script, each configuration's columns as letters and what people call them."""
    configs = proveedor.configuraciones.all()[:200]
    return {
        "labels": {name: str(label) for name, label in LABELS.items()},
        "configs": {config.pk: {name: column_of(config, name) for name in COLUMNS} for config in configs},
    }
