"""Every amount that a request can carry, how fine it may be, and that it is refused when it is finer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest
from google.type.money_pb2 import Money

from libs.errors import Violations
from services.fulfillment.rpc.shipments.requests import shipment_in
from services.order.rpc.checkout.convert_payment import payments_in
from services.order.rpc.convert_in import lines_in, order_in
from services.payment.rpc import convert as payment
from services.payment.rpc.means.spending_account_servicer import adjustment_in, opening_in
from services.payment.rpc.money.payment_servicer import amount_in
from services.pricing.rpc import convert as pricing
from services.pricing.rpc.convert_fees import fees_in
from tests.support.contracts import requested, services
from waybill.fulfillment.v1 import shipment_pb2
from waybill.order.v1 import fee_pb2, line_item_pb2, order_pb2
from waybill.payment.v1 import order_payment_service_pb2 as order_pb
from waybill.payment.v1 import payment_pb2, payment_service_pb2, spending_account_service_pb2
from waybill.payment.v1 import payment_reservation_service_pb2 as attempt_pb
from waybill.pricing.v1 import order_pricing_service_pb2 as order_pricing_pb
from waybill.pricing.v1 import pricing_pb2


class Fineness(StrEnum):
    """What is asked of an amount."""

    MINOR = "owed, held, moved or overridden: an amount that its currency has"
    FINER = "a price or rate, multiplied before it is rounded"
    SHOWN = "output only: what a request says there is not read"
    STORED = "between services: what the sender has stored, judged when it came in"


MINOR, FINER, SHOWN, STORED = Fineness.MINOR, Fineness.FINER, Fineness.SHOWN, Fineness.STORED

MESSAGES: dict[str, dict[str, Fineness]] = {
    "fulfillment.v1.OrderSnapshot": {"shipping_cost": STORED, "tax": STORED},
    "fulfillment.v1.OrderSnapshotLine": dict.fromkeys(("unit_price", "subtotal", "discount", "tax", "included_tax"), STORED),
    "fulfillment.v1.OrderSnapshotCost": {"unit_cost": STORED},
    "fulfillment.v1.OrderSnapshotShipping": dict.fromkeys(("cost", "tax", "included_tax"), STORED),
    "fulfillment.v1.ShipSelection": {"cost": STORED, "included_tax": STORED},
    "fulfillment.v1.Shipment": {"cost": MINOR},
    "fulfillment.v1.SupplierOrder": dict.fromkeys(
        (
            "subtotal",
            "discount",
            "shipping_cost",
            "tax",
            "included_tax",
            "total",
            "shipped_total",
            "cost",
            "payable",
            "commission",
        ),
        STORED,
    ),
    "fulfillment.v1.SupplierOrderLine": dict.fromkeys(
        ("unit_price", "subtotal", "discount", "tax", "included_tax", "unit_cost", "cost"), STORED
    ),
    "order.v1.Discount": {"amount": SHOWN},
    "order.v1.Fee": {"amount": MINOR, "tax": SHOWN},
    "order.v1.LineItem": {
        **dict.fromkeys(
            ("unit_price", "line_mark_up", "subtotal", "discount", "tax", "total", "included_tax", "unit_cost", "cost"), SHOWN
        ),
        "unit_price_override": FINER,
        "discount_override": MINOR,
    },
    "order.v1.PriceStep": {"unit_amount": SHOWN, "line_amount": SHOWN},
    "order.v1.Order": {
        **dict.fromkeys(
            (
                "subtotal",
                "discount",
                "shipping_cost",
                "tax",
                "total",
                "included_tax",
                "fee_total",
                "cost",
                "payable",
                "commission",
            ),
            SHOWN,
        ),
        "gratuity": MINOR,
        "shipping_cost_override": MINOR,
        "tax_override": MINOR,
    },
    "payment.v1.AdjustSpendingAccountRequest": {"amount": MINOR},
    "payment.v1.CapturePaymentRequest": {"amount": MINOR},
    "payment.v1.CaptureShippedRequest": {"shipped": MINOR},
    "payment.v1.CreatePaymentsRequest": {"total": MINOR},
    "payment.v1.LowerPaymentsRequest": {"due": MINOR},
    "payment.v1.Payment": {
        "amount": MINOR,
        **dict.fromkeys(("resolved_amount", "due_amount", "captured_amount", "refunded_amount", "to_refund_amount"), SHOWN),
        **dict.fromkeys(("debited_units", "refunded_units"), SHOWN),
    },
    "payment.v1.PaymentRedirect": {"amount": SHOWN},
    "payment.v1.PaymentTransaction": {"amount": SHOWN, "units": SHOWN},
    "payment.v1.RecordTransactionRequest": {"amount": MINOR},
    "payment.v1.RefundPaymentRequest": {"amount": MINOR},
    "payment.v1.ReservePaymentsRequest": {"total": MINOR},
    "payment.v1.StartPaymentRequest": {"total": MINOR},
    "payment.v1.UpdatePaymentRequest": {"total": MINOR},
    "payment.v1.SpendingAccount": {"opening_balance": MINOR, "balance": SHOWN, "reserved": SHOWN},
    "pricing.v1.ExpectedPrice": {"unit_price": STORED, "line_mark_up": STORED, "promotion_discount": STORED},
    "pricing.v1.ExpectedPromotion": {"amount": STORED},
    "pricing.v1.PriceBreak": {"price": FINER, "sale_price": FINER},
    "pricing.v1.PriceFloor": {"unit_price": FINER},
    "pricing.v1.PricingFee": {"amount": MINOR},
    "pricing.v1.PricingLine": {"unit_price_override": FINER, "discount_override": MINOR},
    "pricing.v1.PricingShipment": {"cost": MINOR},
    "shipping.v1.RateRow": {"price": FINER, "per_kg": FINER},
    "shipping.v1.RateTable": {"handling": FINER},
    # For a unit; one for the whole line is as coarse as what it is added to: test_prices of pricing.
    "type.v1.PriceMarkUp": {"amounts": FINER},
    "type.v1.CanceledAmounts": dict.fromkeys(
        ("subtotal", "discount", "shipping_cost", "tax", "gratuity", "included_tax", "fee_total", "total"), STORED
    ),
}
"""By message, without `waybill.` before it. A new amount needs an entry here, and a reader below where it is MINOR."""

KEY = "00000000-0000-0000-0000-000000000001"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
_total = {"order_key": KEY, "order_id": "o", "buyer_id": "b", "user_id": "u"}


def _pricing_lines(found: Violations, amount: Money) -> object:
    line = pricing_pb2.PricingLine(line_item_id="l", product_id="p", quantity=1, discount_override=amount)
    return pricing.lines_in(found, order_pricing_pb.CalculateOrderRequest(currency=amount.currency_code, lines=[line]))


def _pricing_shipments(found: Violations, amount: Money) -> object:
    return pricing.shipments_in(found, amount.currency_code, [order_pricing_pb.PricingShipment(cost=amount)])


def _payments(found: Violations, amount: Money) -> object:
    """Both who takes payments: the order service in PlaceOrder, the payment service in every other call."""
    asked = [payment_pb2.Payment(type="purchase_order", amount=amount)]
    payment.drafts_in(found, asked, amount.currency_code, "others")
    return payments_in(found, asked)


READERS: dict[str, Callable[[Violations, Any], object]] = {
    "fulfillment.v1.Shipment.cost": lambda found, m: shipment_in(found, "shipment", shipment_pb2.Shipment(cost=m), NOW),
    "order.v1.Fee.amount": lambda found, m: order_in(found, order_pb2.Order(fees=[fee_pb2.Fee(id="f", amount=m)])),
    "order.v1.LineItem.discount_override": lambda found, m: lines_in(found, [line_item_pb2.LineItem(discount_override=m)]),
    "order.v1.Order.gratuity": lambda found, m: order_in(found, order_pb2.Order(gratuity=m)),
    "order.v1.Order.shipping_cost_override": lambda found, m: order_in(found, order_pb2.Order(shipping_cost_override=m)),
    "order.v1.Order.tax_override": lambda found, m: order_in(found, order_pb2.Order(tax_override=m)),
    "payment.v1.AdjustSpendingAccountRequest.amount": lambda found, m: adjustment_in(
        found, spending_account_service_pb2.AdjustSpendingAccountRequest(spending_account_id="a", amount=m)
    ),
    "payment.v1.CapturePaymentRequest.amount": lambda found, m: amount_in(
        found, payment_service_pb2.CapturePaymentRequest(payment_id="p", amount=m)
    ),
    "payment.v1.CaptureShippedRequest.shipped": lambda found, m: payment.shipped_in(
        found, order_pb.CaptureShippedRequest(order_key=KEY, shipped=m)
    ),
    "payment.v1.CreatePaymentsRequest.total": lambda found, m: payment.order_in(
        found, order_pb.CreatePaymentsRequest(total=m, **_total)
    ),
    "payment.v1.StartPaymentRequest.total": lambda found, m: payment.order_in(
        found, order_pb.StartPaymentRequest(total=m, **_total)
    ),
    "payment.v1.LowerPaymentsRequest.due": lambda found, m: payment.due_in(
        found, order_pb.LowerPaymentsRequest(order_key=KEY, attempt=1, due=m)
    ),
    "payment.v1.Payment.amount": _payments,
    "payment.v1.RecordTransactionRequest.amount": lambda found, m: amount_in(
        found, payment_service_pb2.RecordTransactionRequest(payment_id="p", amount=m)
    ),
    "payment.v1.RefundPaymentRequest.amount": lambda found, m: amount_in(
        found, payment_service_pb2.RefundPaymentRequest(payment_id="p", amount=m)
    ),
    "payment.v1.ReservePaymentsRequest.total": lambda found, m: payment.order_in(
        found, attempt_pb.ReservePaymentsRequest(total=m, **_total)
    ),
    "payment.v1.UpdatePaymentRequest.total": lambda found, m: payment.order_in(
        found, order_pb.UpdatePaymentRequest(total=m, **_total)
    ),
    "payment.v1.SpendingAccount.opening_balance": lambda found, m: opening_in(
        found, "spending_account", spending_account_service_pb2.SpendingAccount(opening_balance=m), m.currency_code
    ),
    "pricing.v1.PricingFee.amount": lambda found, m: fees_in(
        found, m.currency_code, [pricing_pb2.PricingFee(fee_id="f", amount=m)]
    ),
    "pricing.v1.PricingLine.discount_override": _pricing_lines,
    "pricing.v1.PricingShipment.cost": _pricing_shipments,
}


def test_every_amount_of_every_request_is_classified() -> None:
    walked = {
        f"{name}.{field.name}".removeprefix("waybill.")
        for name, message in requested(services()).items()
        for field in message.fields
        if field.message_type is not None and field.message_type.full_name == "google.type.Money"
    }
    named = {f"{message}.{field}": fineness for message, fields in MESSAGES.items() for field, fineness in fields.items()}
    assert walked == set(named)
    assert set(READERS) == {name for name, fineness in named.items() if fineness is MINOR}


@pytest.mark.parametrize("amount", [Money(currency_code="JPY", nanos=500_000_000), Money(currency_code="USD", nanos=1_000_000)])
@pytest.mark.parametrize("name", sorted(READERS))
def test_an_amount_that_the_currency_does_not_have_is_refused(name: str, amount: Money) -> None:
    field = name.rpartition(".")[2]
    found = Violations()
    READERS[name](found, amount)
    too_precise = [(v.field.rpartition(".")[2], v.reason) for v in found.items if v.reason == "AMOUNT_TOO_PRECISE"]
    assert too_precise
    assert set(too_precise) == {(field, "AMOUNT_TOO_PRECISE")}
    fine = Violations()
    READERS[name](fine, Money(currency_code=amount.currency_code, units=1))
    assert all(v.reason != "AMOUNT_TOO_PRECISE" for v in fine.items)
