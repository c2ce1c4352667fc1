"""Between messages of fees and values."""

from __future__ import annotations

from collections.abc import Sequence

from libs.errors import Violations
from libs.protoconv import decimal_in, decimal_out, money_in, money_out, text_in
from services.pricing.domain.calculation.fees import Fee, PricedFee
from services.pricing.domain.calculation.quote import QuotedFee
from services.pricing.domain.tax.rates import FEES
from services.pricing.rpc.convert_places import destination_in
from waybill.pricing.v1 import pricing_pb2, reasons
from waybill.pricing.v1 import redemption_service_pb2 as redemption_pb

MAX_FEES = 20


def fees_in(found: Violations, currency: str, messages: Sequence[pricing_pb2.PricingFee]) -> list[Fee]:
    """Checked fees."""
    if not _few(found, "fees", len(messages)):
        return []
    fees: list[Fee] = []
    seen: set[str] = set()
    for i, m in enumerate(messages):
        where = f"fees[{i}]"
        found.check_id(f"{where}.fee_id", m.fee_id)
        found.require(f"{where}.fee_id", m.fee_id not in seen, reasons.DUPLICATE_ITEM, "stands twice")
        seen.add(m.fee_id)
        tax_class = text_in(found, f"{where}.tax_class", m.tax_class, 100) or FEES
        amount = money_in(found, f"{where}.amount", m.amount, currency)
        fees.append(Fee(m.fee_id, amount, tax_class, destination_in(m, "destination")))
    return fees


def quoted_fees_in(found: Violations, messages: Sequence[redemption_pb.ExpectedFee]) -> list[QuotedFee]:
    """What the order's fees were quoted at."""
    if not _few(found, "expected_fees", len(messages)):
        return []
    return [
        QuotedFee(
            m.fee_id,
            decimal_in(found, f"expected_fees[{i}].tax_rate", m.tax_rate),
            text_in(found, f"expected_fees[{i}].tax_class", m.tax_class, 100) or FEES,
            destination_in(m, "destination"),
        )
        for i, m in enumerate(messages)
    ]


def _few(found: Violations, field: str, count: int) -> bool:
    found.require(field, count <= MAX_FEES, reasons.TOO_MANY_ITEMS, f"at most {MAX_FEES} fees")
    return count <= MAX_FEES


def fee_out(fee: PricedFee, currency: str) -> pricing_pb2.PricedFee:
    """A fee with its tax."""
    return pricing_pb2.PricedFee(
        fee_id=fee.id,
        amount=money_out(fee.amount, currency),
        tax=money_out(fee.tax, currency),
        tax_rate=decimal_out(fee.tax_rate),
    )
