"""Pending files and their jobs: enqueue one, enqueue all, say what came of them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from celery import Task
from django.db import transaction

from faena.celery import holding
from faena.celery.heartbeat import Heartbeat
from faena.duties.reap import reap_once
from faena.errors import AlreadyLive
from faena.models import Job
from faena.states import State

from .models import ArchivoPendiente

ENDED = (State.COMPLETED, State.COMPLETED_WITH_ERRORS, State.FAILED, State.CANCELLED)
GAVE_UP = (State.FAILED, State.CANCELLED)
LOOK_AGAIN_SECONDS = 1
NO_ROWS = {"filas_leidas": 0, "filas_validas": 0, "filas_descartadas": 0}


def enqueue(archivo: ArchivoPendiente) -> UUID:
    """Enqueue the import of one file and return its job's id; while that job lives it is the same one.

    A file that failed before gets a new job.
    """
    from .tasks import importar_archivo

    with transaction.atomic():
        job = importar_archivo.delay(archivo_id=archivo.pk, proveedor_id=archivo.proveedor_id, nombre=archivo.title)
        archivo.job_id, archivo.error = UUID(job.id), ""
        ArchivoPendiente.objects.filter(pk=archivo.pk).update(job_id=archivo.job_id, error="")
    return archivo.job_id


def waiting(limit: int | None = None) -> list[ArchivoPendiente]:
    """Return the files to import, oldest first: neither imported nor failed, whoever noticed the failure."""
    archivos = list(ArchivoPendiente.objects.filter(procesado=False, error="").order_by("fecha_subida", "pk"))
    # A job that ended without its body, cancelled or after too many crashes, could not leave its reason.
    ended = Job.objects.filter(pk__in=[a.job_id for a in archivos if a.job_id], state__in=GAVE_UP)
    reasons = {job.pk: reason(job) for job in ended}
    for archivo in archivos:
        if archivo.job_id in reasons:
            ArchivoPendiente.objects.filter(pk=archivo.pk).update(error=reasons[archivo.job_id])
    return [archivo for archivo in archivos if archivo.job_id not in reasons][:limit]


def reason(job: Job) -> str:
    """Say why a job ended without importing its file."""
    error: Any = job.error or {}
    return error.get("message") or str(job.get_state_display())


def enqueue_waiting(limit: int | None = None) -> list[str]:
    """Enqueue a job for every file that waits, oldest first; return the jobs' ids as text."""
    return [str(enqueue(archivo)) for archivo in waiting(limit)]


def import_here(archivo: ArchivoPendiente) -> dict[str, Any]:
    """Import a file in this process, with no worker, and say what came of it as in ``report``.

    It is the same job under the same guards: what a worker already does is waited for, and what a process began
    that is gone is gone on with.
    """
    from .tasks import importar_archivo

    calling = {"archivo_id": archivo.pk, "proveedor_id": archivo.proveedor_id, "nombre": archivo.title}
    try:
        job_id = UUID(importar_archivo.run_now(**calling).id)
    except AlreadyLive as live:
        job_id = live.job_id
    while unfinished([str(job_id)]):
        # Where no worker runs, nobody else takes the job back from a command that was killed.
        reap_once()
        run_waiting_job(importar_archivo, job_id, calling)
        time.sleep(LOOK_AGAIN_SECONDS if unfinished([str(job_id)]) else 0)
    return detail(Job.objects.get(pk=job_id))


def run_waiting_job(task: Task, job_id: UUID, calling: dict[str, Any]) -> None:
    """Run a job that may wait for a worker; nothing happens if a worker has it or its limit is full."""
    with Heartbeat(lambda: [job_id], holding.worker()), holding.running_here(str(job_id)):
        task.apply(kwargs=calling, task_id=str(job_id), throw=False)


def unfinished(job_ids: Sequence[str]) -> bool:
    """Tell whether any of the jobs will still go on by itself; a paused one will not."""
    done = [*ENDED, State.PAUSED]
    return Job.objects.filter(pk__in=job_ids).exclude(state__in=done).exists()


def report(job_ids: Iterable[str]) -> dict[str, Any]:
    """Say what came of the jobs: {status, procesados, detalles: [{proveedor_id, ruta_csv, filas_…}]}.

    ``status`` is ``ok``, or ``con_errores`` when a file was not imported; such a file's detail says why.
    """
    jobs = Job.objects.in_bulk([UUID(job_id) for job_id in job_ids])
    return summary([detail(jobs[UUID(job_id)]) for job_id in job_ids if UUID(job_id) in jobs])


def summary(details: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Put the files' details under their status and number."""
    good = sum("error" not in each for each in details)
    return {
        "status": "ok" if good == len(details) else "con_errores",
        "procesados": good,
        "detalles": details,
    }


def detail(job: Job) -> dict[str, Any]:
    """Return a job's result, or who it was and why there is none."""
    result: Any = job.result
    if result:
        return {**result, "job_id": str(job.pk)}
    asked: Any = job.kwargs
    archivo = ArchivoPendiente.objects.filter(pk=asked.get("archivo_id")).first()
    return {
        "proveedor_id": asked.get("proveedor_id"),
        "ruta_csv": archivo.ruta_csv if archivo else "",
        **NO_ROWS,
        "job_id": str(job.pk),
        "estado": job.state,
        "error": reason(job),
    }
