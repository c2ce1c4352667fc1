"""Mark-ups between messages and values: as the catalog has them, and as pricing and people are given them."""

from __future__ import annotations

from decimal import Decimal

from libs.protoconv import decimal_out, money_micros, money_out
from services.order.domain.choice import MarkUp
from waybill.type.v1.price_mark_up_pb2 import PriceMarkUp, PriceMarkUpType

_PREFIX = "PRICE_MARK_UP_TYPE_"


def mark_up_in(message: PriceMarkUp) -> MarkUp:
    """A mark-up that one of our own services made."""
    return MarkUp(
        PriceMarkUpType.Name(message.type).removeprefix(_PREFIX),
        {amount.currency_code: money_micros(amount) for amount in message.amounts},
        Decimal(message.percentage.value or 0),
    )


def mark_up_out(mark_up: MarkUp) -> PriceMarkUp:
    """A mark-up as a message."""
    return PriceMarkUp(
        type=PriceMarkUpType.Value(f"{_PREFIX}{mark_up.type}"),
        amounts=[money_out(micros, currency) for currency, micros in mark_up.amounts.items()],
        percentage=decimal_out(mark_up.percentage) if mark_up.type == "PERCENTAGE" else None,
    )
