"""Units of the seller's own, such as points: what they may be called, and how many of them an amount of money costs.

An account in such a unit says how many digits it has after the point, and what one unit is worth in the currency of the orders
that it pays. Amounts of a unit are kept in its millionths, as those of money are.
"""

from __future__ import annotations

import re
from typing import Final

from libs.errors import Violations
from libs.money import MICRO, MoneyError, minor_unit, share
from waybill.payment.v1 import reasons

MAX_CODE: Final = 20
MAX_DIGITS: Final = 6
MAX_RATE: Final = 1_000_000 * MICRO
MOST: Final = 10**18
"""The most that may be drawn on an account at once, in millionths of its unit: more does not fit into a balance."""
_CODE = re.compile(rf"[A-Z][A-Z0-9_]{{1,{MAX_CODE - 1}}}\Z")
_OWN = "must be an ISO 4217 currency code, or a unit of the seller's own, whose rate and order_currency are stated"


def is_currency(code: str) -> bool:
    """Whether ISO 4217 has it."""
    try:
        minor_unit(code)
    except MoneyError:
        return False
    return True


def is_unit(code: str) -> bool:
    """Whether a balance may be counted in it: a currency, or what a unit of the seller's own may be called."""
    return is_currency(code) or bool(_CODE.match(code))


def check(found: Violations, where: str, code: str, digits: int, rate: int, order_currency: str) -> None:
    """What an account says of its unit: all of it for one of the seller's own, and nothing for a currency."""
    stated = bool(digits or rate or order_currency)
    if not code:
        found.add(f"{where}.currency", reasons.FIELD_REQUIRED, "is required")
    elif is_currency(code):
        for name, value in (("unit_digits", digits), ("rate", rate), ("order_currency", order_currency)):
            found.require(f"{where}.{name}", not value, reasons.FIELD_INVALID, "is for a unit of the seller's own")
    elif not stated or not _CODE.match(code):
        found.add(f"{where}.currency", reasons.FIELD_INVALID, _OWN)
    else:
        found.require(f"{where}.unit_digits", 0 <= digits <= MAX_DIGITS, reasons.VALUE_OUT_OF_RANGE, f"must be 0 to {MAX_DIGITS}")
        found.require(f"{where}.rate", 0 < rate <= MAX_RATE, reasons.VALUE_OUT_OF_RANGE, "must be above 0, at most 1000000")
        if not is_currency(order_currency):
            found.add(f"{where}.order_currency", reasons.FIELD_INVALID, "must be an ISO 4217 currency code")


def smallest(code: str, digits: int) -> int:
    """The smallest amount that there is of a unit, in its millionths: 10,000 of USD, and of a point with two digits."""
    return minor_unit(code) if is_currency(code) else int(MICRO // 10**digits)


def cost(amount: int, rate: int, digits: int) -> int:
    """How much of a unit pays an amount of money: rounded up to what there is of the unit, so that no payment is for nothing."""
    step = smallest("", digits)
    return -(-amount * MICRO // (rate * step)) * step


def given_back(debited: int, digits: int, returned: int, amount: int) -> int:
    """How much of what was debited for an amount has gone back when so much of the amount has: all of it with all.

    By the same rule as units of a line (docs/decisions.md, "Units have no rows"): whatever the pieces are, they add up.
    """
    if not amount:
        return 0
    return share(debited, amount, returned, smallest("", digits))
