"""Between messages and values: the mark-ups of a line, the buyer's exemptions, the steps of a price, and its costs."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import assert_never

from libs.errors import Violations
from libs.mark_ups import check_mark_up
from libs.protoconv import decimal_out, instant, money_micros, money_out
from services.pricing.domain.calculation.costs import LineCost
from services.pricing.domain.calculation.mark_ups import MarkUp, MarkUpType
from services.pricing.domain.calculation.unit_prices import ByHand, Exempted, FromSchedule, Step
from services.pricing.domain.tax.exemptions import Exemption
from services.pricing.domain.tax.rates import class_key
from waybill.pricing.v1 import pricing_pb2 as pb
from waybill.pricing.v1 import reasons
from waybill.type.v1 import price_mark_up_pb2 as mark_up_pb
from waybill.type.v1.tax_exemption_pb2 import TaxExemption

MAX_EXEMPTIONS = 100
"""Exemptions of a buyer."""
MAX_MARK_UPS = 20
"""Mark-ups of a line."""
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
    wrong = len(found.items)
    check_mark_up(found, where, given)
    if len(found.items) > wrong:
        return MarkUp(message.spec_id, message.option_id, MarkUpType.NO_MARK_UP, defines_variant=message.defines_variant)
    return MarkUp(
        message.spec_id,
        message.option_id,
        MarkUpType(mark_up_pb.PriceMarkUpType.Name(given.type).removeprefix(_PREFIX)),
        {amount.currency_code: money_micros(amount) for amount in given.amounts},
        Decimal(given.percentage.value or 0),
        message.defines_variant,
    )


def exemptions_in(found: Violations, messages: Sequence[TaxExemption]) -> tuple[Exemption, ...]:
    """The buyer's exemptions. The directory has checked them, so only their number is."""
    if len(messages) > MAX_EXEMPTIONS:
        found.add("tax_exemptions", reasons.TOO_MANY_ITEMS, f"at most {MAX_EXEMPTIONS}")
        return ()
    return tuple(
        Exemption(
            country=m.country,
            certificate_id=m.certificate_id,
            tax_class=class_key(m.tax_class) if m.tax_class else "",
            start=instant(m.start_time) if m.HasField("start_time") else None,
            end=instant(m.end_time) if m.HasField("end_time") else None,
        )
        for m in messages
    )


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
            made.schedule.tax_included = taken.tax_included
        case MarkUp() as mark_up:
            made.mark_up.spec_id, made.mark_up.option_id = mark_up.spec_id, mark_up.option_id
            made.mark_up.type = mark_up_pb.PriceMarkUpType.Value(f"{_PREFIX}{mark_up.type}")
            if mark_up.type is MarkUpType.PERCENTAGE:
                made.mark_up.percentage.CopyFrom(decimal_out(mark_up.percentage))
        case ByHand() as by_hand:
            made.override.SetInParent()
            made.override.tax_included = by_hand.tax_included
        case Exempted() as exempted:
            made.exemption.certificate_id = exempted.certificate_id
            made.exemption.tax_rate.CopyFrom(decimal_out(exempted.rate))
        case _ as unreachable:
            assert_never(unreachable)
    return made


def cost_out(cost: LineCost, currency: str) -> pb.LineCost:
    """What a supplier is paid for a unit of a line."""
    return pb.LineCost(line_item_id=cost.line_id, supplier_id=cost.supplier_id, unit_cost=money_out(cost.unit, currency))
