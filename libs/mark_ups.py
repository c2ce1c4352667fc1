"""waybill.type.v1.PriceMarkUp as its contract lets it be: whoever keeps one, and whoever prices by one, checks it here."""

from __future__ import annotations

from decimal import Decimal

from libs.errors import Violations
from libs.protoconv import decimal_in, money_in
from waybill.type.v1 import price_mark_up_pb2 as pb
from waybill.type.v1 import reasons

MAX_AMOUNTS = 20
_AMOUNTS = (pb.PRICE_MARK_UP_TYPE_AMOUNT_PER_QUANTITY, pb.PRICE_MARK_UP_TYPE_AMOUNT_TOTAL)


def check_mark_up(found: Violations, where: str, given: pb.PriceMarkUp) -> None:
    """Notes everything that is wrong with one, under the path of its field."""
    type = given.type
    if type == pb.PRICE_MARK_UP_TYPE_UNSPECIFIED:
        found.add(f"{where}.type", reasons.FIELD_REQUIRED, "is required")
    elif type not in pb.PriceMarkUpType.values():
        found.add(f"{where}.type", reasons.FIELD_INVALID, "is no type of mark-up")
    if given.amounts and type not in _AMOUNTS:
        found.add(f"{where}.amounts", reasons.FIELD_INVALID, "this type of mark-up has no amounts")
    if given.HasField("percentage") and type != pb.PRICE_MARK_UP_TYPE_PERCENTAGE:
        found.add(f"{where}.percentage", reasons.FIELD_INVALID, "this type of mark-up has no percentage")
    found.require(f"{where}.amounts", len(given.amounts) <= MAX_AMOUNTS, reasons.TOO_MANY_ITEMS, f"at most {MAX_AMOUNTS}")
    seen: set[str] = set()
    for i, amount in enumerate(given.amounts[:MAX_AMOUNTS]):
        at, code = f"{where}.amounts[{i}]", amount.currency_code
        found.require(at, code not in seen, reasons.DUPLICATE_ITEM, f"{code} stands twice")
        seen.add(code)
        money_in(found, at, amount, finer=type == pb.PRICE_MARK_UP_TYPE_AMOUNT_PER_QUANTITY)
    decimal_in(found, f"{where}.percentage", given.percentage, Decimal(0), Decimal(1_000))
