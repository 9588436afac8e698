"""Suppliers, configurations, prices."""

from decimal import Decimal

import pytest

from faena_systems.pricelists.models import ConfigImportacion, PrecioDeLista, Proveedor

from .conftest import INICIO, sheet, url

pytestmark = pytest.mark.django_db

FACTORS = {
    "descuento_comercial": "0.1",
    "margen_ganancia": "1.5",
    "margen_ganancia_efectivo": "0.9",
    "margen_ganancia_bulto": "0.95",
}


def test_the_first_page_teaches_where_to_start(web):
    assert "Start with a supplier" in web.get(INICIO).text


def test_a_supplier_is_added_and_chosen(web):
    answer = web.post(url("add-supplier"), {"nombre": "El Tornillo", "abreviatura": " tor "} | FACTORS, follow=True)
    made = Proveedor.objects.get()
    assert made.abreviatura == "TOR"
    assert "Now upload its list" in answer.text
    assert f'<option value="{made.pk}" selected>' in answer.text


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"nombre": ""}, "nombre"),
        ({"abreviatura": "../x"}, "abreviatura"),
        ({"abreviatura": "tor"}, "abreviatura"),
        ({"descuento_comercial": "2"}, "descuento_comercial"),
        ({"margen_ganancia": "-1"}, "margen_ganancia"),
    ],
)
def test_a_wrong_supplier_is_refused_at_the_field(web, proveedor, changed, field):
    answer = web.post(url("add-supplier"), {"nombre": "Otro", "abreviatura": "OTRO"} | FACTORS | changed)
    assert set(answer.context["form"].errors) == {field}
    assert Proveedor.objects.count() == 1


@pytest.mark.parametrize("discount", ["2", "15", "150000"])
def test_a_discount_in_per_cent_is_told_to_be_a_fraction(web, discount):
    data = {"nombre": "Otro", "abreviatura": "OTRO"} | FACTORS | {"descuento_comercial": discount}
    assert "Give a fraction from 0 to 1" in web.post(url("add-supplier"), data).text


def test_a_supplier_keeps_its_short_name(web, proveedor):
    web.post(url("supplier", proveedor.pk), {"nombre": "Nuevo", "abreviatura": "OTRA"} | FACTORS)
    proveedor.refresh_from_db()
    assert (proveedor.nombre, proveedor.abreviatura) == ("Nuevo", "TOR")


def test_a_configuration_is_edited(web, config):
    data = {name.removeprefix("s0n-"): value for name, value in sheet(col_marca="h").items()}
    web.post(url("config", config.pk), data)
    config.refresh_from_db()
    assert (config.nombre_config, config.col_marca, config.col_iva) == ("nueva", "H", "")


def test_a_configurations_name_stays_unique(web, config, proveedor):
    other = ConfigImportacion.objects.create(
        proveedor=proveedor, nombre_config="otra", col_codigo="A", col_descripcion="B", col_precio="C"
    )
    data = {name.removeprefix("s0n-"): value for name, value in sheet(nombre_config="de siempre").items()}
    assert "nombre_config" in web.post(url("config", other.pk), data).context["form"].errors


@pytest.fixture
def prices(proveedor):
    return PrecioDeLista.objects.bulk_create(
        PrecioDeLista(proveedor=proveedor, codigo=f"{n:03}/", descripcion=f"Clavo {n}", precio=100, bulto=10)
        for n in range(250)
    )


def test_prices_for_sale(web, proveedor, prices):
    lines = web.get(url("precios", proveedor.pk)).context["page"].lines
    sale = lines[0].sale
    assert len(lines) == 100
    assert (sale.final, sale.cash, sale.pack) == (Decimal("181.50"), Decimal("163.35"), Decimal("1724.25"))
    page = web.get(url("precios", proveedor.pk)).text
    assert "<strong>181.50</strong>" in page
    assert "1,724.25" in page
    assert "21 %" in page


def test_prices_are_searched_and_paged(web, proveedor, prices):
    def codes(**query):
        return [line.precio.codigo for line in web.get(url("precios", proveedor.pk), query).context["page"].lines]

    assert codes(page=3)[0] == "200/"
    assert len(codes(page=3)) == 50
    assert codes(q="clavo 249") == ["249/"]
    assert codes(q="nada") == []


def test_no_prices_yet_and_none_that_match(web, proveedor):
    assert "No prices yet" in web.get(url("precios", proveedor.pk)).text
    assert "No price matches" in web.get(url("precios", proveedor.pk), {"q": "x"}).text
    assert web.get(url("precios", proveedor.pk + 1)).status_code == 404


@pytest.mark.parametrize(("counted", "shown"), [(1, "<dd>more than 1</dd>"), (2, "<dd>2</dd>")])
def test_a_count_that_stops_says_so(web, imported, proveedor, monkeypatch, counted, shown):
    imported([["7", "Clavo", 5], ["8", "Tuerca", 6]])
    monkeypatch.setattr("faena_systems.pricelists.views.prices.COUNTED", counted)
    assert shown in web.get(url("precios", proveedor.pk)).text
