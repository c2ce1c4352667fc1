"""Order PO9123, from an empty cart to a submitted order."""

from __future__ import annotations

from typing import Any

from rich.markup import escape

from services.host.demo.narrator import Narrator
from services.host.sample.marketplace import CURRENCY, dock
from services.host.sample.parties import People
from waybill.order.v1 import (
    checkout_service_pb2,
    line_item_pb2,
    line_item_service_pb2,
    order_pb2,
    order_service_pb2,
    worksheet_pb2,
)
from waybill.payment.v1 import credit_card_service_pb2, payment_pb2
from waybill_client import WaybillError, money, text

ORDER = "PO9123"
BUYER = "buyer ada"
LINES = (
    ("l1", "anvil", 4, ""),
    ("l2", "tongs", 10, ""),
    ("l3", "lamp", 6, ""),
    ("l4", "crate", 50, ""),
    ("l5", "tape", 12, ""),
    ("l6", "tarp", 2, dock("wh-west")),
)
TOO_MANY = 500
"""Crates of the first try: more than both warehouses have."""


async def build(people: People, narrator: Narrator) -> list[dict[str, str]]:
    """Creates the order with deliberate mistakes and asks what is wrong with it."""
    narrator.line(BUYER, f"fills a cart: six lines, {TOO_MANY} crates by mistake, 2 tarpaulins to be picked up")
    await people.ada.orders.CreateOrder(
        order_service_pb2.CreateOrderRequest(
            order=order_pb2.Order(id=ORDER, comments="Deliver before noon, please."),
            line_items=[
                line_item_pb2.LineItem(
                    id=id, product_id=product, quantity=TOO_MANY if product == "crate" else quantity, pickup_location_id=pickup
                )
                for id, product, quantity, pickup in LINES
            ],
            request_id="demo-create",
        )
    )
    answer = await people.ada.checkout.ValidateOrder(checkout_service_pb2.ValidateOrderRequest(order_id=ORDER))
    reasons = [{"reason": r.reason, "context": r.context, "subject": r.subject} for r in answer.reasons]
    narrator.line("waybill order", f"would refuse it for [bold]{len(reasons)}[/bold] reasons, all named at once:")
    narrator.table(("reason", "from", "about"), [(r["reason"], r["context"], escape(r["subject"])) for r in reasons])
    try:
        await people.ada.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id=ORDER))
    except WaybillError as error:
        narrator.line("waybill order", f"refuses the submit: {error.reason}, nothing is held")
    await people.ada.line_items.UpdateLineItems(
        line_item_service_pb2.UpdateLineItemsRequest(order_id=ORDER, line_items=[line_item_pb2.LineItem(id="l4", quantity=50)])
    )
    narrator.line(BUYER, "orders 50 crates instead; Warehouse East has 30")
    return reasons


async def ship_and_price(people: People, narrator: Narrator) -> worksheet_pb2.OrderWorksheet:
    """Estimates, chooses a method for every group, calculates."""
    answer = await people.ada.checkout.EstimateShipping(checkout_service_pb2.EstimateShippingRequest(order_id=ORDER))
    wanted = {"northforge": "ground", "lumenworks": "two-day", "wh-east": "ground", "wh-west": "next-day"}
    selections = []
    rows = []
    for e in answer.worksheet.ship_estimates:
        method = "pick-up" if any(m.pickup for m in e.ship_methods) else wanted[e.supplier_id]
        selections.append(checkout_service_pb2.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id=method))
        offers = "  ".join(
            f"[bold]{m.id} {text(m.cost)}[/bold]" if m.id == method else f"[dim]{m.id} {text(m.cost)}[/dim]"
            for m in e.ship_methods
        )
        units = " ".join(f"{i.line_item_id}x{i.quantity}" for i in e.items)
        rows.append((e.supplier_id, e.grouping, units, f"{e.weight_kg.value} kg", offers))
    narrator.line("waybill shipping", f"groups the order into {len(rows)} estimates; bold is what ada chooses")
    narrator.table(("from", "grouped by", "units", "weight", "methods"), rows, right=(3,))
    await people.ada.checkout.SelectShipMethods(
        checkout_service_pb2.SelectShipMethodsRequest(order_id=ORDER, selections=selections)
    )
    done = await people.ada.checkout.CalculateOrder(checkout_service_pb2.CalculateOrderRequest(order_id=ORDER))
    sheet: worksheet_pb2.OrderWorksheet = done.worksheet
    narrator.line("waybill pricing", "calculates every line; totals are sums of these parts")
    narrator.table(
        ("line", "product", "units", "price", "subtotal", "tax"),
        [(x.id, x.product_id, str(x.quantity), text(x.unit_price), text(x.subtotal), text(x.tax)) for x in sheet.line_items],
        right=(2, 3, 4, 5),
    )
    o = sheet.order
    narrator.line(
        "waybill order",
        f"subtotal {text(o.subtotal)}, shipping {text(o.shipping_cost)}, tax {text(o.tax)}, [bold]total {text(o.total)}[/bold]",
    )
    return sheet


async def pay_and_submit(people: People, narrator: Narrator) -> order_pb2.Order:
    """A gift card for the first 300, a credit card for the rest; then submit."""
    await people.ada.credit_cards.CreateCreditCard(
        credit_card_service_pb2.CreateCreditCardRequest(
            credit_card=credit_card_service_pb2.CreditCard(
                id="visa-ada",
                token="tok_approve",
                card_type="visa",
                partial_number="4242",
                cardholder_name="Ada",
                expiration="2031-08",
            )
        )
    )
    await people.ada.checkout.AddPayments(
        checkout_service_pb2.AddPaymentsRequest(
            order_id=ORDER,
            payments=[
                payment_pb2.Payment(
                    id="pay-gift", type="spending_account", spending_account_id="gift-ada", amount=money("300.00", CURRENCY)
                ),
                payment_pb2.Payment(id="pay-card", type="credit_card", credit_card_id="visa-ada"),
            ],
            request_id="demo-pay",
        )
    )
    narrator.line(BUYER, "pays 300.00 by gift card, the rest by credit card (4242)")
    request = checkout_service_pb2.SubmitOrderRequest(order_id=ORDER, request_id="demo-submit")
    answer = await people.ada.checkout.SubmitOrder(request)
    again = await people.ada.checkout.SubmitOrder(request)
    same = answer.order.submission.attempt == again.order.submission.attempt
    narrator.line(BUYER, f"submits, twice by a slip of the finger: {'one effect' if same else 'TWO EFFECTS'}")
    status = order_pb2.OrderStatus.Name(answer.order.status).removeprefix("ORDER_STATUS_")
    narrator.line("waybill order", f"{ORDER} is [bold]{status}[/bold], attempt {answer.order.submission.attempt}")
    order: order_pb2.Order = answer.order
    return order


async def payments_of(people: People) -> list[dict[str, Any]]:
    """The order's payments as they are now."""
    answer = await people.ada.checkout.ListPayments(checkout_service_pb2.ListPaymentsRequest(order_id=ORDER))
    return [
        {
            "id": p.id,
            "type": p.type,
            "amount": text(p.resolved_amount),
            "state": payment_pb2.PaymentState.Name(p.state).removeprefix("PAYMENT_STATE_"),
            "transactions": [
                payment_pb2.PaymentTransactionType.Name(t.type).removeprefix("PAYMENT_TRANSACTION_TYPE_") for t in p.transactions
            ],
        }
        for p in answer.payments
    ]
