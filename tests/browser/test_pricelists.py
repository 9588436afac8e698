"""Stories of somebody who imports a supplier's price list."""

from __future__ import annotations

import re

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from faena_sandbox import pricelists as sandbox
from faena_systems.pricelists import uploading
from faena_systems.pricelists.models import ConfigImportacion, PrecioDeLista, Proveedor
from tests.browser.conftest import TIMEOUT_MS, Server

expect.set_options(timeout=TIMEOUT_MS)
WIDE = "document.documentElement.scrollWidth > window.innerWidth"


@pytest.fixture
def proveedor(server: Server) -> Proveedor:
    Proveedor.objects.filter(abreviatura="TOR").delete()
    return Proveedor.objects.create(nombre="El Tornillo", abreviatura="TOR")


@pytest.fixture
def config(proveedor: Proveedor) -> ConfigImportacion:
    return ConfigImportacion.objects.create(proveedor=proveedor, nombre_config="de siempre", **sandbox.COLUMNS)


def upload(page: Page, file, supplier: Proveedor) -> None:
    page.goto(f"/importaciones/?proveedor={supplier.pk}")
    page.locator("#id_archivo").set_input_files(file)
    page.get_by_role("button", name="Upload and look inside").click()


def test_a_new_supplier_s_list_from_upload_to_prices(server: Server, page: Page, tmp_path):
    Proveedor.objects.filter(abreviatura="NUEVA").delete()
    sandbox.write_xlsx(tmp_path / "Lista mayorista.xlsx", 12_000, bad=23)

    page.goto("/importaciones/")
    page.get_by_role("link", name="Add a supplier").click()
    page.locator("#id_nombre").fill("Distribuidora Nueva")
    page.get_by_label("Short name").fill("nueva")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#id_proveedor")).to_contain_text("Distribuidora Nueva")

    page.locator("#id_archivo").set_input_files(tmp_path / "Lista mayorista.xlsx")
    expect(page.locator("[data-file-name]")).to_have_text("Lista mayorista.xlsx")
    page.get_by_role("button", name="Upload and look inside").click()

    expect(page.locator("#id_s0-start_row")).to_have_value("14")
    expect(page.locator("th[data-letters=C]")).to_contain_text("Price")
    expect(page.locator("tr.first th")).to_have_text("15")
    page.locator("#id_s0n-col_marca").fill("")
    expect(page.locator("th[data-letters=G]")).to_have_text("G")
    page.get_by_role("button", name="Queue the ticked sheets").click()

    page.get_by_role("button", name="Import now").click()
    expect(page.locator("#result .badge")).to_have_text(re.compile("Pending|Validating|Running|Completed"))
    # A mark that a loaded page would not have: the result moves in place.
    page.evaluate("document.querySelector('#result').mark = 1")
    expect(page.locator("#result .badge")).to_have_text("Completed with errors")
    assert page.evaluate("document.querySelector('#result').mark") == 1
    expect(page.locator(".tallies")).to_contain_text("11,977")
    expect(page.locator("#rejected tbody tr")).to_have_count(23)

    page.locator("select[name=field]").select_option("VAT")
    expect(page.locator("#rejected tbody")).to_contain_text("exento?")
    expect(page.locator("#rejected tbody")).not_to_contain_text("it is blank")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download .xlsx").click()
    download.value.save_as(tmp_path / "resultado.xlsx")
    book = openpyxl.load_workbook(tmp_path / "resultado.xlsx")
    assert book["Rejected rows"].max_row == 24

    page.get_by_role("link", name="Prices").click()
    page.get_by_role("searchbox").fill("candado bronce")
    page.keyboard.press("Enter")
    expect(page.locator(".prices tbody tr").first).to_contain_text("Candado de bronce")
    assert PrecioDeLista.objects.filter(proveedor__abreviatura="NUEVA").count() == 11_977


def test_mistakes_are_shown_where_they_are(page: Page, proveedor, tmp_path):
    sandbox.write_xlsx(tmp_path / "l.xlsx", 30, sheets=2)
    upload(page, tmp_path / "l.xlsx", proveedor)
    page.locator("#id_s0-start_row").fill("500")
    page.locator("#id_s1n-col_precio").fill("B")
    page.get_by_role("button", name="Queue the ticked sheets").click()
    expect(page.locator("#errors")).to_be_focused()
    page.get_by_role("link", name="Lista 1 · Banner rows").click()
    expect(page.locator("#id_s0-start_row")).to_have_value("500")
    expect(page.locator("#id_s1n-col_precio")).to_have_attribute("aria-invalid", "true")


def test_a_broken_file_is_refused_and_another_one_taken(page: Page, proveedor, tmp_path):
    (tmp_path / "rota.xlsx").write_bytes(b"PK\x03\x04 cut off")
    upload(page, tmp_path / "rota.xlsx", proveedor)
    expect(page.get_by_role("alert")).to_contain_text("The file is damaged")
    sandbox.write_csv(tmp_path / "buena.csv", 10)
    page.locator("#id_archivo").set_input_files(tmp_path / "buena.csv")
    page.get_by_role("button", name="Upload and look inside").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("buena.csv")


def test_a_file_is_dropped_and_its_size_checked_before_it_travels(page: Page, proveedor):
    page.goto("/importaciones/")
    drop = """(size) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(size)], "soltada.csv"));
        const drop = new DragEvent("drop", {dataTransfer: data, bubbles: true});
        document.querySelector("[data-dropzone]").dispatchEvent(drop);
    }"""
    page.evaluate(drop, uploading.MAX_BYTES + 1)
    expect(page.get_by_role("alert")).to_contain_text("The file is too big")
    page.evaluate(drop, 1000)
    expect(page.locator("[data-file-name]")).to_have_text("soltada.csv")
    expect(page.get_by_role("alert")).to_be_empty()


def test_pending_files_are_deleted_after_a_question(page: Page, config, tmp_path):
    sandbox.write_csv(tmp_path / "l.csv", 10)
    upload(page, tmp_path / "l.csv", config.proveedor)
    expect(page.locator("#id_s0-config")).to_contain_text("de siempre")
    expect(page.locator("[data-new-config]")).to_be_hidden()
    page.get_by_role("button", name="Queue the ticked sheets").click()
    page.get_by_role("button", name="Delete l.csv").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name="Delete l.csv").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nothing waits for this supplier")).to_be_visible()


def test_the_keyboard_is_enough(page: Page, config, tmp_path):
    sandbox.write_csv(tmp_path / "l.csv", 10)
    page.goto(f"/importaciones/?proveedor={config.proveedor_id}")
    page.locator("#id_archivo").set_input_files(tmp_path / "l.csv")
    page.locator("#id_archivo").focus()
    for name in ("Upload and look inside", "Queue the ticked sheets", "Import now"):
        button = page.get_by_role("button", name=name)
        expect(button).to_be_visible()
        for _ in range(60):
            if button.evaluate("button => button === document.activeElement"):
                break
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    expect(page.locator("#result .badge")).to_have_text(re.compile("^Completed"))


def test_every_page_fits_a_phone(phone: Page, config, tmp_path):
    sandbox.write_xlsx(tmp_path / "Una lista con un nombre bastante largo.xlsx", 300, bad=9)
    upload(phone, tmp_path / "Una lista con un nombre bastante largo.xlsx", config.proveedor)
    for name in ("Queue the ticked sheets", "Import now"):
        button = phone.get_by_role("button", name=name)
        expect(button).to_be_visible()
        assert not phone.evaluate(WIDE)
        button.click()
    expect(phone.locator("#result .badge")).to_have_text("Completed with errors")
    assert not phone.evaluate(WIDE)
    for address in ("", f"confirmar/{config.proveedor_id}/", f"precios/{config.proveedor_id}/", "proveedores/new/"):
        phone.goto(f"/importaciones/{address}")
        assert not phone.evaluate(WIDE)
