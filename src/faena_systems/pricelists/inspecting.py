"""Look into an upload once: when it arrives, and not again for every page that shows it."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.cache import cache

from . import uploading
from .errors import UnreadableFile
from .models import Proveedor
from .uploading import SheetPreview, Upload

REMEMBERED = 3600  # seconds


def receive(proveedor: Proveedor, name: str, chunks: Iterable[bytes]) -> Upload:
    """Keep an upload that can really be read and has rows; raise UnreadableFile for any other and forget it."""
    upload = uploading.keep(proveedor, name, chunks)
    try:
        if not any(sheet.total_rows for sheet in sheets_of(proveedor, upload)):
            raise UnreadableFile("empty")
    except UnreadableFile:
        uploading.discard(proveedor, upload)
        raise
    return upload


def sheets_of(proveedor: Proveedor, upload: Upload) -> list[SheetPreview]:
    """Return the beginnings of an upload's sheets."""
    key = f"importaciones:{proveedor.pk}:{upload.file}"
    sheets: list[SheetPreview] | None = cache.get(key)
    if sheets is None:
        sheets = uploading.inspect(uploading.path_of(proveedor, upload))
        cache.set(key, sheets, REMEMBERED)
    return sheets
