"""One import's page and its download."""

from io import BytesIO
from uuid import uuid4

import openpyxl
import pytest
from django.utils import timezone

from faena.models import Job
from faena_systems.pricelists import queueing

from .conftest import url

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = [
    ["7", "Llave francesa", 100.0],
    ["8", "", 5.0],
    ["9", "Pinza", "consultar"],
    ["10", "<script>alert(1)</script>", "+HYPERLINK(1)"],
    ["7", "Llave francesa", 110.0],
]


def numbers(answer):
    return [row.number for row in answer.context["rejected"].rows]


def test_counts_and_rejected_rows_with_their_place(web, imported):
    archivo = imported(ROWS)
    answer = web.get(url("resultado", archivo.job_id))
    result = answer.context["result"]
    assert (result.read, result.created, result.repeated, result.rejected) == (5, 1, 1, 3)
    first = answer.context["rejected"].rows[0]
    assert tuple(first) == (2, "B", "descripcion", "", "it is blank", None)
    assert "it is not a price" in answer.text
    assert "Row that counts" in answer.text
    assert f"/jobs/{archivo.job_id}/" in answer.text
    assert "<script>alert" not in answer.text
    assert "data-poll" not in answer.text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"field": "precio"}, [3, 4]),
        ({"field": "descripcion"}, [2]),
        ({"q": "CONSULTAR"}, [3]),
        ({"q": "blank"}, [2]),
        ({"field": "precio", "q": "blank"}, []),
        ({"page": "2"}, []),
        ({"page": "-1"}, [2, 3, 4]),
        ({"page": "٣"}, [2, 3, 4]),
        ({"page": "9" * 50}, [2, 3, 4]),
    ],
)
def test_rejected_rows_are_filtered_and_paged(web, imported, query, expected):
    assert numbers(web.get(url("resultado", imported(ROWS).job_id), query)) == expected


def test_a_hundred_rows_a_page(web, imported):
    job_id = imported([["7", "Clavo", 5], *[[str(n), "Clavo", "x"] for n in range(100, 350)]]).job_id
    pages = [numbers(web.get(url("resultado", job_id), {"page": page})) for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [100, 100, 50]
    assert [number for page in pages for number in page] == list(range(2, 252))


def test_a_live_import_polls_itself_and_stops_in_the_end(web, pending):
    archivo = pending()
    job_id = queueing.enqueue(archivo)
    live = web.get(url("resultado", job_id), headers={"HX-Request": "true"}).text
    assert 'data-poll="1000"' in live
    assert "<html" not in live
    queueing.import_here(archivo)
    done = web.get(url("resultado", job_id), headers={"HX-Request": "true"}).text
    assert "data-poll" not in done
    assert "Every row could be used" in done


def test_a_failed_import_says_why_and_what_to_do(web, pending):
    archivo = pending([["7", "Clavo", "consultar"]])
    queueing.import_here(archivo)
    archivo.refresh_from_db()
    page = web.get(url("resultado", archivo.job_id)).text
    assert "None of the 1 rows can be used" in page
    assert "Mend it and try again" in page


def test_why_an_import_was_cancelled_is_told_in_the_language_of_the_page(web, pending, settings):
    settings.LANGUAGE_CODE = "es"
    archivo = pending()
    job_id = queueing.enqueue(archivo)
    error = {"type": "Cancelled", "message": "Cancelled while it ran."}
    Job.objects.update(state="cancelled", error=error, finished=timezone.now())
    for page in (url("resultado", job_id), url("confirmar", archivo.proveedor_id), url("inicio")):
        text = web.get(page).text
        assert ("Se canceló mientras corría." in text, "Cancelled while" in text) == (True, False)


def test_the_download_holds_counts_and_rows_as_plain_text(web, imported):
    answer = web.get(url("report", imported(ROWS, name="Lista 1º (ñandú).xlsx").job_id))
    assert answer["Content-Disposition"] == 'attachment; filename="resultado-lista-1o-nandu-xlsx-lista.xlsx"'
    assert answer["Content-Type"].endswith("spreadsheetml.sheet")
    book = openpyxl.load_workbook(BytesIO(b"".join(answer.streaming_content)))
    assert [row[1].value for row in book["Result"].iter_rows(min_row=2)] == [5, 1, 0, 0, 3, 1]
    rows = [[cell.value for cell in row] for row in book["Rejected rows"].iter_rows(min_row=2)]
    assert rows[1] == [3, "C", "Price", "consultar", "it is not a price"]
    assert (rows[2][3], book["Rejected rows"]["D4"].data_type) == ("+HYPERLINK(1)", "s")


def test_what_is_no_import_is_not_found(web, make_job):
    other = make_job(kind="tests.nothing")
    for name in ("resultado", "report"):
        assert web.get(url(name, uuid4())).status_code == 404
        assert web.get(url(name, other)).status_code == 404


def test_a_result_outlives_its_file(web, imported):
    archivo = imported(ROWS)
    job_id = archivo.job_id
    archivo.delete()
    assert web.get(url("resultado", job_id)).status_code == 200
    assert web.get(url("report", job_id)).status_code == 200


def test_reasons_are_told_in_the_language_of_the_reader(web, imported, settings):
    job_id = imported([["7", "Clavo", 5], ["8", "x" * 501, 5], ["9", "Pinza", "consultar"]]).job_id
    settings.LANGUAGE_CODE = "es"
    page = web.get(url("resultado", job_id))
    for text in ("tiene más de 500 caracteres", "no es un precio", "Descripción"):
        assert text in page.text
    assert numbers(web.get(url("resultado", job_id), {"q": "no es un precio"})) == [3]
    book = openpyxl.load_workbook(BytesIO(b"".join(web.get(url("report", job_id)).streaming_content)))
    assert [row[4].value for row in book.worksheets[1].iter_rows(min_row=2)][1] == "no es un precio"
