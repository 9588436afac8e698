"""The first page: upload a list, see what waits, what runs, what came of it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from .. import queries
from ..forms import UploadForm
from .shared import LivePage, is_live

LATEST = 30


class Home(LivePage):
    """Upload form, pending files, latest imports."""

    template_name = "importaciones/home.html"
    fragment_name = "importaciones/parts/home_files.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the files once and sort them into those that need somebody and those that have a job."""
        pending = queries.pending()
        imports = [file for file in [*pending, *queries.latest(ceiling=LATEST)] if file.job or file.archivo.procesado]
        newest = sorted(imports, key=lambda file: file.job.created if file.job else file.archivo.fecha_subida)[::-1]
        return super().get_context_data(**kwargs) | {
            "form": kwargs.get("form") or UploadForm(initial={"proveedor": self.request.GET.get("proveedor")}),
            "suppliers": queries.suppliers(),
            "pending": [file for file in pending if not is_live(file)],
            "imports": newest[:LATEST],
            "is_live": any(map(is_live, pending)),
        }

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Keep the upload and show its sheets."""
        form = UploadForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        return redirect("importaciones:preview", form.cleaned_data["proveedor"].pk, form.upload.file)
