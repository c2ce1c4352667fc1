"""A mutation answers with what it made of things: whoever repeats it, or reads right after it, sees the same."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from services.host.sample.marketplace import CURRENCY, SHOP, dock
from tests.e2e.steps import card, checked_out, ready, xp
from tests.support.answers import READS, compared, sent_twice
from tests.support.approvers import asked
from tests.support.contracts import services
from tests.support.guests import guest, open_to_guests
from tests.support.marketplace import Marketplace, create, lines, marketplace
from waybill.catalog.v1 import product_pb2, product_service_pb2
from waybill.directory.v1 import api_client_service_pb2 as client_pb
from waybill.directory.v1.ordering_context_service_pb2 import AUTO_FORWARD_NONE
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2, shipment_pb2, shipment_service_pb2
from waybill.fulfillment.v1 import supplier_order_pb2 as so_pb
from waybill.fulfillment.v1 import supplier_order_service_pb2 as so
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import line_item_pb2, order_pb2
from waybill.order.v1 import line_item_service_pb2 as line_pb
from waybill.order.v1 import order_service_pb2 as order_pb
from waybill.order.v1 import order_sub_status_service_pb2 as sub_status_pb
from waybill.payment.v1 import payment_pb2, payment_service_pb2, spending_account_service_pb2
from waybill_client import AsyncWaybill, money

LEFT = Timestamp(seconds=int(time.time()))
"""When parcels leave: a repeat says the same time."""

SERVICES = ("CheckoutService", "LineItemService", "OrderService", "SupplierOrderService", "ShipmentService", "InventoryService")
"""Whose every mutation is to be compared."""


COMMANDS = {
    "ApplyChange",
    "AuthorizePayments",
    "CancelOrder",
    "ConfirmPayments",
    "ConfirmReservation",
    "CreatePayments",
    "ForwardOrder",
    "FreezeOrder",
    "LowerPayments",
    "ReleasePayments",
    "ReleaseReservation",
    "ReportFulfillment",
    "ReservePayments",
    "ReserveStock",
    "SetOrderHold",
    "StartPayment",
    "TryChange",
    "VoidPayments",
}
"""What services ask of each other in the story."""


def mutations() -> set[str]:
    """Those that answer with something."""
    return {
        m.name
        for s in services()
        if s.name in SERVICES
        for m in s.methods
        if not m.name.startswith(READS) and any(f.message_type for f in m.output_type.fields)
    }


async def before_it_is_submitted(ada: AsyncWaybill) -> None:
    await create(ada, "CART", anvil=1)
    await ada.line_items.AddLineItems(line_pb.AddLineItemsRequest(order_id="CART", line_items=lines(lamp=2, tape=1)))
    await ada.line_items.UpdateLineItems(
        line_pb.UpdateLineItemsRequest(order_id="CART", line_items=[line_item_pb2.LineItem(id="l1", quantity=3)])
    )
    await ada.line_items.RemoveLineItems(line_pb.RemoveLineItemsRequest(order_id="CART", line_item_ids=["l1"]))
    changed = order_pb2.Order(id="CART", comments="At the back door.")
    await ada.orders.UpdateOrder(order_pb.UpdateOrderRequest(order=changed, update_mask=FieldMask(paths=["comments"])))
    await checked_out(ada, "CART", [payment_pb2.Payment(id="cart-po", type="purchase_order")])
    noted = payment_pb2.Payment(id="cart-po", purchase_order_number="4711")
    await ada.checkout.UpdatePayment(pb.UpdatePaymentRequest(order_id="CART", payment=noted))
    await ada.orders.CancelOrder(order_pb.CancelOrderRequest(order_id="CART"))


async def transferred(market: Marketplace) -> None:
    """A guest's cart becomes the order of whoever signs in."""
    await open_to_guests(market)
    async with await guest(market) as visitor:
        order_id, token = await visitor.guest_order()
        await create(visitor, order_id, anvil=1)
        await market.people.ada.orders.TransferOrder(order_pb.TransferOrderRequest(anonymous_token=token))


async def refused_and_canceled(market: Marketplace) -> None:
    """A submit whose gateway is silent is decided by a cancel."""
    ada = market.people.ada
    await card(market, "mute", "tok_timeout")
    await ready(ada, "MUTE", [payment_pb2.Payment(type="credit_card", credit_card_id="mute")], anvil=1)
    await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="MUTE"))
    await ada.orders.CancelOrder(order_pb.CancelOrderRequest(order_id="MUTE"))


async def begun_and_left(market: Marketplace) -> None:
    """A payment that waits for its buyer, who never acts."""
    ada = market.people.ada
    await card(market, "visit", "tok_redirect")
    await ready(ada, "VISIT", [payment_pb2.Payment(id="VISIT", type="credit_card", credit_card_id="visit")], anvil=1)
    back = "https://shop.example/back"
    await ada.checkout.StartPayment(pb.StartPaymentRequest(order_id="VISIT", payment_id="VISIT", return_url=back))


async def placed_held_and_shipped(market: Marketplace) -> None:
    """A lamp needs no shipment: it is shipped by the confirm."""
    ada, sam, owner, clerks = market.people.ada, market.people.sam, market.people.owner, market.people.clerks
    lamp = product_pb2.Product(id="lamp", shippable=False)
    await owner.products.UpdateProduct(
        product_service_pb2.UpdateProductRequest(product=lamp, update_mask=FieldMask(paths=["shippable"]))
    )
    await card(market, "visa", "tok_approve")
    pays = payment_pb2.Payment(type="credit_card", credit_card_id="visa")
    placing = pb.PlaceOrderRequest(
        order=order_pb2.Order(id="LIFE"), line_items=lines(anvil=2, tongs=3, lamp=1), payments=[pays], request_id="life"
    )
    await ada.checkout.PlaceOrder(placing)
    await watched_over(sam, "LIFE")
    held = await sam.orders.HoldOrder(order_pb.HoldOrderRequest(order_id="LIFE", comment="odd"))
    await sam.orders.ReleaseOrderHold(
        order_pb.ReleaseOrderHoldRequest(order_id="LIFE", hold_id=held.order.holds[0].id, comment="fine")
    )
    clerk = clerks["northforge"]
    await clerk.supplier_orders.AcceptSupplierOrder(so.AcceptSupplierOrderRequest(supplier_order_id="LIFE-1"))
    noted = so_pb.SupplierOrder(id="LIFE-1", xp=xp(rack="7"))
    await clerk.supplier_orders.UpdateSupplierOrder(so.UpdateSupplierOrderRequest(supplier_order=noted))
    packed = await clerk.shipments.CreateShipment(
        shipment_service_pb2.CreateShipmentRequest(shipment=parcel("LIFE-1", "l1", 1, sent=False))
    )
    box = packed.shipment.id
    more = [shipment_pb2.ShipmentItem(supplier_order_id="LIFE-1", line_item_id="l1", quantity=1)]
    await clerk.shipments.AddShipmentItems(shipment_service_pb2.AddShipmentItemsRequest(shipment_id=box, items=more))
    await clerk.shipments.RemoveShipmentItems(shipment_service_pb2.RemoveShipmentItemsRequest(shipment_id=box, items=more))
    wrong = await clerk.shipments.CreateShipment(
        shipment_service_pb2.CreateShipmentRequest(shipment=parcel("LIFE-1", "l1", 1, sent=False))
    )
    await clerk.shipments.DeleteShipment(shipment_service_pb2.DeleteShipmentRequest(shipment_id=wrong.shipment.id))
    sent = shipment_pb2.Shipment(id=packed.shipment.id, ship_time=LEFT)
    await clerk.shipments.UpdateShipment(
        shipment_service_pb2.UpdateShipmentRequest(shipment=sent, update_mask=FieldMask(paths=["ship_time"]))
    )
    rest = [parcel("LIFE-1", "l1", 1), parcel("LIFE-1", "l2", 3)]
    await clerk.shipments.BatchCreateShipments(shipment_service_pb2.BatchCreateShipmentsRequest(shipments=rest))
    (paid,) = (await sam.checkout.ListPayments(pb.ListPaymentsRequest(order_id="LIFE"))).payments
    await sam.payments.CapturePayment(payment_service_pb2.CapturePaymentRequest(payment_id=paid.id))
    some = money("1.00", CURRENCY)
    await sam.payments.RefundPayment(payment_service_pb2.RefundPaymentRequest(payment_id=paid.id, amount=some))


async def watched_over(sam: AsyncWaybill, order_id: str) -> None:
    """Sub-statuses are declared, and the order goes through them."""
    given = [sub_status_pb.OrderSubStatus(id=id, status=order_pb2.ORDER_STATUS_OPEN, name=id) for id in ("checked", "packed")]
    await sam.order_sub_statuses.BatchCreateOrderSubStatuses(
        sub_status_pb.BatchCreateOrderSubStatusesRequest(order_sub_statuses=given)
    )
    await sam.orders.SetOrderSubStatus(order_pb.SetOrderSubStatusRequest(order_id=order_id, sub_status="checked"))
    settings = [order_pb.OrderSubStatusSetting(order_id=order_id, sub_status="packed")]
    await sam.orders.BatchSetOrderSubStatuses(order_pb.BatchSetOrderSubStatusesRequest(settings=settings))


def parcel(part: str, line: str, quantity: int, sent: bool = True) -> shipment_pb2.Shipment:
    item = shipment_pb2.ShipmentItem(supplier_order_id=part, line_item_id=line, quantity=quantity)
    return shipment_pb2.Shipment(carrier="swift", tracking_number="T", items=[item], ship_time=LEFT if sent else None)


async def forwarded_rejected_and_canceled(market: Marketplace) -> None:
    ada, sam, owner = market.people.ada, market.people.sam, market.people.owner
    shop = (await owner.api_clients.GetApiClient(client_pb.GetApiClientRequest(api_client_id=SHOP))).api_client
    shop.policy.auto_forward = AUTO_FORWARD_NONE
    await owner.api_clients.UpdateApiClient(
        client_pb.UpdateApiClientRequest(api_client=shop, update_mask=FieldMask(paths=["policy"]))
    )
    await ada.place_order({"crate": 2, "anvil": 1}, id="OFF")
    await sam.orders.ForwardOrder(order_pb.ForwardOrderRequest(order_id="OFF"))
    page = await sam.supplier_orders.ListSupplierOrders(
        so.ListSupplierOrdersRequest(filter='order_id = "OFF" AND supplier_id = "wh-east"')
    )
    mine = page.supplier_orders[0].id
    await market.people.clerks["wh-east"].supplier_orders.RejectSupplierOrder(
        so.RejectSupplierOrderRequest(supplier_order_id=mine, comment="broken")
    )
    page = await sam.supplier_orders.ListSupplierOrders(
        so.ListSupplierOrdersRequest(filter='order_id = "OFF" AND supplier_id = "northforge"')
    )
    moved = [so.MovedUnits(line_item_id=line.line_item_id, quantity=1) for line in page.supplier_orders[0].line_items]
    await sam.supplier_orders.MoveSupplierOrderUnits(
        so.MoveSupplierOrderUnitsRequest(supplier_order_id=page.supplier_orders[0].id, units=moved)
    )
    await sam.orders.CancelOrder(order_pb.CancelOrderRequest(order_id="OFF"))


async def shipped_in_part_and_completed(market: Marketplace) -> None:
    await market.people.ada.place_order({"tape": 2}, id="HALF")
    sent = shipment_service_pb2.CreateShipmentRequest(shipment=parcel("HALF-1", "l1", 1))
    await market.people.clerks["wh-east"].shipments.CreateShipment(sent)
    await market.people.sam.orders.CompleteOrder(order_pb.CompleteOrderRequest(order_id="HALF", comment="no more"))
    await market.people.ada.place_order({"tape": 2}, id="ALL")
    whole = shipment_pb2.Shipment(carrier="swift", ship_time=LEFT)
    await market.people.clerks["wh-east"].shipments.ShipOrder(
        shipment_service_pb2.ShipOrderRequest(supplier_order_id="ALL-1", shipment=whole)
    )


async def stock_and_accounts(owner: AsyncWaybill) -> None:
    record = inventory_pb2.InventoryRecord(
        id="spare", product_id="anvil", supplier_id="lumenworks", location_id=dock("lumenworks"), active=True
    )
    await owner.inventory.CreateInventoryRecord(
        inventory_service_pb2.CreateInventoryRecordRequest(inventory_record=record, opening_quantity=5)
    )
    record.can_exceed = True
    await owner.inventory.UpdateInventoryRecord(
        inventory_service_pb2.UpdateInventoryRecordRequest(inventory_record=record, update_mask=FieldMask(paths=["can_exceed"]))
    )
    await owner.inventory.AdjustStock(
        inventory_service_pb2.AdjustStockRequest(
            adjustments=[
                inventory_service_pb2.StockAdjustment(
                    inventory_record_id="spare", kind=inventory_pb2.STOCK_MOVEMENT_KIND_RECEIVE, change=2
                )
            ]
        )
    )
    more = money("5.00", CURRENCY)
    await owner.spending_accounts.AdjustSpendingAccount(
        spending_account_service_pb2.AdjustSpendingAccountRequest(
            spending_account_id="gift-ada", amount=more, description="a present"
        )
    )


async def story(market: Marketplace) -> None:
    """Lives of orders that meet every mutation of theirs."""
    await before_it_is_submitted(market.people.ada)
    await transferred(market)
    await refused_and_canceled(market)
    await begun_and_left(market)
    await placed_held_and_shipped(market)
    await shipped_in_part_and_completed(market)
    await asked(market, "ASKED")
    await forwarded_rejected_and_canceled(market)
    await stock_and_accounts(market.people.owner)


async def test_every_answer_is_that_of_its_repeat_and_what_is_read_right_after_it(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = compared(monkeypatch, unreadable=frozenset({"AddressEntry"}))
    async with marketplace(tmp_path, database_url, background=False) as market:
        await story(market)
    assert answers.differences == []
    assert mutations() - answers.compared == set()
    assert {"CapturePayment", "RefundPayment", "AdjustSpendingAccount"} <= answers.compared


async def test_a_call_between_services_that_arrives_twice_has_one_effect_and_one_answer(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What gRPC sends again after a silence; the books are checked at the end."""
    doubled = sent_twice(monkeypatch)
    async with marketplace(tmp_path, database_url, background=False) as market:
        await story(market)
    assert doubled.differences == []
    assert COMMANDS - doubled.compared == set()
