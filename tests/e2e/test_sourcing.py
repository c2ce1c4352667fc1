"""How a channel wants its orders sourced decides where the units come from, estimated or not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from libs.rpc import counters
from services.host.sample.marketplace import SHOP
from tests.e2e.steps import refused
from tests.support.marketplace import ALL, OUTGOING, Marketplace, create
from waybill.catalog.v1 import my_product_service_pb2
from waybill.directory.v1 import api_client_service_pb2, ordering_context_service_pb2
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2, supplier_order_service_pb2
from waybill.order.v1 import checkout_service_pb2, line_item_pb2, line_item_service_pb2, order_service_pb2
from waybill_client import AsyncWaybill

EAST, WEST = "wh-east", "wh-west"
CART = {"crate": 5, "tarp": 1}
"""Crates are Warehouse East's, and at West too; the tarpaulin is at West only."""
CASES: list[tuple[str | list[str], int, dict[str, dict[str, int]]]] = [
    ("default_supplier", 0, {EAST: {"crate": 5}, WEST: {"tarp": 1}}),
    ("fewest_parcels", 0, {WEST: {"crate": 5, "tarp": 1}}),
    ("priority", 0, {EAST: {"crate": 5}, WEST: {"tarp": 1}}),
    ("priority", -1, {WEST: {"crate": 5, "tarp": 1}}),
    ("default_supplier", -1, {EAST: {"crate": 5}, WEST: {"tarp": 1}}),
    (["fewest_parcels"], 0, {WEST: {"crate": 5, "tarp": 1}}),
]


async def prepared(market: Marketplace, strategy: str | list[str], priority: int) -> None:
    """The shop sources like this, by a strategy or by stages, West's crates have this priority, and nothing more is asked before
    a submit.
    """
    policy = ordering_context_service_pb2.OrderingPolicy(
        auto_forward=ordering_context_service_pb2.AUTO_FORWARD_ALL,
        payment_coverage=ordering_context_service_pb2.PAYMENT_COVERAGE_NONE,
        sourcing_strategy=strategy if isinstance(strategy, str) else "",
        sourcing_stages=() if isinstance(strategy, str) else strategy,
        accept_within=Duration(seconds=7_200),
    )
    await market.people.owner.api_clients.UpdateApiClient(
        api_client_service_pb2.UpdateApiClientRequest(
            api_client=api_client_service_pb2.ApiClient(id=SHOP, policy=policy), update_mask=FieldMask(paths=["policy"])
        )
    )
    await market.people.owner.inventory.UpdateInventoryRecord(
        inventory_service_pb2.UpdateInventoryRecordRequest(
            inventory_record=inventory_pb2.InventoryRecord(id="crate-wh-west", priority=priority),
            update_mask=FieldMask(paths=["priority"]),
        )
    )


async def sources(market: Marketplace, order_id: str) -> dict[str, dict[str, int]]:
    """Units by supplier and product."""
    page = await market.people.sam.supplier_orders.ListSupplierOrders(
        supplier_order_service_pb2.ListSupplierOrdersRequest(filter=f'order_id = "{order_id}"')
    )
    assert [o.accept_by.ToDatetime() - o.create_time.ToDatetime() for o in page.supplier_orders] == [
        timedelta(hours=2) for _ in page.supplier_orders
    ]
    return {o.supplier_id: {line.product_id: line.quantity for line in o.line_items} for o in page.supplier_orders}


async def test_an_order_is_sourced_as_its_channel_wants_be_it_estimated_or_not(sqlite_market: Marketplace) -> None:
    ada = sqlite_market.people.ada
    for n, (strategy, priority, expected) in enumerate(CASES):
        await prepared(sqlite_market, strategy, priority)
        await ada.place_order(CART, id=f"PLANNED-{n}")
        assert await sources(sqlite_market, f"PLANNED-{n}") == expected, (strategy, priority)

        await create(ada, f"PLAIN-{n}", **CART)
        await ada.checkout.CalculateOrder(checkout_service_pb2.CalculateOrderRequest(order_id=f"PLAIN-{n}"))
        await ada.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id=f"PLAIN-{n}"))
        assert await sources(sqlite_market, f"PLAIN-{n}") == expected, (strategy, priority)


async def test_a_channel_that_wants_the_lowest_freight_compares_plans_by_one_call(sqlite_market: Marketplace) -> None:
    """The default suppliers make two parcels of the cart; it is less to send both from Warehouse West."""
    ada, counts = sqlite_market.people.ada, []
    for id, stages in (("FIRST", ["default_supplier"]), ("LOWEST", ["default_supplier", "lowest_freight"])):
        await prepared(sqlite_market, stages, 0)
        counters.sent.clear()
        await ada.place_order(CART, id=id)
        counts.append({name: n for name, n in counters.sent.items() if "PlanSourcing" in name or "ShippingService" in name})
    assert await sources(sqlite_market, "FIRST") == {EAST: {"crate": 5}, WEST: {"tarp": 1}}
    assert await sources(sqlite_market, "LOWEST") == {WEST: {"crate": 5, "tarp": 1}}
    assert counts[0] == counts[1]
    assert list(counts[0].values()) == [1, 1]


async def test_a_buyer_sees_which_units_of_its_order_are_not_there_yet_and_when_they_come(sqlite_market: Marketplace) -> None:
    people, expected = sqlite_market.people, Timestamp(seconds=4_000_000_000)
    more = inventory_pb2.InventoryRecord(id="anvil-northforge", can_exceed=True, backorder_limit=5, expected_time=expected)
    await people.owner.inventory.UpdateInventoryRecord(inventory_service_pb2.UpdateInventoryRecordRequest(inventory_record=more))
    product = (await people.ada.my_products.GetMyProduct(my_product_service_pb2.GetMyProductRequest(product_id="anvil"))).product
    offered = product.availability
    assert (offered.available, offered.backorderable, offered.expected_time) == (40, 5, expected)
    await create(people.ada, "WAITS", anvil=42)
    estimated = checkout_service_pb2.EstimateShippingRequest(order_id="WAITS")
    (waiting,) = (await people.ada.checkout.EstimateShipping(estimated)).worksheet.backorders
    assert (waiting.quantity_backordered, waiting.expected_time) == (2, expected)
    await create(people.ada, "TOOMANY", anvil=46)
    refusal = await refused(
        people.ada.checkout.EstimateShipping(checkout_service_pb2.EstimateShippingRequest(order_id="TOOMANY"))
    )
    assert refusal.reason == "ESTIMATE_REFUSED"


async def lines_of(client: AsyncWaybill, id: str, direction: int) -> list[line_item_pb2.LineItem]:
    request = line_item_service_pb2.ListLineItemsRequest(order_id=id, direction=direction)
    return list((await client.line_items.ListLineItems(request)).line_items)


async def waiting_of(client: AsyncWaybill, since: str) -> list[str]:
    """Orders with lines of which units wait that are expected from then on."""
    request = line_item_service_pb2.ListLineItemsAcrossOrdersRequest(
        direction=ALL,
        filter=f'quantity_backordered > 0 AND expected_time >= "{since}"',
        order_by="expected_time, quantity_backordered desc",
    )
    return [one.order_id for one in (await client.line_items.ListLineItemsAcrossOrders(request)).line_items]


async def backorders_of(client: AsyncWaybill, id: str, seen: int = 0) -> dict[str, int]:
    """What the order's next event about units that wait says, after so many that were seen."""
    found: list[dict[str, int]] = []
    request = order_service_pb2.WatchOrdersRequest(direction=OUTGOING, order_ids=[id], from_start=True)
    async with asyncio.timeout(60):
        async for message in client.orders.WatchOrders(request):
            if message.event.type == "backorder_changed":
                found.append({line: int(units) for line, units in message.event.data["backordered"].items()})
            if len(found) > seen:
                return found[seen]
    raise AssertionError(id)


async def test_a_submitted_order_shows_its_buyer_and_its_supplier_which_units_wait_until_they_come(
    sqlite_market: Marketplace,
) -> None:
    people, expected = sqlite_market.people, Timestamp(seconds=4_000_000_000)
    await prepared(sqlite_market, "default_supplier", 0)
    record = inventory_pb2.InventoryRecord(id="anvil-northforge", can_exceed=True, backorder_limit=5, expected_time=expected)
    await people.owner.inventory.UpdateInventoryRecord(
        inventory_service_pb2.UpdateInventoryRecordRequest(inventory_record=record)
    )
    await people.ada.place_order({"anvil": 42}, id="WAITS")
    assert await backorders_of(people.ada, "WAITS") == {"l1": 2}
    (line,) = await lines_of(people.ada, "WAITS", OUTGOING)
    assert (line.quantity_backordered, line.expected_time) == (2, expected)
    assert await waiting_of(people.sam, "2096-10-02T07:06:40Z") == ["WAITS"]
    assert await waiting_of(people.sam, "2096-10-02T07:06:41Z") == []
    for client in (people.clerks["northforge"], people.sam):
        (its,) = await lines_of(client, "WAITS-1", ALL)
        assert (its.quantity_backordered, its.expected_time) == (2, expected)
    came = inventory_service_pb2.StockAdjustment(
        inventory_record_id="anvil-northforge", kind=inventory_pb2.STOCK_MOVEMENT_KIND_RECEIVE, change=9
    )
    await people.owner.inventory.AdjustStock(inventory_service_pb2.AdjustStockRequest(adjustments=[came]))
    assert await backorders_of(people.ada, "WAITS", seen=1) == {"l1": 0}
    (line,) = await lines_of(people.ada, "WAITS", OUTGOING)
    assert (line.quantity_backordered, line.HasField("expected_time")) == (0, False)
    assert await waiting_of(people.sam, "2026-01-01T00:00:00Z") == []
