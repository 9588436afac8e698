from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from faena.ledger import hold
from faena.models import Job
from faena_systems.pricelists import queueing
from faena_systems.pricelists.models import PrecioDeLista
from faena_systems.pricelists.tasks import importar_archivo, procesar_pendientes
from tests.support import inline

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch, ledger):
    monkeypatch.setattr(queueing, "LOOK_AGAIN_SECONDS", 0.01)


def test_a_file_has_one_live_job(queue):
    archivo = queue([["7", "a", 1]])
    assert queueing.enqueue(archivo) == queueing.enqueue(archivo)
    assert Job.objects.get().kwargs["archivo_id"] == archivo.pk
    assert Job.objects.get().title == "made.xlsx · Lista"


def test_files_wait_oldest_first_up_to_a_limit(queue):
    first, second = queue([["7", "a", 1]]), queue([["8", "a", 1]])
    assert queueing.waiting() == [first, second]
    assert queueing.waiting(limit=1) == [first]


def test_a_failed_file_waits_no_more_until_somebody_enqueues_it(queue):
    archivo = queue([["7", "a", "x"]])
    queueing.import_here(archivo)
    assert queueing.waiting() == []
    archivo.refresh_from_db()
    queueing.enqueue(archivo)
    assert queueing.waiting() == [archivo]


def test_a_cancelled_job_leaves_its_reason_with_the_file(queue):
    archivo = queue([["7", "a", 1]])
    hold.cancel(queueing.enqueue(archivo))
    assert queueing.waiting() == []
    archivo.refresh_from_db()
    assert archivo.error


def test_procesar_pendientes_gives_every_file_a_job_and_reports_them_all(queue):
    good, bad = queue([["7", "a", 1], ["8", "b", "x"]]), queue([["9", "c", "x"]])
    asked = procesar_pendientes.delay()
    inline.drain()
    assert Job.objects.get(pk=asked.id).state == "pending"
    inline.make_due()
    inline.drain()
    result = Job.objects.get(pk=asked.id).result
    assert (result["status"], result["procesados"]) == ("con_errores", 1)
    first, second = result["detalles"]
    assert first.items() >= {
        "proveedor_id": good.proveedor_id, "ruta_csv": good.ruta_csv,
        "filas_leidas": 2, "filas_validas": 1, "filas_descartadas": 1,
    }.items()  # fmt: skip
    assert (second["ruta_csv"], second["estado"], second["filas_leidas"]) == (bad.ruta_csv, "failed", 0)
    assert second["error"].startswith("None of the 1 rows")
    assert Job.objects.filter(kind=importar_archivo.name).count() == 2


def test_procesar_pendientes_with_nothing_to_do_is_content(db):
    asked = procesar_pendientes.delay()
    inline.drain()
    assert Job.objects.get(pk=asked.id).result == {"status": "ok", "procesados": 0, "detalles": []}


def script(**options):
    out = StringIO()
    try:
        call_command("procesar_pendientes_script", stdout=out, **options)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


def test_the_script_imports_without_a_worker(queue):
    archivo = queue([["7", "a", 1]])
    out, error = script()
    assert (error, PrecioDeLista.objects.count()) == ("", 1)
    assert archivo.ruta_csv[:20] in out
    assert "1 files imported." in out
    assert not archivo.csv_path.exists()


def test_the_script_takes_over_what_waits_for_a_worker(queue):
    archivo = queue([["7", "a", 1]])
    job_id = queueing.enqueue(archivo)
    script()
    assert Job.objects.get(pk=job_id).state == "completed"
    assert inline.drain() == 1
    assert Job.objects.count() == 1


def test_the_script_fails_if_a_file_does_and_imports_the_others(queue):
    queue([["7", "a", "x"]])
    queue([["8", "b", 2]])
    out, error = script()
    assert "1 files imported." in out
    assert error == "1 files were not imported."
    assert PrecioDeLista.objects.count() == 1


def test_the_script_heeds_its_limit(queue):
    queue([["7", "a", 1]])
    second = queue([["8", "b", 2]])
    script(limit=1)
    assert queueing.waiting() == [second]


def test_two_imports_of_one_supplier_never_run_together(queue):
    first, second = queue([["7", "a", 1]]), queue([["8", "b", 2]])
    assert hold_of(queueing.enqueue(first))
    waiting = queueing.enqueue(second)
    calling = {"archivo_id": second.pk, "proveedor_id": second.proveedor_id, "nombre": ""}
    queueing.run_waiting_job(importar_archivo, waiting, calling)
    assert Job.objects.get(pk=waiting).state == "pending"


def hold_of(job_id: UUID):
    from faena.ledger.claim import claim

    return claim(job_id, 0, worker="other", holder="other|1|1", limited=True)
