"""What the seller charges for an order as a whole, beside goods and shipping."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from libs.errors import Violations
from libs.money import MICRO
from waybill.order.v1 import reasons

MAX_FEES = 20
"""Most fees on one order."""
LARGEST = 10**12 * MICRO
"""What the fees of an order may come to; its total fits 64 bits with it."""
DEFAULT_TAX_CLASS = "fees"


class FeeSource(StrEnum):
    """Who has set a fee."""

    SELLER = "SELLER"


@dataclass(frozen=True, slots=True)
class Fee:
    """One fee; micros of the order's currency. Tax and rate are those of the last calculation, zero before the first."""

    id: str
    name: str
    amount: int
    tax_class: str = DEFAULT_TAX_CLASS
    tax: int = 0
    tax_rate: Decimal = Decimal(0)
    source: FeeSource = FeeSource.SELLER


def check_fees(found: Violations, count: int, fees: Sequence[Fee]) -> None:
    """Adds a violation for every rule that fees break together: their number, their ids, their sum. Of more than there may be,
    the first are enough to judge."""
    found.require("order.fees", count <= MAX_FEES, reasons.TOO_MANY_ITEMS, f"an order has at most {MAX_FEES} fees")
    seen: set[str] = set()
    for i, fee in enumerate(fees):
        found.require(f"order.fees[{i}].id", fee.id not in seen, reasons.DUPLICATE_ITEM, f"fee id {fee.id!r} stands twice")
        seen.add(fee.id)
    few = fee_total(fees) <= LARGEST
    found.require("order.fees", few, reasons.VALUE_OUT_OF_RANGE, "they come to more than 10^12 units of the currency")


def untaxed(fees: Iterable[Fee]) -> tuple[Fee, ...]:
    """The fees as they were set: a calculation asks about these."""
    return tuple(replace(fee, tax=0, tax_rate=Decimal(0)) for fee in fees)


def taxed(fees: Iterable[Fee], taxes: Mapping[str, tuple[int, Decimal]]) -> tuple[Fee, ...]:
    """The fees with tax and rate by id; all are named."""
    return tuple(replace(fee, tax=taxes[fee.id][0], tax_rate=taxes[fee.id][1]) for fee in fees)


def fee_total(fees: Iterable[Fee]) -> int:
    """Sum of the amounts, without tax."""
    return sum(fee.amount for fee in fees)


def fee_tax(fees: Iterable[Fee]) -> int:
    """Sum of the taxes."""
    return sum(fee.tax for fee in fees)


def listed(fees: Iterable[Fee]) -> list[list[str | int]]:
    """The fees as plain values, in the order of their fields: what is stored, and what events state."""
    return [[f.id, f.name, f.amount, f.tax_class, f.tax, str(f.tax_rate), f.source.value] for f in fees]
