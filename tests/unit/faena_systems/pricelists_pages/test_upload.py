"""Uploading: what is taken, what is refused and how it is said."""

import io
import re
import zipfile

import pytest
from django.utils import translation

from faena_sandbox import pricelists as sandbox
from faena_systems.pricelists import forms, uploading
from faena_systems.pricelists.models import ArchivoPendiente

from .conftest import INICIO, url

pytestmark = pytest.mark.django_db

PREVIEW = re.compile(r"/importaciones/preview/(\d+)/([0-9a-f]{32}\.(xlsx|xls|ods|csv))/")


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


def kept(data_dir):
    return list(data_dir.rglob("subidas/*"))


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods", "csv"])
def test_every_kind_is_taken_and_shown_with_true_row_numbers(send, web, tmp_path, kind):
    path = tmp_path / f"lista.{kind}"
    getattr(sandbox, f"write_{kind}")(path, 30)
    answer = send(path.read_bytes(), "cualquiera.bin")
    assert PREVIEW.fullmatch(answer["Location"])[3] == kind
    page = web.get(answer["Location"]).text
    rows = dict(re.findall(r'<tr data-row="(\d+)">(.*?)</tr>', page, re.S))
    assert list(rows) == [str(number) for number in range(1, 21)]
    assert "Distribuidora El Tornillo" in rows["1"]
    assert ">Descripción<" in rows["14"]
    assert ">000001<" in rows["15"]
    assert re.findall(r'data-letters="(\w+)"', page) == list("ABCDEFG")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        (b"   \n", "The file is empty."),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "This is not a spreadsheet"),
        (b"%PDF-1.7\n\0\xff", "This is not a spreadsheet"),
        (b"<html><table><tr><td>7</td></tr></table></html>", "This is a web page"),
        (b"PK\x03\x04 cut off", "The file is damaged"),
        (zipped(word__document=b"<w/>"), "This is not a spreadsheet"),
        (zipped(xl__worksheets__sheet1=b"<"), "This is not a spreadsheet"),
        (zipped(**{"xl/worksheets/sheet1.xml": b"<worksheet"}), "The file is damaged"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "The file is protected by a password",
        ),
        (zipped(**{"xl/worksheets/sheet1.xml": b"0" * 600_000_000}), "The file unpacks to more"),
    ],
    ids=["empty", "blank", "png", "pdf", "html", "cut", "docx", "no-xml", "broken", "encrypted", "bomb"],
)
def test_what_is_no_spreadsheet_is_refused_next_to_the_field(send, data_dir, content, said):
    answer = send(content, "lista.xlsx")
    assert answer.status_code == 200
    assert answer.context["form"].errors["archivo"][0].startswith(f"lista.xlsx: {said}")
    assert said in answer.text
    assert kept(data_dir) == []


def test_a_workbook_without_rows_is_refused(send, book, data_dir):
    assert send(book([])).context["form"].errors["archivo"] == ["lista.xlsx: The file is empty."]
    assert kept(data_dir) == []


def test_a_file_over_the_limit_is_refused_with_both_sizes(send, monkeypatch, data_dir):
    monkeypatch.setattr(uploading, "MAX_BYTES", 2048)
    [said] = send(b"7;Clavo;5\n" * 300, "lista.csv").context["form"].errors["archivo"]
    assert said.replace("\xa0", " ") == "lista.csv: The file is too big: it has 2.9 KB, 2.0 KB at most."
    assert kept(data_dir) == []


def test_supplier_and_file_are_asked_for(web):
    errors = web.post(INICIO, {}).context["form"].errors
    assert errors == {"proveedor": ["This field is required."], "archivo": ["Choose a spreadsheet to upload."]}


def test_a_file_name_is_shown_and_never_used(send, web, proveedor, data_dir):
    answer = send(b"7;Clavo;5\n", '../../etc/<img src=x onerror="alert(1)">.csv')
    page = web.get(answer["Location"]).text
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;.csv" in page
    assert all(re.fullmatch(r"[0-9a-f]{32}\.(csv|json)", path.name) for path in kept(data_dir))


@pytest.mark.parametrize("file", ["..%2F..%2Fsecret_key", "....csv", "%2e%2e", "x.csv", "0" * 32 + ".exe", "0" * 32])
def test_no_address_leads_out_of_the_folder(web, proveedor, file):
    for address in (f"/importaciones/preview/{proveedor.pk}/{file}/",):
        assert web.get(address).status_code == 404
        assert web.post(address, {"s0-take": "on"}).status_code == 404


def test_an_upload_belongs_to_its_supplier(send, web, proveedor):
    other = type(proveedor).objects.create(nombre="Otro", abreviatura="OTRO")
    file = PREVIEW.fullmatch(send(b"7;Clavo;5\n")["Location"])[2]
    answer = web.get(url("preview", other.pk, file))
    assert answer.status_code == 404
    assert "This upload is not here any more" in answer.text
    assert web.post(url("discard", other.pk, file)).status_code == 404
    assert web.get(url("preview", proveedor.pk, file)).status_code == 200


def test_an_upload_can_be_discarded(send, web, proveedor, data_dir):
    file = PREVIEW.fullmatch(send(b"7;Clavo;5\n")["Location"])[2]
    assert web.post(url("discard", proveedor.pk, file))["Location"] == INICIO
    assert kept(data_dir) == []
    assert not ArchivoPendiente.objects.exists()


def test_an_upload_that_broke_on_disk_is_refused_kindly_and_looking_deletes_nothing(send, web, data_dir, settings):
    location = send(b"7;Clavo;5\n")["Location"]
    from django.core.cache import cache

    cache.clear()
    [path] = [path for path in kept(data_dir) if path.suffix == ".csv"]
    path.write_bytes(b"\0\1\2")
    before = kept(data_dir)
    answer = web.get(location, follow=True)
    assert "This is not a spreadsheet" in answer.text
    assert kept(data_dir) == before


def test_the_size_is_said_in_the_readers_language():
    with translation.override("es"):
        assert "demasiado grande" in forms.too_big(60 * 1024 * 1024)
