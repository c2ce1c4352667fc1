"""What clients do in the chaos tests: small calls over the demo's marketplace, each with a request id of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from services.host.sample.marketplace import CURRENCY, ITEMS, SHOP
from waybill.directory.v1 import api_client_service_pb2
from waybill.directory.v1.ordering_context_service_pb2 import AUTO_FORWARD_ALL, AUTO_FORWARD_NONE
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2, shipment_pb2, shipment_service_pb2
from waybill.fulfillment.v1 import supplier_order_service_pb2 as supplier_pb
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import line_item_pb2, order_pb2, order_service_pb2, submission_pb2
from waybill.payment.v1 import credit_card_service_pb2, payment_pb2, payment_service_pb2, spending_account_service_pb2
from waybill_client import AsyncWaybill, WaybillError, money

T = TypeVar("T")
ACCOUNT = "purse"
"""A spending account that many orders share."""
SHIPPED = Timestamp(seconds=int(time.time()))
"""Always the same: a repeat of a call must be the same call."""
PATIENCE = 90.0
SILENT = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
"""Codes that leave the outcome unknown."""


async def provide(owner: AsyncWaybill, ada: AsyncWaybill, units: int = 1_000_000, scarce: Sequence[str] = ()) -> None:
    """Stock and money for any number of orders, except of what is to stay scarce."""
    await owner.inventory.AdjustStock(
        inventory_service_pb2.AdjustStockRequest(
            adjustments=[
                inventory_service_pb2.StockAdjustment(
                    inventory_record_id=f"{item.id}-{supplier}", kind=inventory_pb2.STOCK_MOVEMENT_KIND_RECEIVE, change=units
                )
                for item in ITEMS
                for supplier, _ in item.stock
                if item.id not in scarce
            ]
        )
    )
    await owner.spending_accounts.CreateSpendingAccount(
        spending_account_service_pb2.CreateSpendingAccountRequest(
            spending_account=spending_account_service_pb2.SpendingAccount(
                id=ACCOUNT,
                name="Shared",
                buyer_id="acme",
                currency=CURRENCY,
                active=True,
                opening_balance=money("1000000.00", CURRENCY),
            )
        )
    )
    await owner.spending_accounts.AssignSpendingAccounts(
        spending_account_service_pb2.AssignSpendingAccountsRequest(
            assignments=[spending_account_service_pb2.SpendingAccountAssignment(spending_account_id=ACCOUNT, user_id="ada")]
        )
    )
    for id in ("approve", "decline", "late", "timeout", "decline_refund", "redirect"):
        await ada.credit_cards.CreateCreditCard(
            credit_card_service_pb2.CreateCreditCardRequest(
                credit_card=credit_card_service_pb2.CreditCard(id=f"card-{id}", token=f"tok_{id}", partial_number="4242")
            )
        )


async def until_answered(call: Callable[[], Awaitable[T]]) -> T:
    """Repeats a call, which carries a request id, until it is answered: the answer, or the refusal."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await call()
            except WaybillError as error:
                if error.code not in SILENT:
                    raise
            await asyncio.sleep(0.1)


async def refusal(call: Callable[[], Awaitable[Any]]) -> str:
    """The reason that a call is refused for; empty when it is not."""
    try:
        await until_answered(call)
    except WaybillError as error:
        return error.reason
    return ""


def payments(card: str) -> list[payment_pb2.Payment]:
    """Ten from the shared account, the rest by card."""
    return [
        payment_pb2.Payment(type="spending_account", spending_account_id=ACCOUNT, amount=money("10.00", CURRENCY)),
        payment_pb2.Payment(type="credit_card", credit_card_id=f"card-{card}"),
    ]


def lines(quantities: Mapping[str, int]) -> list[line_item_pb2.LineItem]:
    """Lines l1, l2, ... by product and quantity."""
    return [
        line_item_pb2.LineItem(id=f"l{n}", product_id=product, quantity=quantity)
        for n, (product, quantity) in enumerate(quantities.items(), start=1)
    ]


CART = {"anvil": 2, "crate": 3, "lamp": 1}
"""Three suppliers."""


async def cart(ada: AsyncWaybill, id: str, card: str = "approve") -> None:
    """An order that only has to be submitted."""
    await ada.orders.CreateOrder(
        order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id=id), line_items=lines(CART), request_id=f"{id}-create")
    )
    sheet = (await ada.checkout.EstimateShipping(pb.EstimateShippingRequest(order_id=id))).worksheet
    chosen = [pb.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id="ground") for e in sheet.ship_estimates]
    await ada.checkout.SelectShipMethods(pb.SelectShipMethodsRequest(order_id=id, selections=chosen))
    await ada.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id=id))
    await pay(ada, id, card)


async def pay(ada: AsyncWaybill, id: str, card: str = "approve") -> None:
    """Adds its payments, unless it has them."""
    if not (await ada.checkout.ListPayments(pb.ListPaymentsRequest(order_id=id))).payments:
        await ada.checkout.AddPayments(pb.AddPaymentsRequest(order_id=id, payments=payments(card), request_id=f"{id}-pay"))


async def submit(ada: AsyncWaybill, id: str, number: int = 1) -> order_pb2.Order:
    """Submits it. A refusal is recorded: who tries again makes another request, with another number."""
    answer = await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=id, request_id=f"{id}-submit-{number}"))
    return answer.order


async def submit_until_accepted(ada: AsyncWaybill, id: str, number: int = 1) -> order_pb2.Order:
    """Submits it again for as long as the refusal says that others were in the way, and asks again while it is
    undecided."""
    async with patience():
        while True:
            try:
                order = await until_answered(lambda number=number: submit(ada, id, number))  # type: ignore[misc]
            except WaybillError as error:
                if error.reason != "SUBMIT_CONTENDED":
                    raise
                number += 1
            else:
                if order.submission.state != submission_pb2.SUBMISSION_STATE_TRYING:
                    return order
            await asyncio.sleep(0.5)


async def place(ada: AsyncWaybill, id: str, quantities: Mapping[str, int] = CART, card: str = "approve") -> order_pb2.Order:
    """The whole checkout in one call."""
    request = pb.PlaceOrderRequest(
        order=order_pb2.Order(id=id), line_items=lines(quantities), payments=payments(card), request_id=f"{id}-place"
    )
    return (await ada.checkout.PlaceOrder(request)).order


async def cancel(sam: AsyncWaybill, id: str, try_: int = 1) -> order_pb2.Order:
    """The seller cancels it; another try is another request."""
    request = order_service_pb2.CancelOrderRequest(order_id=id, request_id=f"{id}-cancel-{try_}")
    return (await sam.orders.CancelOrder(request)).order


async def complete(sam: AsyncWaybill, id: str, try_: int = 1) -> order_pb2.Order:
    """The seller completes it as it is: what is open is given up."""
    request = order_service_pb2.CompleteOrderRequest(order_id=id, request_id=f"{id}-complete-{try_}")
    return (await sam.orders.CompleteOrder(request)).order


async def change_until_decided(change: Callable[[int], Awaitable[order_pb2.Order]]) -> order_pb2.Order:
    """Asks for a change, and again under another request id when it was refused only for a service that did not answer.

    Until that service has taken back what the refused one held, the answer is that it is in progress.
    """
    for try_ in range(1, 60):
        try:
            return await until_answered(lambda try_=try_: change(try_))  # type: ignore[misc]
        except WaybillError as error:
            if error.reason not in ("CHANGE_CONTENDED", "SUBMISSION_IN_PROGRESS"):
                raise
        await asyncio.sleep(0.5)
    raise AssertionError("never decided")


async def hold(sam: AsyncWaybill, id: str, tag: str = "odd address") -> order_pb2.Order:
    """The seller puts it on hold; the tag sets one hold of it apart from another."""
    request = order_service_pb2.HoldOrderRequest(order_id=id, comment=tag, request_id=f"{id}-hold-{tag}".replace(" ", "-"))
    return (await sam.orders.HoldOrder(request)).order


async def release(sam: AsyncWaybill, id: str, tag: str = "odd address") -> order_pb2.Order:
    """The seller releases the hold with that tag."""
    (only,) = (found for found in (await read(sam, id)).order.holds if found.comment == tag)
    request = order_service_pb2.ReleaseOrderHoldRequest(order_id=id, hold_id=only.id, request_id=f"{id}-release-{only.id}")
    return (await sam.orders.ReleaseOrderHold(request)).order


async def read(client: AsyncWaybill, id: str) -> order_service_pb2.GetOrderResponse:
    """The order with its lines."""
    return await client.orders.GetOrder(
        order_service_pb2.GetOrderRequest(order_id=id, direction=order_pb2.DIRECTION_ALL, include_line_items=True)
    )


async def settled(client: AsyncWaybill, id: str) -> order_service_pb2.GetOrderResponse:
    """The order once no attempt of it is unfinished."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await until_answered(lambda: read(client, id))
            if not found.order.HasField("submission") or found.order.submission.finished:
                return found
            await asyncio.sleep(0.1)


async def supplier_order(clerk: AsyncWaybill, order_id: str) -> Any:
    """The supplier's own part of a buyer order."""
    page = await clerk.supplier_orders.ListSupplierOrders(
        supplier_pb.ListSupplierOrdersRequest(filter=f'order_id = "{order_id}"')
    )
    (mine,) = page.supplier_orders
    return mine


async def accept(clerk: AsyncWaybill, id: str) -> Any:
    """The supplier takes it."""
    request = supplier_pb.AcceptSupplierOrderRequest(supplier_order_id=id, request_id=f"{id}-accept")
    return (await clerk.supplier_orders.AcceptSupplierOrder(request)).supplier_order


async def reject(clerk: AsyncWaybill, id: str) -> Any:
    """The supplier does not; its units are sourced again."""
    request = supplier_pb.RejectSupplierOrderRequest(supplier_order_id=id, comment="no", request_id=f"{id}-reject")
    return (await clerk.supplier_orders.RejectSupplierOrder(request)).supplier_order


async def ship(
    clerk: AsyncWaybill,
    supplier_order_id: str,
    items: Mapping[str, int],
    tag: str = "ship",
    id: str = "",
    ship_time: Timestamp | None = SHIPPED,
) -> shipment_pb2.Shipment:
    """Ships units by line, or packs them only."""
    answer = await clerk.shipments.CreateShipment(
        shipment_service_pb2.CreateShipmentRequest(
            shipment=shipment_pb2.Shipment(
                id=id,
                carrier="swift",
                tracking_number="T",
                ship_time=ship_time,
                items=[
                    shipment_pb2.ShipmentItem(supplier_order_id=supplier_order_id, line_item_id=line, quantity=quantity)
                    for line, quantity in items.items()
                ],
            ),
            request_id=f"{supplier_order_id}-{tag}"[-100:],
        )
    )
    return answer.shipment


async def send(clerk: AsyncWaybill, id: str) -> shipment_pb2.Shipment:
    """Ships what is packed."""
    request = shipment_service_pb2.UpdateShipmentRequest(
        shipment=shipment_pb2.Shipment(id=id, ship_time=SHIPPED),
        update_mask=FieldMask(paths=["ship_time"]),
        request_id=f"{id}-send"[-100:],
    )
    return (await clerk.shipments.UpdateShipment(request)).shipment


async def forward_by_itself(owner: AsyncWaybill, switch: bool) -> None:
    """Whether orders of the shop's channel are split by supplier as soon as they are confirmed."""
    found = await owner.api_clients.GetApiClient(api_client_service_pb2.GetApiClientRequest(api_client_id=SHOP))
    shop = api_client_service_pb2.ApiClient(id=SHOP, policy=found.api_client.policy)
    shop.policy.auto_forward = AUTO_FORWARD_ALL if switch else AUTO_FORWARD_NONE
    mask = FieldMask(paths=["policy"])
    await owner.api_clients.UpdateApiClient(api_client_service_pb2.UpdateApiClientRequest(api_client=shop, update_mask=mask))


async def forward(sam: AsyncWaybill, id: str) -> order_pb2.Order:
    """The seller splits it by supplier."""
    request = order_service_pb2.ForwardOrderRequest(order_id=id, request_id=f"{id}-forward")
    return (await sam.orders.ForwardOrder(request)).order


async def by_card(sam: AsyncWaybill, id: str) -> payment_pb2.Payment:
    """An order's payment by card."""
    found = (await sam.checkout.ListPayments(pb.ListPaymentsRequest(order_id=id))).payments
    (card,) = (payment for payment in found if payment.type == "credit_card")
    return card


async def capture(sam: AsyncWaybill, id: str) -> None:
    """The seller takes what is held of an order's card."""
    request = payment_service_pb2.CapturePaymentRequest(payment_id=(await by_card(sam, id)).id, request_id=f"{id}-capture")
    await sam.payments.CapturePayment(request)


def patience() -> asyncio.Timeout:
    """How long anything may take to come about."""
    return asyncio.timeout(PATIENCE)


async def moment() -> None:
    """Between two looks."""
    await asyncio.sleep(0.1)
