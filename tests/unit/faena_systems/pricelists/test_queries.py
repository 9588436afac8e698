from uuid import uuid4

import openpyxl
import pytest

from faena.models import Job
from faena_systems.pricelists import queries, queueing, report

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = [
    ["7", "Llave francesa", 100.0, "", "", "", "Duke"],
    ["8", "Llave inglesa", 5.0],
    ["9", "=1+1", "x"],
    ["9", "d", "y"],
]


@pytest.fixture
def imported(queue):
    archivo = queue(ROWS)
    queueing.import_here(archivo)
    archivo.refresh_from_db()
    return archivo


def test_pending_and_latest_files_come_with_their_jobs(queue, imported, proveedor):
    waiting, failed = queue(ROWS[:1]), queue(ROWS[2:])
    queueing.import_here(failed)
    found = queries.pending(proveedor)
    assert [(each.archivo, bool(each.job), bool(each.error)) for each in found] == [
        (waiting, False, False),
        (failed, True, True),
    ]
    [done] = queries.latest()
    assert (done.archivo, done.job.pk, done.error) == (imported, imported.job_id, "")


def test_the_result_of_an_import(imported):
    result = queries.import_result(imported.job_id)
    assert result.archivo == imported
    assert (result.read, result.valid, result.rejected, result.created, result.unchanged) == (4, 2, 2, 2, 0)
    assert queries.import_result(uuid4()) is None


def test_rejected_rows_come_page_by_page(imported):
    [first] = queries.rejected(imported.job_id, ceiling=1)
    [second] = queries.rejected(imported.job_id, after=first.number)
    assert (first.number, first.value, second.number, second.value) == (3, "x", 4, "y")


def test_prices_are_searched_by_words(imported, proveedor):
    def codes(search):
        return [price.codigo for price in queries.prices(proveedor, search)]

    assert codes("llave") == ["7/", "8/"]
    assert codes("LLAVE duke") == ["7/"]
    assert codes("nada") == []
    assert codes("0007") == codes("7/") == ["7/"]  # imported so from 0007
    assert [price.codigo for price in queries.prices(proveedor, offset=1, ceiling=1)] == ["8/"]


def test_prices_for_sale_follow_the_supplier(imported, proveedor):
    [price] = queries.prices(proveedor, "francesa")
    sale = (price.precio_base, price.precio_final, price.precio_efectivo, price.precio_bulto)
    assert [str(each) for each in sale] == ["121.00", "181.50", "163.35", "172.43"]


def test_the_report_lists_counts_and_refused_rows_and_runs_no_formula(imported, tmp_path):
    assert report.write_report(imported.job_id, tmp_path / "r.xlsx") == 2
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    counts, rejected = book.worksheets
    assert [cell.value for cell in counts["B"]][1:] == [4, 2, 0, 0, 2, 0]
    assert [cell.value for cell in rejected[2]] == [3, "C", "Price", "x", "it is not a price"]
    assert {cell.data_type for row in rejected.iter_rows(min_row=2) for cell in row} == {"n", "s"}


def test_a_report_of_nothing_is_refused(db, tmp_path):
    with pytest.raises(LookupError):
        report.write_report(uuid4(), tmp_path / "r.xlsx")


def test_formulas_in_a_suppliers_cells_stay_texts(queue, tmp_path):
    archivo = queue([["7", "a", 1], ["8", "b", "=HYPERLINK(1)"], ["9", "c", "+1+1"]])
    queueing.import_here(archivo)
    job = Job.objects.get()
    report.write_report(job.pk, tmp_path / "r.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx").worksheets[1]
    assert {sheet["D2"].data_type, sheet["D3"].data_type} <= {"s", "n"}
