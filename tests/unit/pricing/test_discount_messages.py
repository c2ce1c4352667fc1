"""Discounts as services read them."""

from __future__ import annotations

from datetime import UTC, datetime

from libs.protoconv import money_micros
from services.pricing.domain.calculation.calculate import Shipment, calculate
from services.pricing.domain.calculation.discounts import Discount, Promoted
from services.pricing.domain.calculation.line import Line
from services.pricing.domain.tax.rates import Rates
from services.pricing.rpc.convert import line_out, shipment_out

CENT = 10_000


def test_lines_and_shipping_say_what_gave_each_discount() -> None:
    spring, daily = Discount(Promoted("spring", "SPRING"), 5 * CENT), Discount(Promoted("daily"), 70 * CENT)
    line = Line("l", "p", 1, unit_price_override=100 * CENT, discount_override=20 * CENT, discounts=(spring, daily))
    shipment = Shipment("e", 90 * CENT, discounts=(daily,))
    made = calculate("USD", [line], [shipment], None, {}, Rates(()), datetime(2026, 3, 2, tzinfo=UTC))
    messages = [line_out(made.lines[0], "USD"), shipment_out(made.shipments[0], "USD")]
    assert [
        [(d.WhichOneof("source"), d.promotion.promotion_id, d.promotion.code, money_micros(d.amount)) for d in message.discounts]
        for message in messages
    ] == [
        [("override", "", "", 20 * CENT), ("promotion", "spring", "SPRING", 5 * CENT), ("promotion", "daily", "", 70 * CENT)],
        [("promotion", "daily", "", 70 * CENT)],
    ]
    assert [money_micros(message.discount) for message in messages] == [95 * CENT, 70 * CENT]
