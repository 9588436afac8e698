import csv
import datetime
import struct
import tracemalloc
import zipfile

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faena_sandbox import pricelists as sandbox
from faena_systems.pricelists import reading
from faena_systems.pricelists.reading import ReadError, Sheet


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods", "csv"])
def test_the_type_is_told_from_the_content(tmp_path, kind):
    path = tmp_path / "lista.exe"
    getattr(sandbox, f"write_{kind}")(path, 5)
    assert reading.kind_of(path) == kind


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
def test_every_workbook_hands_the_same_rows(tmp_path, kind):
    path = tmp_path / "lista"
    getattr(sandbox, f"write_{kind}")(path, 30, bad=3)
    expected = [*sandbox.sheet_rows("Distribuidora El Tornillo", 30, bad=3)]
    assert list(reading.rows(path, "Lista 1")) == [trimmed(row) for row in expected]


def trimmed(row):
    row = [cell if cell != "" else "" for cell in row]
    while row and row[-1] == "":
        row.pop()
    return row


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_a_csv_in_any_dress_hands_the_same_rows(tmp_path, encoding, delimiter):
    path = tmp_path / "lista.csv"
    rows = [["Código", "Descripción", "Precio"], ["007", 'Caño de 1/2"; ñandú, azul', "1.234,56"], [], ["8", "b", "9"]]
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    assert reading.sheets(path) == [Sheet("")]
    assert list(reading.rows(path, "")) == rows


def test_numbers_dates_and_truths_keep_their_meaning(tmp_path):
    path = tmp_path / "tipos.xlsx"
    with xlsxwriter.Workbook(path) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet = book.add_worksheet()
        sheet.write_row(2, 1, ["00012", 37, 1.5, True])
        sheet.write_datetime(2, 5, datetime.datetime(2026, 1, 2), day)
    assert list(reading.rows(path, "Sheet1")) == [[], [], ["", "00012", 37.0, 1.5, "TRUE", "2026-01-02"]]


def test_sheets_are_named_in_order_and_charts_left_out(tmp_path):
    path = tmp_path / "hojas.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Uno")
        chart = book.add_chart({"type": "bar"})
        chart.add_series({"values": "=Uno!$A$1:$A$2"})
        book.add_chartsheet("Gráfico").set_chart(chart)
        book.add_worksheet("Dos").hide()
    assert reading.sheets(path) == [Sheet("Uno"), Sheet("Dos", hidden=True)]


def zip_with(path, **entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("__", "/"), content)


def test_a_zip_bomb_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MAX_UNCOMPRESSED", 1_000_000)
    zip_with(tmp_path / "bomb", **{"xl__worksheets__sheet1.xml": b" " * 2_000_000})
    with pytest.raises(ReadError, match="bomb"):
        reading.kind_of(tmp_path / "bomb")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"  \n ", "empty"),
        (b"PK\x03\x04 and nothing more", "broken"),
        (b"<html><table><tr><td>7", "web_page"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook>', "web_page"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "unknown"),
        (b"%PDF-1.4\x00", "unknown"),
        (reading.OLE + b"\0" * 600, "unknown"),
        (reading.OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
    ],
)
def test_what_is_no_spreadsheet_is_refused_with_its_reason(tmp_path, content, problem):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ReadError, match=problem):
        reading.kind_of(tmp_path / "file")


def test_other_zips_are_refused(tmp_path):
    zip_with(tmp_path / "docx", **{"word__document.xml": "x"})
    with pytest.raises(ReadError, match="unknown"):
        reading.kind_of(tmp_path / "docx")


def test_an_ods_with_a_password_is_refused(tmp_path):
    zip_with(tmp_path / "ods", mimetype=reading.ODS, **{"META-INF__manifest.xml": "<encryption-data/>"})
    with pytest.raises(ReadError, match="encrypted"):
        reading.kind_of(tmp_path / "ods")


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
def test_a_truncated_workbook_is_broken(tmp_path, kind):
    path = tmp_path / "lista"
    getattr(sandbox, f"write_{kind}")(path, 200)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ReadError, match=r"broken|unknown"):
        list(reading.rows(path, "Lista 1"))


def test_a_sheet_that_is_not_there_is_named_so(tmp_path):
    sandbox.write_xlsx(tmp_path / "l.xlsx", 3)
    with pytest.raises(ReadError, match="no_sheet"):
        list(reading.rows(tmp_path / "l.xlsx", "Otra"))


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r")) | st.floats(allow_nan=False)


@given(st.lists(st.lists(CELLS, max_size=5), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_csv_of_ours_comes_back_cell_by_cell_and_row_by_row(tmp_path, rows):
    path = tmp_path / "ours.csv"
    path.unlink(missing_ok=True)
    assert reading.write_csv(path, rows) == len(rows)
    assert list(reading.read_csv(path)) == list(enumerate(rows, 1))


def test_a_csv_of_ours_is_never_overwritten(tmp_path):
    reading.write_csv(tmp_path / "ours.csv", [["a"]])
    with pytest.raises(FileExistsError):
        reading.write_csv(tmp_path / "ours.csv", [["b"]])


@pytest.mark.parametrize("name", ["mimetype", "META-INF__manifest.xml"])
def test_no_more_of_an_entry_is_unpacked_than_is_looked_at(tmp_path, name):
    entries = {"mimetype": reading.ODS, "META-INF__manifest.xml": b"<manifest/>"}
    entries[name] += b" " * 64 * 1024 * 1024
    zip_with(tmp_path / "ods", **entries)
    tracemalloc.start()
    try:
        assert reading.kind_of(tmp_path / "ods") == "ods"
        assert tracemalloc.get_traced_memory()[1] < 4 * reading.MANIFEST
    finally:
        tracemalloc.stop()


def damaged(content, what):
    if what == "name":  # A name that claims to be UTF-8.
        content = content.replace(b"mimetype", b"mime\xfftyp")
        place = content.index(b"PK\x01\x02") + 8
        return content[:place] + struct.pack("<H", 0x800) + content[place + 2 :]
    place = content.index(b"mimetype") + 8
    return content[:place] + b"\xff" * 4 + content[place + 4 :]


@pytest.mark.parametrize("what", ["name", "stream"])
def test_a_damaged_zip_is_broken(tmp_path, what):
    with zipfile.ZipFile(tmp_path / "ods", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", reading.ODS * 3)
    (tmp_path / "ods").write_bytes(damaged((tmp_path / "ods").read_bytes(), what))
    with pytest.raises(ReadError, match="broken"):
        reading.kind_of(tmp_path / "ods")


def test_an_entry_packed_in_an_odd_way_is_broken(tmp_path):
    with zipfile.ZipFile(tmp_path / "ods", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("mimetype", reading.ODS)
    with pytest.raises(ReadError, match="broken"):
        reading.kind_of(tmp_path / "ods")


def test_a_quotation_mark_that_swallows_rows_is_refused_with_its_place(tmp_path):
    path = tmp_path / "l.csv"
    path.write_text('1;uno;10\n2;"caño 1/2;20\n3;"codo";30\n4;"te";40\n5;cruz;50\n')
    with pytest.raises(ReadError) as refused:
        list(reading.rows(path, ""))
    assert (refused.value.problem, refused.value.row) == ("open_quote", 2)


@pytest.mark.parametrize("text", ['"caño 1/2" x 3m"', '"dos\nlíneas"', '"dos\nlíneas; con punto y coma"', 'caño 1/2"'])
def test_careless_quotes_that_swallow_nothing_are_read(tmp_path, text):
    path = tmp_path / "l.csv"
    path.write_text(f"1;uno;10;a\n2;{text};20;b\n3;tres;30;c\n")
    assert [row[2] for row in reading.rows(path, "")] == ["10", "20", "30"]
