import pytest

from faena_systems.pricelists.suggesting import field_named, suggest


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("Código", "col_codigo"),
        ("COD.", "col_codigo"),
        ("Cód. barras", "col_cod_barras"),
        ("EAN", "col_cod_barras"),
        ("Descripción del producto", "col_descripcion"),
        ("DETALLE", "col_descripcion"),
        ("Precio de lista", "col_precio"),
        ("Importe", "col_precio"),
        ("Unid. x bulto", "col_cant"),
        ("IVA %", "col_iva"),
        ("Marca", "col_marca"),
        ("", None),
        ("Distribuidora", None),
        ("Precios sin IVA, sujetos a cambio sin previo aviso", None),
    ],
)
def test_titles(title, field):
    assert field_named(title) == field


def test_the_row_with_most_titles_is_the_header():
    rows = [(1, ["Lista de precios", ""]), (2, ["", ""]), (3, ["Código", "Detalle", "Precio", "Precio 2"]), (4, ["7"])]
    found = suggest(rows)
    assert found == (3, {"col_codigo": "A", "col_descripcion": "B", "col_precio": "C"})
    assert found.is_whole


def test_without_titles_nothing_is_suggested():
    found = suggest([(1, ["7", "Clavo", "5"])])
    assert (found.start_row, found.columns, found.is_whole) == (0, {}, False)


@pytest.mark.parametrize(
    ("values", "column"),
    [(["u", "kg"], "E"), (["kg", "12 u"], "D"), (["", "-"], "D"), ([], "D")],
)
def test_units_of_measure_are_no_quantities(values, column):
    titles = ["Código", "Detalle", "Precio", "Unidad", "Bulto"]
    rows = [(1, titles), *((number, ["7", "Clavo", "5", value, "6"]) for number, value in enumerate(values, 2))]
    assert suggest(rows).columns["col_cant"] == column


def test_without_a_column_of_quantities_none_is_suggested():
    assert "col_cant" not in suggest([(1, ["Código", "Unidad", "Precio"]), (2, ["7", "kg"])]).columns
