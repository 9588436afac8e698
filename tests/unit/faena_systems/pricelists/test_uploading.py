import os
import threading
import time

import pytest
from django.db import connection

from faena_sandbox import pricelists as sandbox
from faena_systems.pricelists import reading, uploading
from faena_systems.pricelists.errors import UnreadableFile, UploadNotFound
from faena_systems.pricelists.models import ArchivoPendiente
from faena_systems.pricelists.uploading import Choice


@pytest.fixture
def made(tmp_path):
    sandbox.write_xlsx(tmp_path / "lista.xlsx", 30, sheets=2)
    return (tmp_path / "lista.xlsx").read_bytes()


def test_an_upload_is_kept_under_a_name_of_ours(proveedor, made):
    upload = uploading.keep(proveedor, r"C:\Users\x\..\Lista ñ.xls", [made[:100], made[100:]])
    assert upload.name == "Lista ñ.xls"
    assert upload.file.endswith(".xlsx")
    assert upload.bytes == len(made)
    assert uploading.find(proveedor, upload.file) == upload
    assert uploading.path_of(proveedor, upload).read_bytes() == made


@pytest.mark.parametrize("file", ["../../etc/passwd", "x", "0" * 32 + ".exe", "0" * 32 + ".xlsx", ""])
def test_names_from_outside_lead_nowhere(proveedor, file):
    with pytest.raises(UploadNotFound):
        uploading.find(proveedor, file)


@pytest.mark.parametrize(("content", "problem"), [(b"", "empty"), (b"\x00\x01", "unknown"), (b"PK\x03\x04", "broken")])
def test_a_bad_upload_leaves_nothing_behind(proveedor, content, problem):
    with pytest.raises(UnreadableFile) as refused:
        uploading.keep(proveedor, "x.xlsx", [content])
    assert refused.value.problem == problem
    assert not list(uploading.upload_folder(proveedor).iterdir())


def test_an_upload_over_the_limit_is_refused_while_it_arrives(proveedor, monkeypatch):
    monkeypatch.setattr(uploading, "MAX_BYTES", 10)
    with pytest.raises(UnreadableFile, match="large"):
        uploading.keep(proveedor, "x.csv", (b"a;b" for _ in range(10**9)))


def test_uploads_that_nobody_confirmed_are_tidied_away_after_a_day(proveedor, made):
    old = uploading.keep(proveedor, "old.xlsx", [made])
    yesterday = time.time() - 25 * 3600
    for path in uploading.upload_folder(proveedor).iterdir():
        os.utime(path, (yesterday, yesterday))
    new = uploading.keep(proveedor, "new.xlsx", [made])
    assert uploading.find(proveedor, new.file)
    with pytest.raises(UploadNotFound):
        uploading.find(proveedor, old.file)


def test_an_upload_that_vanishes_while_another_is_tidying_does_not_disturb_it(proveedor, made):
    # As if it were renamed between the look into the folder and the look at it.
    (uploading.upload_folder(proveedor) / "0.part").symlink_to("nowhere")
    assert uploading.keep(proveedor, "new.xlsx", [made])


def test_the_preview_has_the_sheets_own_row_numbers_and_letters(proveedor, made):
    upload = uploading.keep(proveedor, "l.xlsx", [made])
    first, second = uploading.inspect(uploading.path_of(proveedor, upload))
    assert (first.name, second.name, first.total_rows) == ("Lista 1", "Lista 2", 44)
    assert first.letters == list("ABCDEFG")
    assert len(first.rows) == 20
    number, texts = first.rows[13]
    assert (number, texts[:3]) == (14, ["Código", "Descripción", "Precio"])
    assert first.rows[14][1][0] == "000001"


def test_each_chosen_sheet_becomes_a_csv_and_a_pending_file(proveedor, config, made, data_dir, admin_user):
    upload = uploading.keep(proveedor, "l.xlsx", [made])
    archivos = uploading.queue_sheets(
        proveedor, upload, [Choice("Lista 2", config, 14), Choice("Lista 1", config, 3)], admin_user
    )
    assert list(ArchivoPendiente.objects.order_by("pk")) == archivos
    second = archivos[0]
    assert (second.hoja_origen, second.start_row, second.uploaded_by) == ("Lista 2", 14, admin_user)
    assert (second.sha256, second.bytes, second.nombre_archivo_origen) == (upload.sha256, len(made), "l.xlsx")
    assert second.csv_path.is_relative_to(data_dir / "importaciones" / "TOR")
    assert len(list(reading.read_csv(second.csv_path))) == 44
    with pytest.raises(UploadNotFound):
        uploading.find(proveedor, upload.file)


def test_the_same_upload_twice_never_overwrites_a_pending_csv(queue, tmp_path, made):
    path = tmp_path / "lista.xlsx"
    assert queue(path).csv_path != queue(path).csv_path


def test_one_sheet_that_cannot_be_converted_leaves_none(proveedor, config, made):
    upload = uploading.keep(proveedor, "l.xlsx", [made])
    choices = [Choice("Lista 1", config), Choice("Lista 2", config, 44)]
    with pytest.raises(UnreadableFile) as refused:
        uploading.queue_sheets(proveedor, upload, choices)
    assert refused.value.problem == "empty_sheet"
    assert not ArchivoPendiente.objects.exists()
    assert not list(uploading.folder(proveedor).glob("*.csv"))
    assert uploading.queue_sheets(proveedor, upload, choices[:1])


@pytest.mark.django_db(transaction=True)
def test_an_upload_is_queued_once_however_many_ask(proveedor, config, made):
    upload = uploading.keep(proveedor, "l.xlsx", [made])
    both = threading.Barrier(2)
    outcomes = []

    def ask():
        both.wait()
        try:
            outcomes.append(len(uploading.queue_sheets(proveedor, upload, [Choice("Lista 1", config)])))
        except UploadNotFound:
            outcomes.append(0)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [0, 1]
    assert ArchivoPendiente.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_withdrawn_file_takes_its_csv_along(queue):
    archivo = queue([["7", "Tornillo", 5]])
    uploading.withdraw(archivo)
    assert not archivo.csv_path.exists()
    assert not ArchivoPendiente.objects.exists()
