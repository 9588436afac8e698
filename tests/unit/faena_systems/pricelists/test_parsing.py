from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faena_systems.pricelists import parsing
from faena_systems.pricelists.parsing import BadCell, PriceStyle

COMMAS, POINTS, UNKNOWN = PriceStyle(","), PriceStyle("."), PriceStyle()


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("00012/", "12/"),
        ("0037-25", "0037-25/"),
        ("0", "0/"),
        ("000", "000/"),
        (37.0, "37/"),
        (0.0, "0/"),
        (" 00012 ", "12/"),
        ("AB-7/", "AB-7/"),
        ("12.5", "12.5/"),
        ("٠٠٣", "٠٠٣/"),
    ],
)
def test_codes_are_normalised(cell, code):
    assert parsing.code(cell) == code


@given(st.text(max_size=40))
def test_normalising_a_code_again_changes_nothing(cell):
    try:
        code = parsing.code(cell)
    except BadCell:
        assert not parsing.text(cell).removesuffix("/").strip()
    else:
        assert parsing.code(code) == code
        assert code.endswith("/")


@pytest.mark.parametrize("cell", ["", "  ", "/", "x" * 50])
def test_a_code_must_say_something_in_fifty_characters(cell):
    with pytest.raises(BadCell):
        parsing.code(cell)


@pytest.mark.parametrize(
    ("cell", "price"),
    [
        ("100.50", "100.50"),
        ("1.234,56", "1234.56"),
        ("1234,56", "1234.56"),
        ("$ 100", "100.00"),
        ("1,234.56", "1234.56"),
        ("$1.234.567,5", "1234567.50"),
        ("1 234,56", "1234.56"),
        ("1\xa0234,56", "1234.56"),
        ("U$S 12,5", "12.50"),
        ("0.125", "0.13"),
        ("1234.567", "1234.57"),
        (" 7 ", "7.00"),
        (1.234, "1.23"),
        (0.005, "0.01"),
        (1e15 / 1e6, "1000000000.00"),
    ],
)
def test_every_price_format_of_the_notes_is_read(cell, price):
    assert parsing.price(cell, UNKNOWN) == Decimal(price)


@pytest.mark.parametrize(
    ("cell", "style", "price"),
    [
        ("1.234", UNKNOWN, "1234"),
        ("1,234", UNKNOWN, "1234"),
        ("1.234", COMMAS, "1234"),
        ("1.234", POINTS, "1.23"),
        ("1,234", COMMAS, "1.23"),
        ("1,234", POINTS, "1234"),
        ("0,234", POINTS, "0.23"),
    ],
)
def test_an_ambiguous_price_follows_its_column(cell, style, price):
    assert parsing.price(cell, style) == Decimal(price)


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["1.234", "1.500"], ""),
        (["1.234", "12,50"], ","),
        (["1.234", "1.234.567"], ","),
        (["1,234", "12.50"], "."),
        (["12.50", "12,50"], ""),
        (["12.50", "12,50", "9,99"], ","),
        ([12.5, 1.25, "12,50"], ","),
        (["consultar", ""], ""),
    ],
)
def test_unambiguous_texts_vote_on_a_columns_style(cells, mark):
    assert PriceStyle.of(cells) == PriceStyle(mark)


@pytest.mark.parametrize(
    ("cells", "mixed"),
    [
        (["U$S 45,00", "u$s 12", "USD 7", "45 US$", "", "consultar"], False),
        (["€ 5", "5 EUR"], False),
        (["$ 5", "AR$ 5", "5 ARS", "5", 5.0], False),
        (["U$S 45,00", "$ 12"], True),
        (["U$S 45,00", "12"], True),
        (["U$S 45,00", 12.0], True),
        (["U$S 45,00", "R$ 12"], True),
        (["U$S", "$ 12"], False),
    ],
)
def test_a_column_has_one_currency_or_mixed_ones(cells, mixed):
    assert PriceStyle.of(cells).has_mixed_currencies is mixed


@pytest.mark.parametrize(
    ("cell", "currency"),
    [("U$S 45,00", "USD"), ("45 u$s", "USD"), ("US$45", "USD"), ("$ 45 USD", "USD"), ("€45", "EUR"), ("R$ 4", "BRL")],
)
def test_a_foreign_price_among_others_is_refused(cell, currency):
    mixed = PriceStyle(",", has_mixed_currencies=True)
    with pytest.raises(BadCell) as refused:
        parsing.price(cell, mixed)
    assert (refused.value.reason, refused.value.parameters) == (parsing.OTHER_CURRENCY, {"currency": currency})
    assert parsing.price("$ 45", mixed) == Decimal(45)


BAD_PRICES = ["", " ", "NaN", "nan", "1e3", "-5", "- $5", "(5)", "5-", "12.34.5", "1.23,4.5", "inf", "0", "0,00", "abc",
              "-", "s/d", "99999999999", ",5", "5,", "1,2,3", float("nan"), float("inf"), -1.0, 0.0, 1e12]  # fmt: skip


@pytest.mark.parametrize("cell", BAD_PRICES)
def test_what_is_no_price_is_refused(cell):
    with pytest.raises(BadCell) as refused:
        parsing.price(cell, UNKNOWN)
    assert str(refused.value.reason)


AMOUNTS = st.decimals("0.01", "9999999999.99", places=2)


@given(AMOUNTS)
def test_a_price_written_in_any_way_comes_back(amount):
    grouped = f"{amount:,.2f}"
    spanish = grouped.translate(str.maketrans(",.", ".,"))
    for text in (f"{amount:.2f}", f"{amount:.2f}".replace(".", ","), grouped, spanish, f"$ {spanish}"):
        assert parsing.price(text, UNKNOWN) == amount


@given(st.integers(1, 10**9), st.sampled_from(",."))
def test_a_column_of_whole_thousands_is_read_as_thousands(amount, mark):
    text = f"{amount:,}".replace(",", mark)
    assert parsing.price(text, PriceStyle.of([text])) == amount


@given(st.text() | st.floats())
def test_no_cell_at_all_breaks_the_parsers(cell):
    for parse in (parsing.iva, parsing.quantity, parsing.barcode, parsing.brand, parsing.code):
        with suppress(BadCell):
            parse(cell)
    with suppress(BadCell):
        assert 0 < parsing.price(cell, UNKNOWN) <= parsing.MAX_PRICE


@pytest.mark.parametrize(
    ("cell", "rate"),
    [
        ("21", "0.21"),
        ("21%", "0.21"),
        ("0,21", "0.21"),
        ("10.5", "0.105"),
        ("IVA 10,5 %", "0.105"),
        ("1%", "0.01"),
        ("0", "0"),
        (0.21, "0.21"),
        (21.0, "0.21"),
        ("1.5", "1.5"),
        ("27,00", "0.27"),
    ],
)
def test_vat_is_read_as_a_fraction(cell, rate):
    assert parsing.iva(cell) == Decimal(rate)


@pytest.mark.parametrize("cell", ["exento?", "-21", "210", float("nan")])
def test_vat_that_makes_no_sense_is_refused(cell):
    with pytest.raises(BadCell):
        parsing.iva(cell)


@pytest.mark.parametrize(
    ("cell", "units"),
    [
        ("x 12 u.", 12),
        ("12,00", 12),
        ("1.000", 1000),
        ("Caja 100", 100),
        (12.0, 12),
        ("-", None),
        ("", None),
        ("A-6", 6),
    ],
)
def test_a_quantity_is_the_first_number(cell, units):
    assert parsing.quantity(cell) == units


@pytest.mark.parametrize("cell", ["0", "0,5", "12.5", "caja", "UNIDAD", "c/u", "Par", "-4", 1.5, 0.0, "9999999"])
def test_a_quantity_that_is_no_whole_number_from_one_up_is_not_given(cell):
    assert parsing.quantity(cell) is None


@pytest.mark.parametrize("cell", ["Exento", " EXENTA ", "No  gravado", "N/G"])
def test_what_is_not_taxed_has_a_rate_of_zero(cell):
    assert parsing.iva(cell) == 0


@pytest.mark.parametrize(
    ("cell", "barcode"),
    [
        (7790001234567.0, "7790001234567"),
        ("779 0001", "7790001"),
        ("001234", "001234"),
        ("7790001.0", "7790001"),
        ("AB-123456", "AB-123456"),
        ("0", None),
        ("", None),
    ],
)
def test_barcodes_are_texts(cell, barcode):
    assert parsing.barcode(cell) == barcode


@pytest.mark.parametrize(
    "cell",
    ["S/C", "SIN CODIGO", "x", ".", "-", "s/n", "0012", "12345", 12345.0, "000000", "000-000", "A-12345", 1234567.5,
     "consultar", "#N/A", "٧٧٩٠٠٠١", "x" * 60],
)  # fmt: skip
def test_what_is_no_barcode_is_not_given(cell):
    assert parsing.barcode(cell) is None


def test_a_barcode_that_excel_rounded_is_refused():
    with pytest.raises(BadCell):
        parsing.barcode("7,79E+12")


@pytest.mark.parametrize(
    ("cell", "text"),
    [(37.0, "37"), (1e-7, "0.0000001"), (1e22, "10000000000000000000000"), ("a\nb\0c", "a b c"), (0.1, "0.1")],
)
def test_text_is_exact_and_on_one_line(cell, text):
    assert parsing.text(cell) == text


@given(st.integers(0, 16_383))
def test_letters_and_indexes_of_columns_are_each_others_inverse(index):
    assert parsing.column_index(parsing.column_letters(index)) == index


@pytest.mark.parametrize(("column", "index"), [("A", 0), ("b", 1), ("AA", 26), ("0", 0), (" 7 ", 7)])
def test_columns_are_letters_or_numbers_from_zero(column, index):
    assert parsing.column_index(column) == index


@pytest.mark.parametrize("column", ["", "A1", "-1", "ABCD", "é", "XFE", "16384"])
def test_other_columns_are_refused(column):
    with pytest.raises(ValueError, match="not a column"):
        parsing.column_index(column)
