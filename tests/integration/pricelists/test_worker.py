"""What people do from a second terminal, with a real worker of one slot."""

from __future__ import annotations

import ast

import pytest

from faena.models import Job
from faena_sandbox import pricelists as sandbox
from faena_systems.pricelists import queueing
from faena_systems.pricelists.models import PrecioDeLista
from tests.support.waiting import eventually


@pytest.fixture
def worker(shop):
    started = shop.worker(concurrency=1)
    yield started
    started.stop()


def test_call_and_result_of_procesar_pendientes(shop, worker, tmp_path):
    sandbox.write_xlsx(tmp_path / "a.xlsx", 300, bad=3)
    proveedor = shop.supplier("CALL")
    first, second = shop.upload(proveedor, tmp_path / "a.xlsx"), shop.upload(proveedor, tmp_path / "a.xlsx")
    as_documented = {"app": "core_config"}
    job_id = shop.celery("call", "importaciones.procesar_pendientes", **as_documented).split()[-1]
    result = ast.literal_eval(shop.celery("result", job_id, **as_documented))
    assert (result["status"], result["procesados"]) == ("ok", 2)
    assert [detail["ruta_csv"] for detail in result["detalles"]] == [first.ruta_csv, second.ruta_csv]
    assert [detail["filas_descartadas"] for detail in result["detalles"]] == [3, 3]
    assert [detail["creadas"] for detail in result["detalles"]] == [297, 0]
    assert PrecioDeLista.objects.filter(proveedor=proveedor).count() == 297


def test_one_broken_file_fails_alone_and_is_not_tried_again(shop, worker, tmp_path):
    sandbox.write_xlsx(tmp_path / "a.xlsx", 50)
    proveedor = shop.supplier("BAD")
    broken, good = shop.upload(proveedor, tmp_path / "a.xlsx"), shop.upload(proveedor, tmp_path / "a.xlsx")
    broken.csv_path.write_bytes(b"\xff\xff")
    jobs = [queueing.enqueue(archivo) for archivo in (broken, good)]
    assert shop.until(jobs[1], "completed", "failed").state == "completed"
    failed = shop.until(jobs[0], "failed")
    assert (failed.attempt, failed.error["message"][:19]) == (0, "The file is damaged")
    assert queueing.waiting() == []


def test_imports_of_one_supplier_take_turns_and_others_do_not_wait(shop, tmp_path):
    sandbox.write_xlsx(tmp_path / "a.xlsx", 10_000)
    one, two = shop.supplier("ONE"), shop.supplier("TWO")
    jobs = [queueing.enqueue(shop.upload(supplier, tmp_path / "a.xlsx")) for supplier in (one, one, two)]
    worker = shop.worker(concurrency=3)
    shop.until_each(jobs, "completed")
    first, second, other = (Job.objects.get(pk=job_id) for job_id in jobs)
    earlier, later = sorted((first, second), key=lambda job: job.started)
    assert later.started >= earlier.finished
    assert other.started < later.started
    worker.stop()


def test_a_paused_import_goes_on_where_it_stopped(shop, worker, tmp_path):
    from faena.ledger import hold

    sandbox.write_xlsx(tmp_path / "a.xlsx", 40_000)
    job_id = queueing.enqueue(shop.upload(shop.supplier("PAUSE"), tmp_path / "a.xlsx"))
    eventually(lambda: shop.job(job_id).done > 0, what="some rows are done")
    hold.pause(job_id)
    paused = shop.until(job_id, "paused")
    assert 0 < paused.done < 40_000
    hold.resume(job_id)
    done = shop.until(job_id, "completed")
    assert (done.done, done.result["creadas"]) == (40_000, 40_000)
