"""A supplier's list with the prices for sale."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.shortcuts import get_object_or_404
from django.views.generic import TemplateView

from faena.monitor.page import Page

from .. import queries
from ..models import PrecioDeLista, Proveedor
from ..pricing import Factors, SalePrices
from .shared import PAGE, page_number

COUNTED = 100_000


@dataclass(frozen=True)
class PriceLine:
    """A list price, its VAT in percent, and what it gives for sale."""

    precio: PrecioDeLista
    iva_percent: Decimal
    sale: SalePrices

    @classmethod
    def of(cls, precio: PrecioDeLista) -> PriceLine:
        """Work out what the table shows."""
        return cls(precio, (precio.iva * 100).normalize(), precio.sale_prices())


@dataclass(frozen=True)
class PricePage:
    """A page of the list."""

    lines: list[PriceLine]
    number: int
    is_last: bool
    factors: Factors


class Prices(Page, TemplateView):
    """Search and pages of 100."""

    template_name = "importaciones/prices.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read one page, and one row more to know whether another follows."""
        proveedor = get_object_or_404(Proveedor, pk=kwargs["prov"])
        number, search = page_number(self.request), self.request.GET.get("q", "").strip()[:100]
        found = queries.prices(proveedor, search, offset=(number - 1) * PAGE, ceiling=PAGE + 1)
        total = proveedor.precios.order_by()[: COUNTED + 1].count()
        return super().get_context_data(**kwargs) | {
            "proveedor": proveedor,
            "page": PricePage(
                [PriceLine.of(precio) for precio in found[:PAGE]],
                number,
                len(found) <= PAGE,
                shown_factors(proveedor),
            ),
            "search": search,
            "total": min(total, COUNTED),
            "more": total > COUNTED,
        }


def shown_factors(proveedor: Proveedor) -> Factors:
    """Return the supplier's factors without idle zeros, the discount in percent."""
    return Factors(
        (proveedor.descuento_comercial * 100).normalize(),
        proveedor.margen_ganancia.normalize(),
        proveedor.margen_ganancia_efectivo.normalize(),
        proveedor.margen_ganancia_bulto.normalize(),
    )
