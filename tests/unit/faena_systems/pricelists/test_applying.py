from decimal import Decimal

import pytest
from django.db import IntegrityError, connection

from faena_systems.pricelists import applying, bulk
from faena_systems.pricelists.applying import Applied, apply
from faena_systems.pricelists.models import (
    Articulo,
    ArticuloProveedor,
    ArticuloSinRevisar,
    PrecioDeLista,
    Proveedor,
)
from faena_systems.pricelists.rows import Row


def row(codigo="7/", precio="10.00", descripcion="Tornillo", **more):
    return Row(1, codigo, descripcion, Decimal(precio), **more)


def test_a_new_code_makes_a_price_an_unreviewed_article_and_a_link(proveedor):
    assert apply(proveedor.pk, [row()]) == Applied(1, 0, 0)
    precio = PrecioDeLista.objects.get()
    assert (precio.codigo, precio.precio, precio.iva, precio.bulto, precio.stock, precio.marca) == (
        "7/", Decimal("10.00"), Decimal("0.21"), 1, 0, "",
    )  # fmt: skip
    unreviewed = ArticuloSinRevisar.objects.get()
    assert (unreviewed.estado, unreviewed.descripcion, unreviewed.descripcion_proveedor) == (
        "pendiente", "Tornillo", "Tornillo",
    )  # fmt: skip
    link = ArticuloProveedor.objects.get()
    assert (link.precio_de_lista, link.articulo, link.articulo_sin_revisar) == (precio, None, unreviewed)


def test_an_existing_price_takes_what_is_given_and_keeps_the_rest(proveedor):
    apply(proveedor.pk, [row(bulto=12, iva=Decimal("0.105"), marca="Duke")])
    PrecioDeLista.objects.update(stock=5)
    assert apply(proveedor.pk, [row(precio="11.50", descripcion="Tornillo nuevo")]) == Applied(0, 1, 0)
    precio = PrecioDeLista.objects.get()
    assert (precio.precio, precio.descripcion, precio.bulto, precio.iva, precio.marca, precio.stock) == (
        Decimal("11.50"), "Tornillo nuevo", 12, Decimal("0.105"), "Duke", 5,
    )  # fmt: skip


@pytest.mark.parametrize("change", [{"bulto": 6}, {"iva": Decimal("0.27")}, {"marca": "Bahco"}])
def test_each_given_field_counts_as_a_change(proveedor, change):
    apply(proveedor.pk, [row()])
    assert apply(proveedor.pk, [row(**change)]) == Applied(0, 1, 0)
    assert apply(proveedor.pk, [row(**change)]) == Applied(0, 0, 1)


def test_the_description_a_person_gave_is_kept(proveedor):
    apply(proveedor.pk, [row()])
    ArticuloSinRevisar.objects.update(descripcion="Revisado", estado="nuevo")
    apply(proveedor.pk, [row(descripcion="Otro nombre")])
    unreviewed = ArticuloSinRevisar.objects.get()
    assert (unreviewed.descripcion, unreviewed.descripcion_proveedor, unreviewed.estado) == (
        "Revisado", "Otro nombre", "nuevo",
    )  # fmt: skip


def test_a_barcode_makes_an_article_and_maps_the_unreviewed_one(proveedor):
    apply(proveedor.pk, [row(barcode="779", marca="Duke")])
    article = Articulo.objects.get()
    assert (article.codigo_barras, article.descripcion, article.marca) == ("779", "Tornillo", "Duke")
    assert ArticuloSinRevisar.objects.get().estado == "mapeado"
    assert ArticuloProveedor.objects.get().articulo == article


def test_a_barcode_that_comes_later_moves_the_link(proveedor):
    apply(proveedor.pk, [row()])
    apply(proveedor.pk, [row(barcode="779")])
    link = ArticuloProveedor.objects.get()
    assert (link.articulo.codigo_barras, link.articulo_sin_revisar) == ("779", None)
    assert ArticuloSinRevisar.objects.get().estado == "mapeado"


def test_without_a_barcode_a_persons_mapping_stands(proveedor):
    apply(proveedor.pk, [row()])
    article = Articulo.objects.create(codigo_barras="1", descripcion="x")
    ArticuloProveedor.objects.update(articulo=article, articulo_sin_revisar=None)
    ArticuloSinRevisar.objects.all().delete()
    apply(proveedor.pk, [row(precio="12")])
    assert ArticuloProveedor.objects.get().articulo == article
    assert ArticuloSinRevisar.objects.get().estado == "mapeado"


def test_suppliers_share_articles_and_nothing_else(proveedor):
    other = Proveedor.objects.create(nombre="Otro", abreviatura="OTR")
    apply(proveedor.pk, [row(barcode="779")])
    apply(other.pk, [row(barcode="779", descripcion="Otra descripción")])
    assert Articulo.objects.get().descripcion == "Tornillo"
    assert PrecioDeLista.objects.count() == ArticuloProveedor.objects.count() == 2


def test_related_rows_that_were_lost_are_made_again(proveedor):
    apply(proveedor.pk, [row()])
    ArticuloProveedor.objects.all().delete()
    ArticuloSinRevisar.objects.all().delete()
    assert apply(proveedor.pk, [row()]) == Applied(0, 0, 1)
    assert ArticuloProveedor.objects.get().articulo_sin_revisar == ArticuloSinRevisar.objects.get()


def test_of_several_rows_with_one_code_the_last_counts(proveedor):
    assert apply(proveedor.pk, [row(precio="1"), row(precio="2")]) == Applied(1, 0, 0)
    assert PrecioDeLista.objects.get().precio == 2


def test_no_rows_are_no_work(proveedor, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert apply(proveedor.pk, []) == Applied(0, 0, 0)


def test_a_chunk_takes_a_fixed_number_of_statements(proveedor, django_assert_max_num_queries):
    rows = [row(f"{number}/", barcode=f"b{number}" if number % 2 else None) for number in range(200)]
    with django_assert_max_num_queries(10):
        assert apply(proveedor.pk, rows) == Applied(200, 0, 0)
    changed = [each._replace(precio=Decimal(99)) for each in rows]
    with django_assert_max_num_queries(8):
        assert apply(proveedor.pk, changed) == Applied(0, 200, 0)


HARD = [
    'comillas " y \\ barras',
    "llaves { } y , comas",
    "NULL",
    "null",
    "ñandú 🦤",
    "%s %% '; DROP TABLE x; --",
    "\x7f",
]


@pytest.mark.parametrize("text", HARD)
def test_texts_arrive_as_they_are(proveedor, text):
    apply(proveedor.pk, [row(codigo=text + "/", descripcion=text, marca=text)])
    precio = PrecioDeLista.objects.get()
    assert (precio.codigo, precio.descripcion, precio.marca) == (text + "/", text, text)
    assert apply(proveedor.pk, [row(codigo=text + "/", descripcion=text)]) == Applied(0, 0, 1)


def test_the_largest_price_is_exact(proveedor):
    apply(proveedor.pk, [row(precio="9999999999.99")])
    assert PrecioDeLista.objects.get().precio == Decimal("9999999999.99")
    assert apply(proveedor.pk, [row(precio="9999999999.99")]) == Applied(0, 0, 1)


def test_a_code_that_somebody_writes_meanwhile_is_looked_up_again(proveedor, monkeypatch):
    real = applying.apply_prices

    def meanwhile(proveedor_id, by_code):
        monkeypatch.setattr(applying, "apply_prices", real)
        raise IntegrityError

    monkeypatch.setattr(applying, "apply_prices", meanwhile)
    assert apply(proveedor.pk, [row()]) == Applied(1, 0, 0)


def test_more_rows_than_a_statement_takes(proveedor):
    rows = [row(f"{number}/") for number in range(bulk.SQLITE_ROWS * 3 + 1)]
    assert apply(proveedor.pk, rows) == Applied(len(rows), 0, 0)


@pytest.mark.parametrize(
    "broken",
    [
        "UPDATE importaciones_preciodelista SET precio = 0",
        "UPDATE importaciones_preciodelista SET iva = 2",
        "UPDATE importaciones_preciodelista SET bulto = 0",
        "UPDATE importaciones_preciodelista SET descripcion = ''",
        "UPDATE importaciones_articuloproveedor SET articulo_sin_revisar_id = NULL",
        "UPDATE importaciones_articulosinrevisar SET estado = 'x'",
        "UPDATE importaciones_proveedor SET abreviatura = 'tor'",
    ],
)
def test_the_database_itself_refuses_nonsense(proveedor, broken):
    apply(proveedor.pk, [row()])
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute(broken)
