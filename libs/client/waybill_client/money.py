"""Amounts as decimals and back, exactly."""

from __future__ import annotations

from decimal import Decimal

from google.type.money_pb2 import Money


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


def text(amount: Money) -> str:
    """Such as `12.50 USD`."""
    value = decimal(amount)
    shown = f"{value:.2f}" if value == value.quantize(Decimal("0.01")) else f"{value:f}"
    return f"{shown} {amount.currency_code}"
