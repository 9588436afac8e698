"""From an uploaded spreadsheet to pending files: keep it, look into it, turn its sheets into CSVs of ours.

Names on disk are ours; the client's name is only ever shown.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from . import parsing, reader_process, reading
from .errors import UnreadableFile, UploadNotFound
from .models import ArchivoPendiente, ConfigImportacion, Proveedor

MAX_BYTES = 50 * 1024 * 1024
PREVIEW_ROWS = 20
UPLOAD_NAME = re.compile(r"[0-9a-f]{32}\.(xlsx|xls|ods|csv)")
FORGOTTEN = 24 * 3600  # seconds after which an upload nobody confirmed is tidied away


@dataclass(frozen=True)
class Upload:
    """A kept upload. ``file`` is our name for it, ``name`` the client's."""

    file: str
    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class SheetPreview:
    """The beginning of a sheet: ``rows`` are (sheet row number from 1, texts), all of equal length."""

    name: str
    hidden: bool
    total_rows: int
    letters: list[str]
    rows: list[tuple[int, list[str]]]


@dataclass(frozen=True)
class Choice:
    """A sheet to import, how to read it, and how many rows at its top are a banner."""

    sheet: str
    config: ConfigImportacion
    start_row: int = 0


def folder(proveedor: Proveedor) -> Path:
    """Return the supplier's folder, made if need be."""
    path = Path(settings.DATA_DIR) / "importaciones" / proveedor.abreviatura
    path.mkdir(parents=True, exist_ok=True)
    return path


def upload_folder(proveedor: Proveedor) -> Path:
    """Return the folder of the supplier's uploads that wait for somebody to choose their sheets."""
    path = folder(proveedor) / "subidas"
    path.mkdir(exist_ok=True)
    return path


def keep(proveedor: Proveedor, name: str, chunks: Iterable[bytes]) -> Upload:
    """Store an upload and tell its type from its content; raise UnreadableFile if it is none of ours."""
    place = upload_folder(proveedor)
    tidy(place)
    arriving = place / f"{uuid.uuid4().hex}.part"
    try:
        sha256, size = store(arriving, chunks)
        upload = Upload(f"{arriving.stem}.{kind_of(arriving)}", shown(name), sha256, size)
        arriving.with_suffix(".json").write_text(json.dumps(asdict(upload)), encoding="utf-8")
        arriving.rename(place / upload.file)
    finally:
        arriving.unlink(missing_ok=True)
    return upload


def store(path: Path, chunks: Iterable[bytes]) -> tuple[str, int]:
    """Write the bytes and return their SHA-256 and how many they are; refuse more than MAX_BYTES."""
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > MAX_BYTES:
                raise UnreadableFile("too_large")
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest(), size


def shown(name: str) -> str:
    """Reduce a client's file name to something that can be shown."""
    return parsing.text(re.split(r"[\\/]", name)[-1])[-255:]


def kind_of(path: Path) -> str:
    """Tell a file's type, with errors for people."""
    try:
        return reading.kind_of(path)
    except reading.ReadError as error:
        raise UnreadableFile(error.problem, error.row) from error


def tidy(place: Path, now: float | None = None) -> int:
    """Delete uploads that nobody confirmed within a day; return how many files went."""
    before = (now or time.time()) - FORGOTTEN
    gone = 0
    for path in place.iterdir():
        with suppress(FileNotFoundError):  # another upload has just been renamed, or somebody tidies as well
            if path.stat().st_mtime < before:
                path.unlink()
                gone += 1
    return gone


def find(proveedor: Proveedor, file: str) -> Upload:
    """Find a supplier's upload by our name for it; raise UploadNotFound."""
    if not UPLOAD_NAME.fullmatch(file):
        raise UploadNotFound(file)
    try:
        note = (upload_folder(proveedor) / file).with_suffix(".json").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UploadNotFound(file) from None
    return Upload(**json.loads(note))


def path_of(proveedor: Proveedor, upload: Upload) -> Path:
    """Return where an upload stands on disk."""
    return upload_folder(proveedor) / upload.file


def discard(proveedor: Proveedor, upload: Upload) -> None:
    """Delete an upload and the note beside it."""
    path = path_of(proveedor, upload)
    path.unlink(missing_ok=True)
    path.with_suffix(".json").unlink(missing_ok=True)


def inspect(path: Path, rows: int = PREVIEW_ROWS) -> list[SheetPreview]:
    """Show the first rows of every sheet, with the sheet's own row numbers; raise UnreadableFile."""
    sheets = ask({"verb": "inspect", "path": str(path), "rows": rows})
    return [preview(sheet) for sheet in sheets]


def preview(sheet: dict[str, Any]) -> SheetPreview:
    """Square a sheet's first rows up for a table."""
    width = max(map(len, sheet["head"]), default=0)
    texts = [[parsing.text(cell) for cell in row] + [""] * (width - len(row)) for row in sheet["head"]]
    letters = [parsing.column_letters(index) for index in range(width)]
    return SheetPreview(sheet["name"], sheet["hidden"], sheet["rows"], letters, list(enumerate(texts, 1)))


def ask(request: dict[str, Any]) -> Any:
    """Ask the reader process, with errors for people."""
    try:
        return reader_process.ask(request)
    except reading.ReadError as error:
        raise UnreadableFile(error.problem, error.row) from error


def queue_sheets(
    proveedor: Proveedor, upload: Upload, choices: Sequence[Choice], user: Any = None
) -> list[ArchivoPendiente]:
    """Turn each chosen sheet into one CSV and one pending file, all or none, and let the upload go.

    Raises UnreadableFile, also when a chosen sheet has no row below its banner; UploadNotFound when somebody
    else queues, or has queued, the same upload.
    """
    place = folder(proveedor)
    targets = [place / f"{timezone.now():%Y%m%d}-{uuid.uuid4().hex}.csv" for _choice in choices]
    source = path_of(proveedor, upload)
    taken = source.with_name(f"queueing-{source.name}")
    try:
        source.rename(taken)  # of two people who press the button at once, one does this
    except FileNotFoundError:
        raise UploadNotFound(upload.file) from None
    try:
        convert(taken, choices, targets)
        with transaction.atomic():
            archivos = ArchivoPendiente.objects.bulk_create(
                pending(proveedor, upload, choice, target, user)
                for choice, target in zip(choices, targets, strict=True)
            )
    except BaseException:
        for target in targets:
            target.unlink(missing_ok=True)
        taken.rename(source)
        raise
    taken.unlink()
    discard(proveedor, upload)
    return archivos


def convert(path: Path, choices: Sequence[Choice], targets: Sequence[Path]) -> None:
    """Write the chosen sheets as CSVs of ours."""
    sheets = [(choice.sheet, str(target)) for choice, target in zip(choices, targets, strict=True)]
    heights = ask({"verb": "convert", "path": str(path), "sheets": sheets})
    if any(height <= choice.start_row for height, choice in zip(heights, choices, strict=True)):
        raise UnreadableFile("empty_sheet")


def pending(proveedor: Proveedor, upload: Upload, choice: Choice, target: Path, user: Any) -> ArchivoPendiente:
    """Describe one converted sheet."""
    return ArchivoPendiente(
        proveedor=proveedor,
        ruta_csv=target.relative_to(settings.DATA_DIR).as_posix(),
        hoja_origen=choice.sheet,
        config_usada=choice.config,
        nombre_archivo_origen=upload.name,
        start_row=choice.start_row,
        sha256=upload.sha256,
        bytes=upload.bytes,
        uploaded_by=user,
    )


def withdraw(archivo: ArchivoPendiente) -> None:
    """Delete a pending file and its CSV."""
    path = archivo.csv_path
    archivo.delete()
    transaction.on_commit(lambda: path.unlink(missing_ok=True))
