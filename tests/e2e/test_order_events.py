"""What an event of an order carries: the keys that docs/events.md names, and for the seller the call that made it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from rich.console import Console

from services.host.demo.narrator import Narrator
from services.host.demo.play import perform
from services.host.demo.stage import Stage
from tests.e2e.steps import card, promise, ready, refused, ship, xp
from tests.support.approvers import asked
from tests.support.guests import guest, open_to_guests
from tests.support.marketplace import ALL, INCOMING, OUTGOING, Marketplace, create, get
from waybill.changes.v1 import change_service_pb2
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2
from waybill.fulfillment.v1 import supplier_order_service_pb2 as supplier_pb
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import line_item_pb2, line_item_service_pb2, order_pb2, order_service_pb2, order_sub_status_service_pb2
from waybill.payment.v1 import payment_pb2
from waybill_client import AsyncWaybill

DOC = Path(__file__).parents[2] / "docs" / "events.md"


OF_STATUSES = {"sub_status", "former_sub_status"}
"""What the document says of every event that changes a status."""


def documented() -> dict[str, set[str]]:
    """The keys of the data of every type, as the document has them: the words in back quotes before a colon or alone."""
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", DOC.read_text(), re.MULTILINE)
    return {
        type: {key for part in keys.split(";") for key in re.findall(r"`([a-z_]+)`", part.split(":")[0])} for type, keys in rows
    }


async def history(client: AsyncWaybill, id: str, direction: Any = ALL) -> list[order_service_pb2.OrderEvent]:
    request = order_service_pb2.ListOrderHistoryRequest(order_id=id, direction=direction, page_size=100)
    return list((await client.orders.ListOrderHistory(request)).events)


async def all_events(client: AsyncWaybill, types: set[str]) -> list[order_service_pb2.OrderEvent]:
    """Everything that has happened to any order, until each of the types has come, or a minute has passed."""
    found: list[order_service_pb2.OrderEvent] = []
    request = order_service_pb2.WatchOrdersRequest(direction=ALL, from_start=True)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(60):
            async for message in client.orders.WatchOrders(request):
                found += [message.event] if message.HasField("event") else []
                if types <= {event.type for event in found}:
                    break
    return found


async def edited_and_given_up(market: Marketplace) -> None:
    """What the demo leaves out: lines edited, an order refused, canceled, held, and completed with units open."""
    ada, sam = market.people.ada, market.people.sam
    await ready(ada, "EDITED", [], anvil=1, tape=1)
    lines, line = ada.line_items, line_item_pb2.LineItem
    await lines.AddLineItems(
        line_item_service_pb2.AddLineItemsRequest(order_id="EDITED", line_items=[line(product_id="lamp", quantity=1)])
    )
    await lines.UpdateLineItems(
        line_item_service_pb2.UpdateLineItemsRequest(order_id="EDITED", line_items=[line(id="l1", quantity=2)])
    )
    await lines.RemoveLineItems(line_item_service_pb2.RemoveLineItemsRequest(order_id="EDITED", line_item_ids=["l2"]))
    changed = order_pb2.Order(id="EDITED", xp=xp(note="n"))
    await ada.orders.UpdateOrder(order_service_pb2.UpdateOrderRequest(order=changed, update_mask={"paths": ["xp"]}))
    await refused(ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="EDITED")))
    await ada.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id="EDITED", comment="no"))
    await ada.place_order({"tape": 4}, id="PART")
    looked_at = order_sub_status_service_pb2.OrderSubStatus(id="seen", status=order_pb2.ORDER_STATUS_OPEN, name="Seen")
    await sam.order_sub_statuses.CreateOrderSubStatus(
        order_sub_status_service_pb2.CreateOrderSubStatusRequest(order_sub_status=looked_at)
    )
    await sam.orders.SetOrderSubStatus(order_service_pb2.SetOrderSubStatusRequest(order_id="PART", sub_status="seen"))
    held = await sam.orders.HoldOrder(order_service_pb2.HoldOrderRequest(order_id="PART", comment="wait"))
    await sam.orders.ReleaseOrderHold(order_service_pb2.ReleaseOrderHoldRequest(order_id="PART", hold_id=held.order.holds[0].id))
    await ship(market.people.clerks["wh-east"], "PART-1", "l1", 2)
    await sam.orders.CompleteOrder(order_service_pb2.CompleteOrderRequest(order_id="PART", comment="enough"))
    await ready(ada, "BINNED", [payment_pb2.Payment(id="binned-po", type="purchase_order")], tape=1)
    noted = payment_pb2.Payment(id="binned-po", description="for the fair")
    await ada.checkout.UpdatePayment(pb.UpdatePaymentRequest(order_id="BINNED", payment=noted))
    await card(market, "visit", "tok_redirect")
    await ready(ada, "VISIT", [payment_pb2.Payment(id="visit", type="credit_card", credit_card_id="visit")], tape=1)
    await ada.checkout.StartPayment(
        pb.StartPaymentRequest(order_id="VISIT", payment_id="visit", return_url="https://shop.example/back")
    )
    await ada.checkout.RemovePayments(pb.RemovePaymentsRequest(order_id="BINNED", payment_ids=["binned-po"]))
    await ada.orders.DeleteOrder(order_service_pb2.DeleteOrderRequest(order_id="BINNED"))
    await open_to_guests(market)
    async with await guest(market) as visitor:
        order_id, token = await visitor.guest_order()
        await create(visitor, order_id, tape=1)
        await ada.orders.TransferOrder(order_service_pb2.TransferOrderRequest(anonymous_token=token))
    more = inventory_pb2.InventoryRecord(id="lamp-lumenworks", can_exceed=True, backorder_limit=90)
    await market.people.owner.inventory.UpdateInventoryRecord(
        inventory_service_pb2.UpdateInventoryRecordRequest(inventory_record=more)
    )
    await ada.place_order({"lamp": 90}, id="WAITS")
    await ada.place_order({"tape": 1}, id="WHOLE")
    await sam.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id="WHOLE", comment="no"))


async def left_to_the_seller(market: Marketplace, id: str) -> None:
    """Anvils are of one supplier alone: it rejects them, and the seller accepts what nobody takes."""
    people = market.people
    await people.ada.place_order({"anvil": 2}, id=id)
    await people.clerks["northforge"].supplier_orders.RejectSupplierOrder(
        supplier_pb.RejectSupplierOrderRequest(supplier_order_id=f"{id}-1", comment="none left")
    )
    await people.sam.supplier_orders.AcceptSupplierOrder(supplier_pb.AcceptSupplierOrderRequest(supplier_order_id=f"{id}-2"))


@pytest.mark.on_sqlite
async def test_every_event_and_every_key_of_its_data_is_in_the_document(market: Marketplace) -> None:
    await perform(Stage(market.people, market.address), Narrator(Console(quiet=True), quiet=True))
    await edited_and_given_up(market)
    await left_to_the_seller(market, "LEFT")
    await asked(market, "ASKED")
    known, seen = documented(), set()
    # Those that the story does not come to need a gateway that fails.
    rare = {"change_refused", "approval_refused", "supplier_order_frozen", "supplier_order_open"}
    for event in await all_events(market.people.owner, known.keys() - rare):
        seen.add(event.type)
        assert event.type in known, event
        assert set(event.data.fields) - OF_STATUSES <= known[event.type], event
    assert set(known) - seen <= rare


async def test_units_that_no_supplier_takes_are_in_the_order_s_history_until_the_seller_accepts_them(
    shared_sqlite_market: Marketplace,
) -> None:
    people = shared_sqlite_market.people
    await left_to_the_seller(shared_sqlite_market, "NOBODY")
    for client, direction in ((people.sam, INCOMING), (people.ada, OUTGOING)):
        found: list[order_service_pb2.OrderEvent] = []
        watch = order_service_pb2.WatchOrdersRequest(direction=direction, order_ids=["NOBODY"], from_start=True)
        async with asyncio.timeout(60):
            async for message in client.orders.WatchOrders(watch):
                found += [message.event] if message.HasField("event") else []
                if message.event.type == "supplier_order_claimed":
                    break
        left, claimed = (event for event in found if event.type.endswith("claimed"))
        assert left.type == "supplier_order_unclaimed"
        assert MessageToDict(left.data) == {"supplier_order": "NOBODY-2", "units": {"l1": 2}}
        assert MessageToDict(claimed.data) == {"supplier_order": "NOBODY-2"}
        assert "northforge" not in "".join(map(str, found))


async def test_the_seller_sees_which_call_made_an_event_and_nobody_else_does(shared_sqlite_market: Marketplace) -> None:
    people = shared_sqlite_market.people
    await ready(people.ada, "ORIGIN", promise(), tape=1)
    await people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="ORIGIN"))
    events = await history(people.sam, "ORIGIN", INCOMING)
    client = (await get(people.sam, "ORIGIN", INCOMING)).client_id
    assert {event.client_id for event in events} == {client} != {""}
    assert {event.impersonator_id for event in events} == {""}
    by_call = {event.type: event.request_id for event in events}
    assert "" not in by_call.values()
    assert by_call["submission_begun"] == by_call["order_submitted"] != by_call["order_created"]
    for other, id, direction in ((people.ada, "ORIGIN", OUTGOING), (people.clerks["wh-east"], "ORIGIN-1", INCOMING)):
        events = await history(other, id, direction)
        assert events
        assert {(event.client_id, event.request_id, event.impersonator_id) for event in events} == {("", "", "")}
    watch = order_service_pb2.WatchOrdersRequest(direction=ALL, order_ids=["ORIGIN"], from_start=True)
    for watcher, seen in ((people.sam, by_call["order_created"]), (people.ada, "")):
        async with asyncio.timeout(60):
            message = await anext(aiter(watcher.orders.WatchOrders(watch)))
        assert (message.event.type, message.event.request_id) == ("order_created", seen)


async def test_the_feed_of_changes_names_client_and_call_of_an_order_s_event(shared_sqlite_market: Marketplace) -> None:
    people = shared_sqlite_market.people
    await ready(people.ada, "CAUSE", [], tape=1)
    events = {event.sequence: event for event in await history(people.owner, "CAUSE", INCOMING)}
    found = {}
    async with asyncio.timeout(60):
        async for message in people.owner.changes.WatchChanges(
            change_service_pb2.WatchChangesRequest(context="order", from_start=True)
        ):
            change = message.change
            if change.resource_id == "CAUSE":
                found[change.version] = (change.method, change.client_id, change.actor, change.request_id)
            if len(found) == len(events):
                break
    assert found == {n: (e.type, e.client_id, e.user_id, e.request_id) for n, e in events.items()}
