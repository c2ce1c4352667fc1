"""Amounts as the client shows them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from google.type.money_pb2 import Money
from hypothesis import given
from hypothesis import strategies as st

from libs.money import minor_unit
from waybill_client import money, text
from waybill_client.money import decimal, digits


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("12.5", "USD", "12.50 USD"),
        ("-0.5", "USD", "-0.50 USD"),
        ("1.007857", "USD", "1.007857 USD"),
        ("1000", "USD", "1000.00 USD"),
        ("5997", "JPY", "5997 JPY"),
        ("0.5", "JPY", "0.5 JPY"),
        ("1.2", "KWD", "1.200 KWD"),
        ("0", "EUR", "0.00 EUR"),
        ("7", "PTS", "7 PTS"),
    ],
)
def test_an_amount_has_its_currencys_digits_and_more_where_it_is_finer(amount: str, currency: str, shown: str) -> None:
    assert text(money(amount, currency)) == shown


@given(st.integers(-(10**12), 10**12), st.integers(0, 999_999_999), st.sampled_from(["USD", "JPY", "KWD", "CLF", "XAU"]))
def test_what_is_shown_is_the_exact_amount(units: int, nanos: int, currency: str) -> None:
    amount = Money(currency_code=currency, units=units, nanos=nanos if units >= 0 else -nanos)
    assert Decimal(text(amount).split()[0]) == decimal(amount)


@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD", "CLF", "XAU"])
def test_the_client_and_the_services_agree_on_minor_units(currency: str) -> None:
    assert 10 ** digits(currency) * minor_unit(currency) == 1_000_000
