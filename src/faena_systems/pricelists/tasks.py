"""Jobs of the price lists system. A body is a few lines that call a verb."""

from __future__ import annotations

from typing import Any

from celery import current_task

from faena import job
from faena.errors import Invalid
from faena.run import Run

from . import importing, queueing

# How often procesar_pendientes looks whether its files are done; between looks it holds no worker.
LOOK_AGAIN_SECONDS = 2


@job(
    name="importaciones.importar_archivo",
    unique="{archivo_id}",
    limit=1,
    limit_key="proveedor:{proveedor_id}",
    title="{nombre}",
    # A file that cannot be imported is the user's news, not the log's.
    throws=(Invalid,),
)
def importar_archivo(run: Run, archivo_id: int, proveedor_id: int, nombre: str) -> dict[str, Any]:
    """Import one pending file. One at a time per supplier; a file is never imported twice at once."""
    return importing.import_file(run, archivo_id)


@job(name="importaciones.procesar_pendientes", title="importaciones.procesar_pendientes")
def procesar_pendientes(run: Run) -> dict[str, Any]:
    """Import every pending file, each in a job of its own, and return what came of them.

    It never waits inside a worker: it puts itself off until its files are done, so one slot is enough.
    """
    files = run.step("files", queueing.enqueue_waiting)
    if queueing.unfinished(files):
        raise current_task.replace(current_task.s().set(countdown=LOOK_AGAIN_SECONDS))
    return queueing.report(files)
