import pytest
import xlsxwriter

from faena_sandbox import pricelists as sandbox
from faena_systems.pricelists import reader_process
from faena_systems.pricelists.reading import ReadError


def test_it_describes_the_sheets(tmp_path):
    sandbox.write_xlsx(tmp_path / "l.xlsx", 40, sheets=2)
    sheets = reader_process.ask({"verb": "inspect", "path": str(tmp_path / "l.xlsx"), "rows": 20})
    assert [(sheet["name"], sheet["rows"], len(sheet["head"])) for sheet in sheets] == [
        ("Lista 1", 54, 20),
        ("Lista 2", 54, 20),
    ]


def test_it_converts_sheets(tmp_path):
    sandbox.write_xlsx(tmp_path / "l.xlsx", 40)
    sheets = [("Lista 1", str(tmp_path / "1.csv"))]
    assert reader_process.ask({"verb": "convert", "path": str(tmp_path / "l.xlsx"), "sheets": sheets}) == [54]
    assert (tmp_path / "1.csv").read_text(encoding="utf-8").startswith('"Distribuidora El Tornillo"')


def test_a_problem_comes_back_as_such(tmp_path):
    (tmp_path / "l.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(ReadError, match="broken"):
        reader_process.ask({"verb": "inspect", "path": str(tmp_path / "l.xlsx"), "rows": 20})


def test_a_sheet_of_billions_of_cells_ends_only_the_reader(tmp_path):
    path = tmp_path / "far.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, 1)
        sheet.write(1_000_000, 16_000, 1)
    with pytest.raises(ReadError, match="too_large"):
        reader_process.ask({"verb": "inspect", "path": str(path), "rows": 20})


def test_a_reader_that_takes_too_long_is_ended(tmp_path, monkeypatch):
    sandbox.write_xlsx(tmp_path / "l.xlsx", 3)
    monkeypatch.setattr(reader_process, "SECONDS", 0.001)
    with pytest.raises(ReadError, match="too_slow"):
        reader_process.ask({"verb": "inspect", "path": str(tmp_path / "l.xlsx"), "rows": 20})


def test_a_preview_takes_no_more_of_a_sheet_than_a_page_shows(tmp_path):
    path = tmp_path / "wide.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for _ in range(reader_process.MAX_SHEETS + 2):
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, ["ñ" * 32_000] * 60)
            sheet.write_row(24, 0, [7])
    sheets = reader_process.ask({"verb": "inspect", "path": str(path), "rows": 20})
    full, left_out = sheets[: reader_process.MAX_SHEETS], sheets[reader_process.MAX_SHEETS :]
    assert {sheet["rows"] for sheet in full} == {25}
    assert all(sheet["head"][0] == ["ñ" * reader_process.MAX_TEXT] * reader_process.MAX_COLUMNS for sheet in full)
    assert [(sheet["name"], sheet["rows"], sheet["head"]) for sheet in left_out] == [
        ("Sheet31", 0, []),
        ("Sheet32", 0, []),
    ]


def test_a_reply_that_is_too_large_is_refused(tmp_path, monkeypatch):
    sandbox.write_xlsx(tmp_path / "l.xlsx", 40)
    monkeypatch.setattr(reader_process, "MAX_REPLY", 100)
    with pytest.raises(ReadError, match="too_large"):
        reader_process.ask({"verb": "inspect", "path": str(tmp_path / "l.xlsx"), "rows": 20})
