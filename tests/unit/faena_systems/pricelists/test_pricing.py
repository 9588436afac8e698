from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faena_systems.pricelists.pricing import Factors, SalePrices, round_cents, sale_prices


def test_the_shops_own_factors():
    expected = SalePrices(base=D("121.00"), final=D("181.50"), cash=D("163.35"), pack=D("2069.10"))
    assert sale_prices(D("100"), D("0.21"), 12, Factors()) == expected


def test_a_price_for_the_pack_is_divided():
    assert sale_prices(D("1200"), D("0.21"), 12, Factors(), divided=True).base == D("121.00")


def test_the_trade_discount_lowers_the_base():
    assert sale_prices(D("100"), D("0"), 1, Factors(discount=D("0.15"))).base == D("85.00")


@pytest.mark.parametrize(("amount", "rounded"), [("0.005", "0.01"), ("2.675", "2.68"), ("1.0049", "1.00")])
def test_rounding_is_half_up(amount, rounded):
    assert round_cents(D(amount)) == D(rounded)


@given(st.decimals("0.01", "9999999", places=2), st.integers(1, 1000))
def test_cash_is_never_dearer_and_everything_has_two_decimals(price, bulto):
    prices = sale_prices(price, D("0.21"), bulto, Factors())
    assert prices.cash <= prices.final
    assert prices.pack.as_tuple().exponent == -2
