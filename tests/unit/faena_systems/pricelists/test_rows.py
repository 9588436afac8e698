from decimal import Decimal

import pytest

from faena_systems.pricelists import rows
from faena_systems.pricelists.parsing import PriceStyle
from faena_systems.pricelists.rows import Columns, Rejection, Repeated, Row, RowReader

COLUMNS = Columns.parse(codigo="A", descripcion="1", precio="C", cant="D", iva="", cod_barras="F", marca="AA")


def read(*cells, number=15):
    return RowReader(COLUMNS, PriceStyle()).read(number, list(cells))


def test_columns_are_parsed_from_letters_and_numbers():
    assert Columns(0, 1, 2, cant=3, iva=None, cod_barras=5, marca=26) == COLUMNS


def test_a_row_is_read():
    assert read("007", "Tornillo", "1.234,56", "x 12", "", "779123") == Row(
        15, "7/", "Tornillo", Decimal("1234.56"), 12, None, None, "779123"
    )


def test_a_short_row_has_nothing_in_its_missing_columns():
    assert read("007", "Tornillo", 5.0) == Row(15, "7/", "Tornillo", Decimal(5))


@pytest.mark.parametrize("cells", [[], [""], ["", " ", ""], ["", "", "", "12"]])
def test_a_row_without_code_description_and_price_is_blank(cells):
    assert read(*cells) is None


def test_the_number_zero_is_no_blank():
    assert read(0.0, "Tornillo", "5") == Row(15, "0/", "Tornillo", Decimal(5))


@pytest.mark.parametrize(
    ("cells", "rejection"),
    [
        (["", "Tornillo", "5"], ("A", "codigo", "")),
        (["7", "", "5"], ("B", "descripcion", "")),
        (["7", "x" * 501, "5"], ("B", "descripcion", "x" * 200)),
        (["7", "Tornillo", "1e3"], ("C", "precio", "1e3")),
        (["7", "Tornillo", -5.0], ("C", "precio", "-5")),
        (["7", "Tornillo", "5", "", "", "7,79E+12"], ("F", "barcode", "7,79E+12")),
    ],
)
def test_a_rejection_names_column_field_value_and_reason(cells, rejection):
    found = read(*cells)
    assert found[:4] == (15, *rejection)
    assert found.reason


def row(number, codigo):
    return Row(number, codigo, "d", Decimal(1))


BAD = Rejection(4, "C", "precio", "x", "why")


def test_the_last_good_row_of_a_code_wins():
    given = [row(1, "a/"), row(2, "b/"), row(3, "a/"), BAD, row(5, "a/")]
    seen = rows.overview(given)
    assert seen == rows.Overview(read=5, valid=4, repeated={1: 5, 3: 5}, first_rejection=BAD)
    assert list(rows.settled(given, seen.repeated)) == [
        Repeated(1, "a/", 5), row(2, "b/"), Repeated(3, "a/", 5), BAD, row(5, "a/"),
    ]  # fmt: skip


def test_blank_rows_are_not_counted():
    reader = RowReader(COLUMNS, PriceStyle())
    numbered = enumerate([["7", "Tornillo", "5"], [], ["8", "Clavo", "6"]], 1)
    assert [found.number for found in rows.parsed(numbered, reader)] == [1, 3]
