"""From the preview to pending rows: all or nothing, with the place of every mistake."""

import pytest
import xlsxwriter
from django.core.cache import cache

from faena_systems.pricelists import reader_process, reading
from faena_systems.pricelists.errors import PROBLEMS
from faena_systems.pricelists.models import ArchivoPendiente, ConfigImportacion

from .conftest import sheet, url

pytestmark = pytest.mark.django_db

ROWS = [["banner"], ["Código", "Detalle", "Precio Lista", "IVA"], ["7", "Clavo", 5], ["8", "Tornillo", 6]]


@pytest.fixture
def preview(send, book):
    return send(book(ROWS))["Location"]


@pytest.fixture
def two_sheets(send, tmp_path):
    with xlsxwriter.Workbook(tmp_path / "b.xlsx") as made:
        for name in ("Uno", "Dos"):
            target = made.add_worksheet(name)
            for number, row in enumerate(ROWS):
                target.write_row(number, 0, row)
        made.add_worksheet("Vacía")
    return send((tmp_path / "b.xlsx").read_bytes())["Location"]


def test_titles_suggest_the_columns_and_the_banner(web, preview):
    [form] = web.get(preview).context["sheets"].forms
    assert form["start_row"].value() == 2
    assert [form.new[name].value() for name in ("col_codigo", "col_descripcion", "col_precio")] == ["A", "B", "C"]
    assert form.new["col_iva"].value() == "D"
    assert form["take"].value()


def test_a_supplier_with_a_configuration_is_offered_it(web, preview, config):
    assert web.get(preview).context["sheets"].forms[0]["config"].value() == config.pk


def test_of_several_configurations_the_one_that_the_titles_confirm_is_offered(web, preview, config):
    columns = {"col_codigo": "A", "col_descripcion": "B", "col_precio": "C", "proveedor": config.proveedor}
    fits = ConfigImportacion.objects.create(nombre_config="con IVA", col_iva="3", **columns)
    ConfigImportacion.objects.create(nombre_config="sin IVA", **columns)
    ConfigImportacion.objects.create(nombre_config="otra hoja", **columns | {"col_precio": "D"})
    assert web.get(preview).context["sheets"].forms[0]["config"].value() == fits.pk


def test_a_configuration_that_the_titles_contradict_is_not_offered(web, preview, config):
    ConfigImportacion.objects.update(col_precio="D", col_iva="C")
    assert web.get(preview).context["sheets"].forms[0]["config"].value() is None


def test_without_titles_the_newest_configuration_is_offered(web, send, book, config):
    newest = ConfigImportacion.objects.create(
        proveedor=config.proveedor, nombre_config="otra", col_codigo="C", col_descripcion="B", col_precio="A"
    )
    preview = send(book([["7", "Clavo", 5]]))["Location"]
    assert web.get(preview).context["sheets"].forms[0]["config"].value() == newest.pk


def test_a_ticked_sheet_becomes_a_pending_file_and_a_configuration(web, preview, proveedor, operator):
    answer = web.post(preview, sheet(start_row="2"))
    assert answer["Location"] == url("confirmar", proveedor.pk)
    archivo = ArchivoPendiente.objects.get()
    config = ConfigImportacion.objects.get()
    assert (archivo.config_usada, archivo.start_row, archivo.hoja_origen) == (config, 2, "Lista")
    assert (archivo.uploaded_by, archivo.nombre_archivo_origen) == (operator, "lista.xlsx")
    assert (config.col_codigo, config.col_descripcion, config.col_precio, config.col_iva) == ("A", "B", "2", "")
    assert list(reading.read_csv(archivo.csv_path))[2] == (3, ["7", "Clavo", 5.0])
    assert web.get(preview).status_code == 404


def test_an_existing_configuration_needs_no_columns(web, preview, config):
    web.post(preview, {"s0-take": "on", "s0-start_row": "2", "s0-config": config.pk})
    assert ArchivoPendiente.objects.get().config_usada == config


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"start_row": "4"}, "s0-start_row", "The sheet has only 4 rows"),
        ({"start_row": "-1"}, "s0-start_row", "greater than or equal to 0"),
        ({"start_row": "x"}, "s0-start_row", "Enter a whole number"),
        ({"config": "999"}, "s0-config", "Select a valid choice"),
        ({"col_precio": ""}, "s0n-col_precio", "This field is required"),
        ({"col_codigo": "ABCD"}, "s0n-col_codigo", "Give a column as letters"),
        ({"col_iva": "A1"}, "s0n-col_iva", "Give a column as letters"),
        ({"col_precio": "0"}, "s0n-col_precio", "It is the same column as “Code”"),
        ({"nombre_config": ""}, "s0n-nombre_config", "This field is required"),
        ({"nombre_config": "de siempre"}, "s0n-nombre_config", "already has a configuration of this name"),
    ],
)
def test_a_mistake_is_shown_at_its_field_and_nothing_is_queued(web, preview, config, data_dir, changed, field, said):
    answer = web.post(preview, sheet(**changed))
    [form] = answer.context["sheets"].forms
    assert [bound.html_name for bound in form.wrong()] == [field]
    assert said in form.wrong()[0].errors[0]
    assert f'href="#id_{field}"' in answer.text
    assert not ArchivoPendiente.objects.exists()
    assert ConfigImportacion.objects.count() == 1
    assert not list(data_dir.rglob("20*.csv"))


def test_another_suppliers_configuration_is_no_choice(web, preview, proveedor):
    other = type(proveedor).objects.create(nombre="Otro", abreviatura="OTRO")
    foreign = ConfigImportacion.objects.create(
        proveedor=other, nombre_config="suya", col_codigo="A", col_descripcion="B", col_precio="C"
    )
    answer = web.post(preview, sheet(config=foreign.pk))
    assert "Select a valid choice" in answer.text
    assert "suya" not in answer.text


def test_no_ticked_sheet_is_a_mistake(web, preview):
    assert "Tick at least one sheet." in web.post(preview, {}).text


def test_sheets_that_stay_out_are_not_checked(web, two_sheets):
    web.post(two_sheets, sheet("s1", start_row="2") | {"s0-start_row": "nonsense"})
    assert [archivo.hoja_origen for archivo in ArchivoPendiente.objects.all()] == ["Dos"]


def test_two_sheets_share_one_new_configuration(web, two_sheets):
    web.post(two_sheets, sheet("s0", start_row="2") | sheet("s1", start_row="2"))
    assert ArchivoPendiente.objects.count() == 2
    assert ConfigImportacion.objects.count() == 1


def test_two_sheets_do_not_share_a_name_for_different_columns(web, two_sheets):
    answer = web.post(two_sheets, sheet("s0") | sheet("s1", col_iva="D"))
    assert "Another sheet uses this name with other columns." in answer.text
    assert not ArchivoPendiente.objects.exists()


def names_offered(web, preview):
    return [form.new["nombre_config"].value() for form in web.get(preview).context["sheets"].forms]


def test_sheets_with_the_same_columns_are_offered_one_name(web, two_sheets):
    assert names_offered(web, two_sheets)[:2] == ["List", "List"]


def test_a_sheet_with_other_columns_is_offered_its_own_name(web, send, tmp_path):
    with xlsxwriter.Workbook(tmp_path / "b.xlsx") as made:
        for name, titles in (("Uno", ["Código", "Detalle", "Precio"]), ("Dos", ["Código", "Precio", "Detalle"])):
            made.add_worksheet(name).write_row(0, 0, titles)
    preview = send((tmp_path / "b.xlsx").read_bytes())["Location"]
    assert names_offered(web, preview) == ["List", "Dos"]


def test_a_name_that_the_supplier_has_already_is_not_offered(web, preview, config):
    ConfigImportacion.objects.update(nombre_config="List")
    assert names_offered(web, preview) == ["Lista"]


def test_one_wrong_sheet_holds_back_the_good_one(web, two_sheets):
    answer = web.post(two_sheets, sheet("s0") | sheet("s1", start_row="9"))
    assert "Dos · Banner rows" in answer.text
    assert not ArchivoPendiente.objects.exists()


def test_an_empty_sheet_cannot_be_taken(web, two_sheets):
    assert "This sheet is empty." in web.get(two_sheets).text
    assert "Tick at least one sheet." in web.post(two_sheets, sheet("s2")).text


def test_a_new_configuration_does_not_outlive_a_failed_conversion(web, preview, monkeypatch, data_dir):
    def fails(request):
        raise reading.ReadError("too_slow")

    monkeypatch.setattr(reader_process, "ask", fails)
    answer = web.post(preview, sheet(), follow=True)
    assert "Reading the file took too long." in answer.text
    assert not ConfigImportacion.objects.exists()
    assert not ArchivoPendiente.objects.exists()


def test_cells_and_sheet_names_are_text(send, web, tmp_path):
    with xlsxwriter.Workbook(tmp_path / "x.xlsx") as made:
        made.add_worksheet("<b>hoja").write_row(0, 0, ["<script>alert(1)</script>", '"><svg onload=alert(1)>'])
    page = web.get(send((tmp_path / "x.xlsx").read_bytes())["Location"]).text
    assert "<script>alert" not in page
    assert "<svg onload" not in page
    assert "<b>hoja" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_configuration_cannot_break_out_of_the_pages_data(web, preview, config):
    config.nombre_config = "</script><script>alert(1)</script>"
    config.save()
    assert "<script>alert" not in web.get(preview).text


def test_a_wide_sheet_is_shown_as_far_as_it_fits(send, web):
    page = web.get(send(b";".join(b"%d" % n for n in range(3000)) + b"\n")["Location"])
    assert len(page.context["sheets"].forms[0].sheet.letters) == reader_process.MAX_COLUMNS


@pytest.mark.parametrize(
    ("method", "problem", "kept"),
    [
        ("get", "too_slow", True),
        ("get", "broken", True),
        ("post", "too_slow", True),
        ("post", "too_large", True),
        ("post", "broken", False),
        ("post", "encrypted", False),
        ("post", "bomb", False),
    ],
)
def test_an_upload_goes_only_when_a_person_acts_and_it_can_never_be_read(
    web, preview, monkeypatch, method, problem, kept
):
    def fails(request):
        raise reading.ReadError(problem)

    cache.clear()
    with monkeypatch.context() as broken:
        broken.setattr(reader_process, "ask", fails)
        assert PROBLEMS[problem] in getattr(web, method)(preview, sheet(), follow=True).text
    assert web.get(preview).status_code == (200 if kept else 404)
