"""What pages and commands read. Every list has a ceiling."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import dropwhile, islice
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from faena.models import Job, JobItem
from faena.states import ItemState

from . import parsing
from .models import ArchivoPendiente, PrecioDeLista, Proveedor
from .rows import Rejection

CEILING = 200
IMPORT = "importaciones.importar_archivo"


@dataclass(frozen=True)
class File:
    """A pending or imported file and the latest job that took care of it."""

    archivo: ArchivoPendiente
    job: Job | None

    @property
    def error(self) -> str:
        """Why it failed, or nothing."""
        if self.archivo.error or self.job is None or self.archivo.procesado:
            return self.archivo.error
        error: Any = self.job.error or {}
        return error.get("message", "") if self.job.is_finished else ""


@dataclass(frozen=True)
class ImportResult:
    """One import: rows read, rejected, repeated, and prices created, updated, unchanged."""

    job: Job
    archivo: ArchivoPendiente | None
    read: int
    valid: int
    rejected: int
    repeated: int
    created: int
    updated: int
    unchanged: int


@dataclass(frozen=True)
class RepeatedRow:
    """A row that gave way to a later one with the same code."""

    number: int
    codigo: str
    by: int


def suppliers(ceiling: int = CEILING) -> list[Proveedor]:
    """Return the suppliers by name."""
    return list(Proveedor.objects.all()[:ceiling])


def pending(proveedor: Proveedor | None = None, ceiling: int = CEILING) -> list[File]:
    """Return the files that are not imported, failed ones too, oldest first."""
    archivos = ArchivoPendiente.objects.filter(procesado=False).order_by("fecha_subida", "pk")
    return files(archivos.filter(proveedor=proveedor) if proveedor else archivos, ceiling)


def latest(proveedor: Proveedor | None = None, ceiling: int = 50) -> list[File]:
    """Return the files imported last, newest first."""
    archivos = ArchivoPendiente.objects.filter(procesado=True).order_by("-fecha_subida", "-pk")
    return files(archivos.filter(proveedor=proveedor) if proveedor else archivos, ceiling)


def files(archivos: QuerySet[ArchivoPendiente], ceiling: int) -> list[File]:
    """Put the jobs next to their files, in two queries."""
    found = list(archivos.select_related("proveedor", "config_usada", "uploaded_by")[:ceiling])
    jobs = Job.objects.in_bulk([archivo.job_id for archivo in found if archivo.job_id])
    return [File(archivo, jobs.get(archivo.job_id)) for archivo in found]


def import_result(job_id: UUID) -> ImportResult | None:
    """Return what came, or has come so far, of one import; nothing if there is no such import."""
    job = Job.objects.filter(pk=job_id, kind=IMPORT).first()
    if job is None:
        return None
    asked: Any = job.kwargs
    archivo = ArchivoPendiente.objects.select_related("proveedor").filter(pk=asked.get("archivo_id")).first()
    cursor: Any = job.cursor or {}
    counts: Any = job.result or cursor.get("own", {})
    return ImportResult(
        job=job,
        archivo=archivo,
        read=counts.get("filas_leidas", job.total or 0),
        valid=counts.get("filas_validas", job.done + job.skipped),
        rejected=counts.get("filas_descartadas", job.failed),
        repeated=counts.get("filas_repetidas", job.skipped),
        created=counts.get("creadas", 0),
        updated=counts.get("actualizadas", 0),
        unchanged=counts.get("sin_cambios", 0),
    )


def rejected(job_id: UUID, *, after: int = 0, ceiling: int | None = CEILING) -> list[Rejection]:
    """Return the rows an import refused, in the order of the sheet; ``after`` is the last row of the page before."""
    return list(iter_rejected(job_id, after=after, ceiling=ceiling))


def iter_rejected(job_id: UUID, *, after: int = 0, ceiling: int | None = None) -> Iterator[Rejection]:
    """Stream the rows an import refused; only a download asks for all of them."""
    items = JobItem.objects.filter(job_id=job_id, state=ItemState.FAILED).order_by("id")
    outputs: Iterator[Any] = items.values_list("output", flat=True).iterator(chunk_size=1000)
    # Items were written in the order of the sheet, so the ids are in its order too.
    rest = dropwhile(lambda output: output["number"] <= after, outputs)
    return (Rejection(**output) for output in islice(rest, ceiling))


def repeated(job_id: UUID, ceiling: int = CEILING) -> list[RepeatedRow]:
    """Return the rows that gave way to a later one with the same code."""
    items = JobItem.objects.filter(job_id=job_id, state=ItemState.SKIPPED).order_by("id")
    outputs: Iterable[Any] = items.values_list("output", flat=True)[:ceiling]
    return [RepeatedRow(**output) for output in outputs]


def prices(proveedor: Proveedor, search: str = "", *, offset: int = 0, ceiling: int = 100) -> list[PrecioDeLista]:
    """Return a page of a supplier's list by code; every word of ``search`` stands in code, description or brand.

    A word may also be a whole code as the supplier writes it, such as ``00123`` for ``123/``.
    """
    found = PrecioDeLista.objects.filter(proveedor=proveedor).select_related("proveedor").order_by("codigo")
    for word in search.split()[:8]:
        meant = Q(codigo=normalised_code(word)) | Q(codigo__icontains=word)
        found = found.filter(meant | Q(descripcion__icontains=word) | Q(marca__icontains=word))
    return list(found[offset : offset + ceiling])


def normalised_code(word: str) -> str:
    """Return a word as imports write it where it is a code."""
    try:
        return parsing.code(word)
    except parsing.BadCell:
        return word
