from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shipping.domain.rates import misordered
from tests.unit.shipping.builders import table

STEPS = table(("1", "5"), ("5", "9.50"), ("20", "12", "0.333"), handling="0.50")


@pytest.mark.parametrize(
    ("weight", "price"),
    [
        ("0", "5.50"),
        ("0.999", "5.50"),
        ("1", "5.50"),
        ("1.0000001", "10.00"),
        ("5", "10.00"),
        ("5.5", "14.33"),  # 12.50 + 1.8315
        ("10", "15.83"),
        ("20", "19.16"),
        ("20.001", None),
    ],
)
def test_the_first_row_that_holds_the_weight_prices_it(weight, price):
    wanted = None if price is None else int(Decimal(price) * 1_000_000)
    assert STEPS.price(Decimal(weight)) == wanted


def test_an_open_last_row_holds_any_weight():
    assert table(("1", "5"), (None, "40")).price(Decimal(10**9)) == 40_000_000


@pytest.mark.parametrize(
    ("currency", "per_kg", "weight", "price"),
    [
        ("USD", "0.01", "0.5", 10_000),  # half a cent goes up
        ("USD", "0.01", "0.4999", 0),
        ("JPY", "1", "2.5", 3_000_000),
        ("JPY", "1", "2.4", 2_000_000),
        ("KWD", "1", "0.0005", 1_000),
    ],
)
def test_a_price_is_rounded_half_up_to_the_currencys_minor_unit(currency, per_kg, weight, price):
    assert table((None, "0", per_kg), currency=currency).price(Decimal(weight)) == price


@given(price=st.integers(0, 10**15), per_kg=st.integers(0, 10**12), grams=st.integers(0, 10**12))
def test_the_price_is_the_exact_sum_rounded_once(price, per_kg, grams):
    rates = table((None, str(Decimal(price) / 10**6), str(Decimal(per_kg) / 10**6)))
    exact = price * 1_000 + per_kg * grams  # thousandths of micros
    cent = 10_000 * 1_000
    assert rates.price(Decimal(grams) / 1_000) == (exact + cent // 2) // cent * 10_000


@pytest.mark.parametrize(
    ("bounds", "wrong"),
    [
        (["1", "2", None], []),
        (["1", "1"], [1]),
        (["2", "1", "3"], [1]),
        ([None, "1"], [0]),
        ([None], []),
        (["0"], [0]),
        (["3", None, "2", None], [1, 2]),
    ],
)
def test_rows_ascend_and_only_the_last_is_open(bounds, wrong):
    assert misordered([None if b is None else Decimal(b) for b in bounds]) == wrong
