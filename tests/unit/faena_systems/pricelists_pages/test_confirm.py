"""The pending list: look, mend, delete, import."""

from uuid import UUID

import pytest

from faena.models import AuditEntry, Job
from faena_systems.pricelists import queueing
from faena_systems.pricelists.models import ArchivoPendiente, ConfigImportacion

from .conftest import INICIO, url

pytestmark = pytest.mark.django_db(transaction=True)

BAD = [["7", "Clavo", "consultar"]]


def test_the_list_shows_what_waits(web, pending, proveedor):
    pending(start_row=0)
    page = web.get(url("confirmar", proveedor.pk)).text
    assert "lista.xlsx" in page
    assert "de siempre" in page
    assert "Import now" in page


def test_nothing_waits(web, proveedor):
    assert "Nothing waits for this supplier" in web.get(url("confirmar", proveedor.pk)).text


def test_import_now_enqueues_one_job_per_file(web, pending, proveedor):
    files = [pending(), pending(), pending()]
    answer = web.post(url("confirmar", proveedor.pk), follow=True)
    assert answer.redirect_chain == [(INICIO, 302)]
    assert "3 imports started." in answer.text
    jobs = Job.objects.filter(kind="importaciones.importar_archivo")
    assert sorted(job.kwargs["archivo_id"] for job in jobs) == sorted(archivo.pk for archivo in files)
    assert {archivo.job_id for archivo in ArchivoPendiente.objects.all()} == {job.pk for job in jobs}


def test_one_file_leads_to_its_own_result(web, pending, proveedor):
    pending()
    answer = web.post(url("confirmar", proveedor.pk))
    assert answer["Location"] == url("resultado", Job.objects.get().pk)


def test_who_imports_and_deletes_is_written_down(web, pending, proveedor):
    imported, deleted = pending(), pending()
    web.post(url("withdraw", deleted.pk))
    web.post(url("confirmar", proveedor.pk))
    imported.refresh_from_db()
    entries = AuditEntry.objects.order_by("id").values_list("actor", "action", "job_id", "address")
    assert list(entries) == [
        ("olga", "withdraw", None, "127.0.0.1"),
        ("olga", "import", imported.job_id, "127.0.0.1"),
    ]


def test_a_second_click_enqueues_nothing(web, pending, proveedor):
    pending()
    web.post(url("confirmar", proveedor.pk))
    assert "There was nothing left to import." in web.post(url("confirmar", proveedor.pk), follow=True).text
    assert Job.objects.count() == 1


def test_only_this_suppliers_files_are_imported(web, pending, proveedor):
    archivo = pending()
    other = type(proveedor).objects.create(nombre="Otro", abreviatura="OTRO")
    ArchivoPendiente.objects.create(proveedor=other, ruta_csv="x.csv")
    web.post(url("confirmar", proveedor.pk))
    assert [job.kwargs["archivo_id"] for job in Job.objects.all()] == [archivo.pk]


def test_the_live_part_polls_while_a_job_lives(web, pending, proveedor):
    address = url("confirmar", proveedor.pk)
    pending()
    fragment = web.get(address, headers={"HX-Request": "true"}).text
    assert "<html" not in fragment
    assert "data-poll" not in fragment
    web.post(address)
    assert "data-poll" in web.get(address, headers={"HX-Request": "true"}).text


def test_a_pending_file_is_mended(web, pending, proveedor, config):
    archivo = pending([["banner"], ["7", "Clavo", 5]])
    other = ConfigImportacion.objects.create(
        proveedor=proveedor, nombre_config="otra", col_codigo="A", col_descripcion="B", col_precio="C"
    )
    assert 'data-row="2"' in web.get(url("pendiente", archivo.pk)).text
    answer = web.post(url("pendiente", archivo.pk), {"config_usada": other.pk, "start_row": "1"})
    assert answer["Location"] == url("confirmar", proveedor.pk)
    archivo.refresh_from_db()
    assert (archivo.config_usada, archivo.start_row) == (other, 1)


def test_a_wrong_edit_changes_nothing(web, pending, config):
    archivo = pending()
    answer = web.post(url("pendiente", archivo.pk), {"config_usada": "", "start_row": "-3"})
    assert set(answer.context["form"].errors) == {"config_usada", "start_row"}
    archivo.refresh_from_db()
    assert (archivo.config_usada, archivo.start_row) == (config, 0)


def test_a_failed_file_says_why_and_waits_again_when_mended(web, pending, proveedor, config):
    archivo = pending(BAD)
    queueing.import_here(archivo)
    page = web.get(url("confirmar", proveedor.pk)).text
    assert "None of the 1 rows can be used" in page
    assert "Try again" in page
    web.post(url("confirmar", proveedor.pk))
    assert Job.objects.count() == 1
    web.post(url("pendiente", archivo.pk), {"config_usada": config.pk, "start_row": "0"})
    archivo.refresh_from_db()
    assert (archivo.error, archivo.job_id) == ("", None)
    web.post(url("confirmar", proveedor.pk))
    assert Job.objects.count() == 2


def test_a_failed_file_can_be_tried_again_as_it_is(web, pending):
    archivo = pending(BAD)
    queueing.import_here(archivo)
    location = web.post(url("import", archivo.pk))["Location"]
    archivo.refresh_from_db()
    assert location == url("resultado", archivo.job_id)
    assert Job.objects.count() == 2


def test_a_pending_file_is_deleted_with_its_csv(web, pending, proveedor):
    archivo = pending()
    answer = web.post(url("withdraw", archivo.pk), follow=True)
    assert "was deleted" in answer.text
    assert not ArchivoPendiente.objects.exists()
    assert not archivo.csv_path.exists()


@pytest.mark.parametrize("name", ["pendiente", "withdraw", "import"])
def test_a_file_that_a_job_has_is_left_alone(web, pending, name):
    archivo = pending()
    job_id = queueing.enqueue(archivo)
    answer = web.post(url(name, archivo.pk), {"start_row": "5"}, follow=True)
    assert "Cancel its job first." in answer.text
    archivo.refresh_from_db()
    assert (archivo.job_id, archivo.start_row, Job.objects.count()) == (job_id, 0, 1)


@pytest.mark.parametrize("name", ["pendiente", "withdraw", "import"])
def test_an_imported_file_is_not_pending(web, imported, name):
    archivo = imported([["7", "Clavo", 5]])
    assert web.post(url(name, archivo.pk)).status_code == 404


def test_names_are_text(web, pending, proveedor):
    proveedor.nombre = "<script>alert(1)</script>"
    proveedor.save()
    pending(name="<script>alert(2)</script>.xlsx")
    for address in (url("confirmar", proveedor.pk), INICIO, url("precios", proveedor.pk)):
        assert "<script>alert" not in web.get(address).text


def test_a_file_whose_csv_is_gone_can_still_be_looked_at(web, pending):
    archivo = pending()
    archivo.csv_path.unlink()
    assert "The converted file is gone" in web.get(url("pendiente", archivo.pk)).text


def test_the_first_page_sorts_files_by_what_they_need(web, pending, imported):
    done, waiting, failed = imported([["7", "Clavo", 5], ["8", "", 6]]), pending(), pending(BAD)
    queueing.import_here(failed)
    context = web.get(INICIO).context
    assert [file.archivo for file in context["pending"]] == [waiting, failed]
    assert [file.archivo for file in context["imports"]] == [failed, done]
    assert not context["is_live"]
    page = web.get(INICIO).text
    assert f"/jobs/{done.job_id}/" in page
    assert "1 new, 0 changed, 0 as before" in page


def test_the_first_page_moves_while_something_runs(web, pending):
    queueing.enqueue(pending())
    fragment = web.get(INICIO, headers={"HX-Request": "true"}).text
    assert "data-poll" in fragment
    assert "<form" not in fragment


def test_the_result_of_a_file_is_found_by_its_number(web, pending, imported):
    done, waiting = imported([["7", "Clavo", 5]]), pending()
    assert web.get(url("resultado-archivo", done.pk))["Location"] == url("resultado", done.job_id)
    assert web.get(url("resultado-archivo", waiting.pk))["Location"] == url("confirmar", waiting.proveedor_id)
    assert isinstance(done.job_id, UUID)
