"""Amounts as decimals and back, exactly."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from google.type.money_pb2 import Money
from iso4217 import Currency


def money(amount: str | int | Decimal, currency: str) -> Money:
    """An exact amount: `money("12.50", "USD")`. Never from a float."""
    exact = Decimal(amount)
    units = int(exact)
    nanos = (exact - units) * 1_000_000_000
    if nanos != nanos.to_integral_value():
        raise ValueError(f"{amount} is finer than a nano")
    return Money(currency_code=currency, units=units, nanos=int(nanos))


def decimal(amount: Money) -> Decimal:
    """The amount as a decimal."""
    return Decimal(amount.units) + Decimal(amount.nanos) / 1_000_000_000


@cache
def digits(currency: str) -> int:
    """Digits after the point in the currency's minor unit: 2 for USD, 0 for JPY and for what ISO 4217 does not have."""
    try:
        return int(Currency(currency).exponent or 0)
    except ValueError:
        return 0


def text(amount: Money) -> str:
    """With the currency's digits, and more where the amount is finer: `12.50 USD`, `5997 JPY`, `1.0079 USD`."""
    value, least = decimal(amount), digits(amount.currency_code)
    whole, _, fraction = f"{value:f}".partition(".")
    shown = fraction.rstrip("0").ljust(least, "0")
    return f"{whole}.{shown} {amount.currency_code}" if shown else f"{whole} {amount.currency_code}"
