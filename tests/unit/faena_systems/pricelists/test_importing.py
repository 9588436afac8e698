"""Whole imports as jobs in this process; ``run_now`` claims, runs and settles as a worker does."""

from contextlib import suppress
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import InterfaceError, OperationalError

from faena.errors import LeaseLost
from faena.ledger import hold
from faena.models import Job
from faena_sandbox import pricelists as sandbox
from faena_systems.pricelists import importing, queries, queueing
from faena_systems.pricelists.models import ArticuloProveedor, PrecioDeLista
from faena_systems.pricelists.tasks import importar_archivo

pytestmark = pytest.mark.django_db(transaction=True)


def run(archivo):
    done = importar_archivo.run_now(archivo.pk, archivo.proveedor_id, archivo.title)
    archivo.refresh_from_db()
    return Job.objects.get(pk=done.id)


def prices():
    return dict(PrecioDeLista.objects.values_list("codigo", "precio"))


def test_a_file_is_imported(queue, tmp_path):
    made = sandbox.write_xlsx(tmp_path / "l.xlsx", 400, bad=20)
    archivo = queue(tmp_path / "l.xlsx", start_row=made.start_row)
    job = run(archivo)
    assert job.state == "completed_with_errors"
    assert job.result == {
        "proveedor_id": archivo.proveedor_id,
        "ruta_csv": archivo.ruta_csv,
        "filas_leidas": 400,
        "filas_validas": 380,
        "filas_descartadas": 20,
        "filas_repetidas": 0,
        "creadas": 380,
        "actualizadas": 0,
        "sin_cambios": 0,
    }
    assert (archivo.procesado, archivo.job_id, archivo.csv_path.exists()) == (True, job.pk, False)
    assert PrecioDeLista.objects.count() == ArticuloProveedor.objects.count() == 380


def test_importing_the_same_list_again_changes_nothing(queue, tmp_path):
    sandbox.write_xlsx(tmp_path / "l.xlsx", 50)
    run(queue(tmp_path / "l.xlsx", start_row=14))
    result = run(queue(tmp_path / "l.xlsx", start_row=14)).result
    assert (result["creadas"], result["actualizadas"], result["sin_cambios"]) == (0, 0, 50)


def test_a_rejected_row_is_an_item_with_the_sheets_row_number(queue):
    archivo = queue(
        [["Banner"], [], ["código", "desc", "precio"], ["7", "Tornillo", 5], [], ["8", "Clavo", "1e3"]], start_row=3
    )
    job = run(archivo)
    assert [tuple(each) for each in queries.rejected(job.pk)] == [(6, "C", "precio", "1e3", "it is not a price", None)]
    [item] = job.items.all()
    assert (item.key, item.state) == ("6", "failed")
    assert item.message == "C6 Price “1e3”: it is not a price"


@pytest.mark.parametrize(
    ("column", "read"),
    [
        (["$ 10,00", "U$S 45,00", 20.0, "€ 3"], {"0/": Decimal(10), "2/": Decimal(20)}),
        (["U$S 10,00", "u$s 45,00", "USD 2", "sin stock"], {"0/": Decimal(10), "1/": Decimal(45), "2/": Decimal(2)}),
    ],
)
def test_a_price_in_another_currency_than_the_columns_is_refused(queue, column, read):
    job = run(queue([[str(row), "Tornillo", price] for row, price in enumerate(column)]))
    assert prices() == read
    assert (job.result["filas_validas"], job.result["filas_descartadas"]) == (len(read), 4 - len(read))


def test_of_rows_with_one_code_the_last_good_one_wins_across_chunks(queue, monkeypatch):
    monkeypatch.setattr(importing, "CHUNK", 2)
    rows = [["7", "a", 1], ["8", "b", 2], ["9", "c", 3], ["7", "d", 4], ["007/", "e", "x"], ["8", "f", 5]]
    job = run(queue(rows))
    assert prices() == {"7/": Decimal(4), "8/": Decimal(5), "9/": Decimal(3)}
    assert job.result["filas_repetidas"] == 2
    assert job.result["creadas"] == 3
    assert queries.repeated(job.pk) == [queries.RepeatedRow(1, "7/", 4), queries.RepeatedRow(2, "8/", 6)]
    assert (job.done, job.failed, job.skipped, job.total) == (3, 1, 2, 6)


def test_number_cells_are_never_ambiguous(queue):
    run(queue([["7", "a", 1.234], ["8", "b", "1.234"], ["9", "c", "12,50"]]))
    assert prices() == {"7/": Decimal("1.23"), "8/": Decimal(1234), "9/": Decimal("12.50")}


@pytest.mark.parametrize(
    ("rows", "start_row", "reason"),
    [
        ([["7", "a", "x"], ["8", "", 5]], 0, "None of the 2 rows can be used"),
        ([["7", "a", 5], ["", "", "", "", "", "", "Duke"]], 1, "There are no rows"),
    ],
)
def test_a_file_without_a_usable_row_fails_with_its_reason(queue, rows, start_row, reason):
    archivo = queue(rows, start_row=start_row)
    job = run(archivo)
    assert job.state == "failed"
    assert job.error["message"].startswith(reason)
    assert archivo.error == job.error["message"]
    assert not archivo.procesado
    assert not job.items.exists()


def test_a_damaged_csv_fails_alone(queue):
    bad, good = queue([["7", "a", 1]]), queue([["8", "b", 2]])
    bad.csv_path.write_bytes(b'"7","a",1\n"8","\xff')
    assert run(bad).error["message"].startswith("The file is damaged")
    assert run(good).state == "completed"
    assert prices() == {"8/": 2}


def test_a_missing_csv_or_configuration_is_said(queue, config):
    gone, unconfigured = queue([["7", "a", 1]]), queue([["7", "a", 1]])
    gone.csv_path.unlink()
    assert "upload the spreadsheet again" in run(gone).error["message"]
    config.delete()
    assert "configuration of this file was deleted" in run(unconfigured).error["message"]


def test_a_deleted_file_fails_its_job(queue):
    archivo = queue([["7", "a", 1]])
    done = importar_archivo.run_now(archivo.pk + 1, archivo.proveedor_id, "x")
    assert Job.objects.get(pk=done.id).error["message"] == "The pending file was deleted."


def test_a_file_is_never_imported_twice(queue):
    archivo = queue([["7", "a", 1]])
    run(archivo)
    job = run(archivo)
    assert job.state == "failed"
    assert (archivo.procesado, archivo.error) == (True, "")


def retry(job, archivo):
    hold.retry(job.pk)
    calling = {"archivo_id": archivo.pk, "proveedor_id": archivo.proveedor_id, "nombre": ""}
    queueing.run_waiting_job(importar_archivo, job.pk, calling)
    job.refresh_from_db()
    archivo.refresh_from_db()


def test_a_retry_takes_the_configuration_that_was_put_right(queue, config):
    archivo = queue([["x", "7", "Tornillo", 5]])
    job = run(archivo)
    assert job.state == "failed"
    config.col_codigo, config.col_descripcion, config.col_precio = "BCD"
    config.save()
    retry(job, archivo)
    assert (job.state, archivo.error, prices()) == ("completed", "", {"7/": 5})


def test_a_running_import_keeps_the_configuration_it_began_with(queue, config, monkeypatch):
    monkeypatch.setattr(importing, "CHUNK", 1)
    archivo = queue([["7", "a", 5], ["8", "b", 6]])
    real, calls = importing.apply_chunk, []

    def crashing(*args):
        calls.append(args)
        if len(calls) == 2:
            raise Crash
        real(*args)

    monkeypatch.setattr(importing, "apply_chunk", crashing)
    job = run(archivo)
    config.delete()
    retry(job, archivo)
    assert (job.state, prices()) == ("completed", {"7/": 5, "8/": 6})


class Crash(Exception):
    pass


def test_after_a_crash_between_chunks_the_job_goes_on_where_it_was(queue, monkeypatch, tmp_path):
    monkeypatch.setattr(importing, "CHUNK", 10)
    sandbox.write_xlsx(tmp_path / "l.xlsx", 60, bad=6)
    archivo = queue(tmp_path / "l.xlsx", start_row=14)
    real, calls = importing.apply_chunk, []

    def crashing(*args):
        calls.append(args)
        real(*args)
        if len(calls) == 3:
            raise Crash

    monkeypatch.setattr(importing, "apply_chunk", crashing)
    job = run(archivo)
    assert (job.state, job.done + job.failed, archivo.error) == ("failed", 20, "Crash")
    assert PrecioDeLista.objects.count() == job.done
    retry(job, archivo)
    assert (job.state, job.result["creadas"], archivo.error) == ("completed_with_errors", 54, "")
    assert len(calls) == 3 + 4
    assert len(queries.rejected(job.pk)) == 6
    assert PrecioDeLista.objects.count() == 54


@pytest.mark.parametrize("error", [LeaseLost(uuid4()), OperationalError("gone away"), InterfaceError("closed")])
def test_a_worker_that_lost_its_job_or_the_database_writes_no_reason(queue, monkeypatch, error):
    archivo = queue([["7", "a", 1]])

    def fails(run, archivo):
        raise error

    monkeypatch.setattr(importing, "import_rows", fails)
    with suppress(type(error)):
        run(archivo)
    archivo.refresh_from_db()
    assert (archivo.procesado, archivo.error) == (False, "")


def test_a_processed_file_has_no_reason_left_over(queue, monkeypatch):
    archivo = queue([["7", "a", 1]])
    real = importing.apply_chunk

    def late(*args):
        real(*args)
        type(archivo).objects.update(error="a stale worker's")

    monkeypatch.setattr(importing, "apply_chunk", late)
    run(archivo)
    assert (archivo.procesado, archivo.error) == (True, "")
