"""Fees of an order as pricing is asked about them, and as it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from libs.protoconv import decimal_out, money_micros, money_out
from services.order.domain.checkout.taxation import Places
from services.order.domain.fees import Fee, taxed
from services.order.domain.model import Order
from waybill.pricing.v1 import pricing_pb2
from waybill.pricing.v1.redemption_service_pb2 import ExpectedFee
from waybill.type.v1.address_pb2 import Address

_TAXED_BY = ("country", "region", "postal_code")


def place_out(address: Mapping[str, Any] | None) -> Address | None:
    """What taxation looks at of an address."""
    return None if address is None else Address(**{name: address[name] for name in _TAXED_BY if name in address})


def rate_in(text: str) -> Decimal:
    """A rate; an empty one is zero."""
    return Decimal(text or 0)


def fees_out(order: Order, places: Places) -> list[pricing_pb2.PricingFee]:
    """The fees, taxed where the order goes."""
    place = place_out(places.of_order())
    return [
        pricing_pb2.PricingFee(
            fee_id=fee.id, amount=money_out(fee.amount, order.currency), tax_class=fee.tax_class, destination=place
        )
        for fee in order.fees
    ]


def fees_in(order: Order, answers: Iterable[pricing_pb2.PricedFee]) -> tuple[Fee, ...]:
    """The order's fees with their tax."""
    taxes = {answer.fee_id: (money_micros(answer.tax), rate_in(answer.tax_rate.value)) for answer in answers}
    return taxed(order.fees, taxes)


def expected_fees(order: Order, places: Places) -> list[ExpectedFee]:
    """What the fees were quoted at; one of nothing bears no tax, whatever its rate."""
    place = place_out(places.of_order())
    return [
        ExpectedFee(fee_id=fee.id, tax_class=fee.tax_class, destination=place, tax_rate=decimal_out(fee.tax_rate))
        for fee in order.fees
        if fee.amount
    ]
