"""Every pair of party and direction: each sees exactly its own view of PO9123."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest
from rich.console import Console

from services.host.demo import checkout
from services.host.demo.narrator import Narrator
from services.host.sample.marketplace import PASSWORD, PORTAL, party
from tests.support.marketplace import ALL, INCOMING, OUTGOING, Marketplace, create, get, lines
from waybill.directory.v1 import user_service_pb2
from waybill.fulfillment.v1 import inventory_service_pb2, shipment_pb2, shipment_service_pb2, supplier_order_service_pb2
from waybill.order.v1 import checkout_service_pb2 as checkout_pb
from waybill.order.v1 import line_item_service_pb2, order_pb2, order_service_pb2
from waybill_client import AsyncWaybill, WaybillError, money

QUIET = Narrator(Console(quiet=True), quiet=True)
CHILDREN = ["PO9123-1", "PO9123-2", "PO9123-3", "PO9123-4"]
OF_SUPPLIER = dict(zip(("northforge", "lumenworks", "wh-east", "wh-west"), CHILDREN, strict=True))
EXPECTED = {
    "ada": {INCOMING: [], OUTGOING: ["PO9123"], ALL: ["PO9123"]},
    "bob": {INCOMING: [], OUTGOING: [], ALL: []},
    "gil": {INCOMING: [], OUTGOING: [], ALL: []},
    "sam": {INCOMING: ["PO9123"], OUTGOING: CHILDREN, ALL: ["PO9123", *CHILDREN]},
    **{s: {INCOMING: [child], OUTGOING: [], ALL: [child]} for s, child in OF_SUPPLIER.items()},
}


def client_of(market: Marketplace, who: str) -> AsyncWaybill:
    clerk = market.people.clerks.get(who)
    return clerk if clerk is not None else getattr(market.people, who)


async def submitted(market: Marketplace) -> None:
    await checkout.build(market.people, QUIET)
    await checkout.ship_and_price(market.people, QUIET)
    await checkout.pay_and_submit(market.people, QUIET)


async def listed(client: AsyncWaybill, direction: int) -> list[str]:
    answer = await client.orders.ListOrders(
        order_service_pb2.ListOrdersRequest(direction=direction, order_by="id")  # type: ignore[arg-type]
    )
    return [o.id for o in answer.orders]


@pytest.mark.on_sqlite
async def test_each_party_lists_and_reads_exactly_its_own_view_in_every_direction(market: Marketplace) -> None:
    await submitted(market)
    for who, by_direction in EXPECTED.items():
        client = client_of(market, who)
        for direction, expected in by_direction.items():
            assert await listed(client, direction) == expected, (who, direction)
            for id in ("PO9123", *CHILDREN):
                if id in expected:
                    assert (await get(client, id, direction)).id == id
                else:
                    with pytest.raises(WaybillError) as refused:
                        await get(client, id, direction)
                    assert refused.value.reason == "RESOURCE_NOT_FOUND", (who, direction, id)


async def test_buyer_and_seller_and_both_services_see_the_same_orders(market: Marketplace) -> None:
    await submitted(market)
    ours = await get(market.people.ada, "PO9123", OUTGOING)
    theirs = await get(market.people.sam, "PO9123", INCOMING)
    assert ours == theirs
    for supplier, clerk in market.people.clerks.items():
        answer = await clerk.supplier_orders.ListSupplierOrders(supplier_order_service_pb2.ListSupplierOrdersRequest())
        assert [s.id for s in answer.supplier_orders] == await listed(clerk, INCOMING)
        (own,) = answer.supplier_orders
        seen = await get(clerk, own.id, INCOMING)
        assert (seen.total, seen.source_version) == (own.total, own.version), supplier


async def test_unsubmitted_orders_of_others_are_invisible(market: Marketplace) -> None:
    await create(market.people.ada, "DRAFT", anvil=1)
    assert await listed(market.people.ada, OUTGOING) == ["DRAFT"]
    for who in ("bob", "gil", "sam", *market.people.clerks):
        client = client_of(market, who)
        assert await listed(client, ALL) == [], who
        with pytest.raises(WaybillError) as refused:
            await get(client, "DRAFT")
        assert refused.value.reason == "RESOURCE_NOT_FOUND"
    # The owner has every role, UnsubmittedOrderReader among them.
    assert await listed(market.people.owner, INCOMING) == ["DRAFT"]


async def test_a_stranger_cannot_change_an_order_and_learns_nothing_of_it(shared_market: Marketplace) -> None:
    await create(shared_market.people.ada, "ALONE", anvil=1)
    for who in ("bob", "gil", "northforge"):
        with pytest.raises(WaybillError) as refused:
            await client_of(shared_market, who).line_items.RemoveLineItems(
                line_item_service_pb2.RemoveLineItemsRequest(order_id="ALONE", line_item_ids=["l1"])
            )
        assert refused.value.reason in ("RESOURCE_NOT_FOUND", "ROLE_MISSING", "PARTY_NOT_ADMITTED")
        assert "anvil" not in refused.value.message
    assert (await get(shared_market.people.ada, "ALONE")).line_item_count == 1


async def test_a_buyer_sees_shipments_without_what_is_the_suppliers_in_both_services(market: Marketplace) -> None:
    await market.people.ada.place_order({"crate": 2}, id="PO1")
    clerk = market.people.clerks["wh-east"]
    parcel = shipment_pb2.Shipment(
        id="P1",
        carrier="swift",
        tracking_number="SW-1",
        ship_from_id="dock-wh-east",
        cost=money("7.40", "USD"),
        items=[
            shipment_pb2.ShipmentItem(
                supplier_order_id="PO1-1", line_item_id="l1", quantity=2, inventory_record_id="crate-wh-east"
            )
        ],
    )
    parcel.xp.update({"gift": "wrapped"})
    parcel.ship_time.GetCurrentTime()
    made = await clerk.shipments.CreateShipment(shipment_service_pb2.CreateShipmentRequest(shipment=parcel))
    whole = made.shipment
    assert whole.items[0].inventory_record_id
    bare = shipment_pb2.Shipment()
    bare.CopyFrom(whole)
    bare.ClearField("cost")
    bare.ClearField("ship_from_id")
    bare.items[0].ClearField("inventory_record_id")
    for who in ("ada", "sam", "wh-east"):
        expected = bare if who == "ada" else whole
        assert await shipments(client_of(market, who)) == [expected], who
        if who != "wh-east":
            assert await tree(client_of(market, who), "PO1") == [expected], who
    for who in ("bob", "gil", "wh-west", "northforge"):
        assert await shipments(client_of(market, who)) == [], who
        with pytest.raises(WaybillError) as refused:
            await tree(client_of(market, who), "PO1")
        assert refused.value.reason == ("RESOURCE_NOT_FOUND" if who in ("bob", "gil") else "PARTY_NOT_ADMITTED"), who


async def shipments(client: AsyncWaybill) -> list[shipment_pb2.Shipment]:
    """What fulfillment shows, read one by one as in the list."""
    answer = await client.shipments.ListShipments(shipment_service_pb2.ListShipmentsRequest())
    for shown in answer.shipments:
        request = shipment_service_pb2.GetShipmentRequest(shipment_id=shown.id)
        assert (await client.shipments.GetShipment(request)).shipment == shown
    return list(answer.shipments)


async def tree(client: AsyncWaybill, id: str) -> list[shipment_pb2.Shipment]:
    """What the order service shows."""
    answer = await client.orders.GetOrderTree(order_service_pb2.GetOrderTreeRequest(order_id=id))
    return list(answer.shipments)


@pytest.mark.parametrize(("kind", "company"), [("SELLER", "seller"), ("SUPPLIER", "northforge")])
async def test_who_holds_no_role_for_orders_learns_the_role_by_both_services(
    sqlite_market: Marketplace, kind: str, company: str
) -> None:
    market = sqlite_market
    await market.people.ada.place_order({"anvil": 1}, id="PO1")
    person = user_service_pb2.User(
        id="pat", username="pat", party=party(kind, company), active=True, roles=["PriceScheduleAdmin"], password=PASSWORD
    )
    await market.people.owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=person))
    async with AsyncWaybill(market.address, PORTAL, username="pat", password=PASSWORD) as pat:
        asked: list[tuple[Awaitable[object], str]] = [
            (pat.supplier_orders.ListSupplierOrders(supplier_order_service_pb2.ListSupplierOrdersRequest()), "OrderReader"),
            (
                pat.supplier_orders.GetSupplierOrder(
                    supplier_order_service_pb2.GetSupplierOrderRequest(supplier_order_id="PO1-1")
                ),
                "OrderReader",
            ),
            (pat.shipments.ListShipments(shipment_service_pb2.ListShipmentsRequest()), "OrderReader"),
            (pat.shipments.GetShipment(shipment_service_pb2.GetShipmentRequest(shipment_id="none")), "OrderReader"),
            (pat.inventory.ListInventoryRecords(inventory_service_pb2.ListInventoryRecordsRequest()), "InventoryAdmin"),
            (
                pat.inventory.GetInventoryRecord(
                    inventory_service_pb2.GetInventoryRecordRequest(inventory_record_id="anvil-northforge")
                ),
                "InventoryAdmin",
            ),
            (pat.inventory.ListStockMovements(inventory_service_pb2.ListStockMovementsRequest()), "InventoryAdmin"),
            (listed(pat, ALL), "OrderReader"),
            (get(pat, "PO1-1"), "OrderReader"),
            (anext(aiter(pat.orders.WatchOrders(order_service_pb2.WatchOrdersRequest(direction=ALL)))), "OrderReader"),
        ]
        if kind == "SELLER":
            asked.append((tree(pat, "PO1"), "OrderReader"))
        for asking, role in asked:
            with pytest.raises(WaybillError) as refused:
                await asking
            assert (refused.value.code.name, refused.value.metadata) == ("PERMISSION_DENIED", {"role": role})


async def test_no_step_of_a_buyers_checkout_shows_where_units_come_from(shared_sqlite_market: Marketplace) -> None:
    people, id = shared_sqlite_market.people, "VEILED"
    order = order_pb2.Order(id=id)
    await people.ada.orders.CreateOrder(order_service_pb2.CreateOrderRequest(order=order, line_items=lines(anvil=1, lamp=1)))
    estimated = await people.ada.checkout.EstimateShipping(checkout_pb.EstimateShippingRequest(order_id=id))
    chosen = [
        checkout_pb.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id="ground")
        for e in estimated.worksheet.ship_estimates
    ]
    seen = [
        estimated,
        await people.ada.checkout.SelectShipMethods(checkout_pb.SelectShipMethodsRequest(order_id=id, selections=chosen)),
        await people.ada.checkout.CalculateOrder(checkout_pb.CalculateOrderRequest(order_id=id)),
        await people.ada.checkout.GetWorksheet(checkout_pb.GetWorksheetRequest(order_id=id)),
    ]
    whole = (await people.owner.checkout.GetWorksheet(checkout_pb.GetWorksheetRequest(order_id=id))).worksheet
    assert sorted(a.line_item_id for a in whole.sourcing_plan) == sorted(line.id for line in whole.line_items)
    secrets = {a.inventory_record_id for a in whole.sourcing_plan}
    assert all(secrets)
    assert all(e.ship_from_id for e in whole.ship_estimates)
    for answer in seen:
        assert len(answer.worksheet.ship_estimates) == len(whole.ship_estimates)
        assert not answer.worksheet.sourcing_plan
        assert not any(e.ship_from_id for e in answer.worksheet.ship_estimates)
    placed = await people.ada.checkout.PlaceOrder(
        checkout_pb.PlaceOrderRequest(order=order_pb2.Order(id="VEILED-2"), line_items=lines(anvil=1, lamp=1))
    )
    for shown in (*seen, placed):
        assert not any(secret in str(shown) for secret in secrets)
    with pytest.raises(WaybillError) as refused:
        await people.clerks["northforge"].checkout.GetWorksheet(checkout_pb.GetWorksheetRequest(order_id=id))
    assert refused.value.reason == "PARTY_NOT_ADMITTED"
