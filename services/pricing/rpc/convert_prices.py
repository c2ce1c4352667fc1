"""Between messages and values: the mark-ups of a line, and the steps of its price."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import assert_never

from libs.errors import Violations
from libs.protoconv import decimal_in, decimal_out, money_in, money_out
from services.pricing.domain.calculation.mark_ups import MarkUp, MarkUpType
from services.pricing.domain.calculation.unit_prices import ByHand, FromSchedule, Step
from waybill.pricing.v1 import pricing_pb2 as pb
from waybill.pricing.v1 import reasons
from waybill.type.v1 import price_mark_up_pb2 as mark_up_pb

MAX_MARK_UPS = 20
"""Mark-ups of a line, and currencies of a mark-up."""
_AMOUNTS = (MarkUpType.AMOUNT_PER_QUANTITY, MarkUpType.AMOUNT_TOTAL)
_PREFIX = "PRICE_MARK_UP_TYPE_"


def mark_ups_in(found: Violations, where: str, messages: Sequence[pb.LineMarkUp]) -> tuple[MarkUp, ...]:
    """Checked mark-ups of a line, each spec once."""
    if len(messages) > MAX_MARK_UPS:
        found.add(where, reasons.TOO_MANY_ITEMS, f"at most {MAX_MARK_UPS}")
        return ()
    made = []
    seen: set[str] = set()
    for i, message in enumerate(messages):
        at = f"{where}[{i}]"
        found.check_id(f"{at}.spec_id", message.spec_id)
        found.check_id(f"{at}.option_id", message.option_id)
        found.require(f"{at}.spec_id", message.spec_id not in seen, reasons.DUPLICATE_ITEM, "stands twice")
        seen.add(message.spec_id)
        made.append(_mark_up(found, f"{at}.mark_up", message))
    return tuple(made)


def _mark_up(found: Violations, where: str, message: pb.LineMarkUp) -> MarkUp:
    given = message.mark_up
    type = _type(found, f"{where}.type", given.type)
    if given.amounts and type not in _AMOUNTS:
        found.add(f"{where}.amounts", reasons.FIELD_INVALID, "this type of mark-up has no amounts")
    if given.HasField("percentage") and type is not MarkUpType.PERCENTAGE:
        found.add(f"{where}.percentage", reasons.FIELD_INVALID, "this type of mark-up has no percentage")
    amounts: dict[str, int] = {}
    found.require(f"{where}.amounts", len(given.amounts) <= MAX_MARK_UPS, reasons.TOO_MANY_ITEMS, f"at most {MAX_MARK_UPS}")
    for i, amount in enumerate(given.amounts[:MAX_MARK_UPS]):
        at, code = f"{where}.amounts[{i}]", amount.currency_code
        found.require(at, code not in amounts, reasons.DUPLICATE_ITEM, f"{code} stands twice")
        amounts[code] = money_in(found, at, amount, finer=type is MarkUpType.AMOUNT_PER_QUANTITY)
    percentage = decimal_in(found, f"{where}.percentage", given.percentage, Decimal(0), Decimal(1_000))
    return MarkUp(message.spec_id, message.option_id, type, amounts, percentage)


def _type(found: Violations, where: str, given: mark_up_pb.PriceMarkUpType.ValueType) -> MarkUpType:
    names = mark_up_pb.PriceMarkUpType.DESCRIPTOR.values_by_number
    if given == mark_up_pb.PRICE_MARK_UP_TYPE_UNSPECIFIED:
        found.add(where, reasons.FIELD_REQUIRED, "is required")
        return MarkUpType.NO_MARK_UP
    if given not in names:
        found.add(where, reasons.FIELD_INVALID, "is no type of mark-up")
        return MarkUpType.NO_MARK_UP
    return MarkUpType(names[given].name.removeprefix(_PREFIX))


def step_out(step: Step, currency: str) -> pb.PriceStep:
    """A step of a price."""
    made = pb.PriceStep(unit_amount=money_out(step.unit, currency))
    if step.line:
        made.line_amount.CopyFrom(money_out(step.line, currency))
    match step.source:
        case FromSchedule() as taken:
            made.schedule.price_schedule_id = taken.schedule_id
            made.schedule.break_quantity = taken.break_quantity
            made.schedule.counted_quantity = taken.counted_quantity
            made.schedule.on_sale = taken.on_sale
        case MarkUp() as mark_up:
            made.mark_up.spec_id, made.mark_up.option_id = mark_up.spec_id, mark_up.option_id
            made.mark_up.type = mark_up_pb.PriceMarkUpType.Value(f"{_PREFIX}{mark_up.type}")
            if mark_up.type is MarkUpType.PERCENTAGE:
                made.mark_up.percentage.CopyFrom(decimal_out(mark_up.percentage))
        case ByHand():
            made.override.SetInParent()
        case _ as unreachable:
            assert_never(unreachable)
    return made
