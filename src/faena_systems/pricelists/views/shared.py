"""What the pages share: who may write, live parts, files and uploads by their address."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.generic import TemplateView, View

from faena.monitor.page import Page, is_fragment
from faena.monitor.permissions import may_operate

from .. import queries, uploading
from ..errors import UploadNotFound
from ..models import ArchivoPendiente, Proveedor
from ..queries import File
from ..uploading import Upload

READING = frozenset(["GET", "HEAD", "OPTIONS"])
PAGE = 100


class OpenPage(Page):
    """A page that everybody who is signed in may see and operators may write to."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Refuse writing by people who may only look."""
        if request.method not in READING and request.user.is_authenticated and not may_operate(request.user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)


class LivePage(OpenPage, TemplateView):
    """A page with one live part: the same address answers htmx with that part alone."""

    fragment_name: str

    def get_template_names(self) -> list[str]:
        """Choose between the page and its live part."""
        return [self.fragment_name if is_fragment(self.request) else str(self.template_name)]


def is_live(file: File) -> bool:
    """Whether a job has the file, or will have it without anybody's doing."""
    return file.job is not None and not file.job.is_finished


def is_waiting(file: File) -> bool:
    """Whether the file waits for somebody to say that it is to be imported."""
    return file.job is None and not file.error


def pending_file(pk: int) -> File:
    """Return a file that is not imported yet, with its job, or end in a 404."""
    archivos = ArchivoPendiente.objects.filter(pk=pk, procesado=False)
    files = queries.files(archivos, ceiling=1)
    if not files:
        raise Http404
    return files[0]


class UploadView(View):
    """About an upload that waits for somebody to choose its sheets."""

    proveedor: Proveedor
    upload: Upload

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Find the upload, or say kindly that it is gone."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except UploadNotFound:
            return render(request, "importaciones/gone.html", status=404)

    def find(self, prov: int, file: str) -> None:
        """Look the upload up among this supplier's; raise UploadNotFound."""
        self.proveedor = get_object_or_404(Proveedor, pk=prov)
        self.upload = uploading.find(self.proveedor, file)


def page_number(request: HttpRequest) -> int:
    """Return the wanted page, from 1 up; nonsense is the first."""
    wanted = request.GET.get("page", "")
    return max(1, int(wanted)) if wanted.isascii() and wanted.isdecimal() and len(wanted) <= 6 else 1
