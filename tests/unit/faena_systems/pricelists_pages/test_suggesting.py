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
