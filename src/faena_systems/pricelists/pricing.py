"""Prices for sale. Pure arithmetic; the rule is the shop's own (docs, price lists)."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Factors:
    """A supplier's factors: ``discount`` is a fraction of the price, the others multiply it."""

    discount: Decimal = Decimal(0)
    margin: Decimal = Decimal("1.5")
    cash: Decimal = Decimal("0.90")
    pack: Decimal = Decimal("0.95")


@dataclass(frozen=True)
class SalePrices:
    """Prices in the list's currency, each rounded half up to 0.01. ``pack`` is for ``bulto`` units."""

    base: Decimal
    final: Decimal
    cash: Decimal
    pack: Decimal


def sale_prices(price: Decimal, iva: Decimal, bulto: int, factors: Factors, *, divided: bool = False) -> SalePrices:
    """Work out base, final, cash and pack price from a list price.

    ``iva`` is a fraction (0.21). ``divided`` means that ``price`` is for a whole pack of ``bulto``
    units. Only the results are rounded, so a factor never multiplies a rounding error.
    """
    unit = price / bulto if divided else price
    base = unit * (1 + iva) * (1 - factors.discount)
    final = base * factors.margin
    return SalePrices(
        base=round_cents(base),
        final=round_cents(final),
        cash=round_cents(final * factors.cash),
        pack=round_cents(final * bulto * factors.pack),
    )


def round_cents(amount: Decimal) -> Decimal:
    """Round half up to 0.01."""
    return amount.quantize(CENT, ROUND_HALF_UP)
