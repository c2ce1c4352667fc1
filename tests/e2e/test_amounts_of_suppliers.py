"""Which amounts a supplier sees: every method that answers with amounts, called by a supplier's user who holds every role."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from libs.protoconv import money_micros, money_out
from services import roles
from services.host.sample.marketplace import PASSWORD, PORTAL, party
from tests.e2e.steps import set_cost, ship
from tests.support.amounts import Amount, amounts, holds_amounts
from tests.support.contracts import invoke, services
from tests.support.marketplace import ALL, Marketplace
from waybill.directory.v1 import user_service_pb2
from waybill.fulfillment.v1 import shipment_service_pb2, supplier_order_pb2
from waybill.fulfillment.v1 import supplier_order_service_pb2 as so
from waybill.order.v1 import order_service_pb2
from waybill_client import AsyncWaybill, WaybillError

SHOWN = {
    "SupplierOrderService": "GetSupplierOrder ListSupplierOrders UpdateSupplierOrder AcceptSupplierOrder RejectSupplierOrder",
    "OrderService": "GetOrder ListOrders",
    "LineItemService": "ListLineItems ListLineItemsAcrossOrders",
    "ShipmentService": "GetShipment ListShipments UpdateShipment ShipOrder",
    # Of the supplier's own, which are none here.
    "PriceScheduleService": "ListPriceSchedules",
    "PriceFloorService": "BatchGetPriceFloors",
    "CostScheduleService": "ListCostSchedules",
    "SpecService": "ListSpecs",
    # What options add to the price, of products that it owns or may fulfill.
    "ProductService": "BatchGetProducts",
}
"""By service: what answers a supplier about orders, with amounts or a place for them. A new method is added here, once it is
clear which amounts it shows."""


def asking(method: MethodDescriptor, id: str) -> Message:
    """A request of a method about what is called `id`."""
    request: Any = GetMessageClass(method.input_type)()
    for field in method.input_type.fields:
        if field.name in ("order_id", "supplier_order_id", "shipment_id", "payment_id", "spending_account_id"):
            setattr(request, field.name, id)
        elif field.message_type is not None and {"id", "xp"} <= set(field.message_type.fields_by_name) and not field.is_repeated:
            getattr(request, field.name).id = id
            getattr(request, field.name).xp.update({"seen": True})
        elif field.name == "direction":
            request.direction = ALL
        elif field.name == "include_line_items":
            request.include_line_items = True
    return request


def totals(part: supplier_order_pb2.SupplierOrder) -> list[Amount]:
    """What the lines come to: subtotal less discount plus tax."""
    sums = (money_micros(line.subtotal) - money_micros(line.discount) + money_micros(line.tax) for line in part.line_items)
    return [amount for micros in sums for amount in amounts(money_out(micros, part.currency))]


async def all_roles(market: Marketplace, company: str) -> AsyncWaybill:
    """A new user of a supplier who holds every role, signed in."""
    user = user_service_pb2.User(
        id=f"sees-{company}", username=f"sees-{company}", party=party("SUPPLIER", company), active=True, password=PASSWORD
    )
    user.roles.extend(sorted(roles.ALL_ROLES))
    await market.people.owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=user))
    return AsyncWaybill(market.address, PORTAL, username=user.username, password=PASSWORD)


async def test_a_supplier_sees_the_sell_side_of_its_own_part_and_no_other_amount(sqlite_market: Marketplace) -> None:
    market, clerk = sqlite_market, sqlite_market.people.clerks["northforge"]
    foreign: set[Amount] = set()
    own: list[supplier_order_pb2.SupplierOrder] = []
    ids = ["PO1", "PO2"]
    for id in tuple(ids):
        await market.people.ada.place_order({"anvil": 3, "lamp": 2, "crate": 5}, id=id)
        tree = await market.people.sam.orders.GetOrderTree(order_service_pb2.GetOrderTreeRequest(order_id=id))
        others = [part for part in tree.supplier_orders if part.supplier_id != "northforge"]
        own += [part for part in tree.supplier_orders if part not in others]
        foreign |= {amount for part in (tree.order, *others) for amount in amounts(part)}
        ids += [part.id for part in tree.supplier_orders]
    await ship(clerk, own[0].id, own[0].line_items[0].line_item_id, 1)
    # As it is then: it says what has shipped of it, too.
    shipped = await clerk.supplier_orders.GetSupplierOrder(so.GetSupplierOrderRequest(supplier_order_id=own[0].id))
    own[0] = shipped.supplier_order
    ids += [s.id for s in (await clerk.shipments.ListShipments(shipment_service_pb2.ListShipmentsRequest())).shipments]
    sell_side = {amount for part in own for amount in (*amounts(part), *(totals(part)))}
    assert foreign - sell_side
    answered = await asked_by_every_method(market, ids, own[1].id, sell_side)
    assert answered == {f"{s}.{m}" for s, names in SHOWN.items() for m in names.split()}


async def asked_by_every_method(market: Marketplace, ids: list[str], rejected: str, shown: set[Amount]) -> set[str]:
    """Which methods answer northforge about what is called so; that they show these amounts and no others."""
    # One is rejected, and only then the other is shipped: nothing is open after either.
    methods = [m for s in services() for m in s.methods if not m.server_streaming and holds_amounts(m.output_type)]
    methods.sort(key=lambda m: ("Reject" in m.name) + 2 * (m.name == "ShipOrder"))
    answered: set[str] = set()
    seen: set[Amount] = set()
    async with await all_roles(market, "northforge") as supplier:
        for method in methods:
            name = f"{method.containing_service.name}.{method.name}"
            for id in [rejected] if "Reject" in method.name else ids:
                try:
                    answer = await invoke(supplier.channel, method, asking(method, id))
                except WaybillError:
                    continue
                answered.add(name)
                shown_here = {amount for amount in amounts(answer) if amount[1:] != (0, 0)}
                assert shown_here <= shown, (name, id, shown_here - shown)
                seen |= shown_here
    assert {amount for amount in shown if amount[1:] != (0, 0)} <= seen
    return answered


async def test_a_supplier_that_has_a_cost_sees_the_cost_side_and_no_other_amount(sqlite_market: Marketplace) -> None:
    """Unit cost, and cost of three and of the units that are left of them: nothing of what the buyer pays."""
    market, clerk = sqlite_market, sqlite_market.people.clerks["northforge"]
    await set_cost(market.people.owner, "northforge", "anvil", "7.77")
    own: list[supplier_order_pb2.SupplierOrder] = []
    ids = ["PO1", "PO2"]
    for id in tuple(ids):
        await market.people.ada.place_order({"anvil": 3, "lamp": 2, "crate": 5}, id=id)
        tree = await market.people.sam.orders.GetOrderTree(order_service_pb2.GetOrderTreeRequest(order_id=id))
        own += [part for part in tree.supplier_orders if part.supplier_id == "northforge"]
        ids += [part.id for part in tree.supplier_orders]
    await ship(clerk, own[0].id, own[0].line_items[0].line_item_id, 1)
    ids += [s.id for s in (await clerk.shipments.ListShipments(shipment_service_pb2.ListShipmentsRequest())).shipments]
    cost_side = {("USD", 7, 770_000_000), ("USD", 23, 310_000_000)}
    assert {*amounts(own[0])} > cost_side
    answered = await asked_by_every_method(market, ids, own[1].id, cost_side)
    assert answered == {f"{s}.{m}" for s, names in SHOWN.items() for m in names.split()}
    for filter in ("total > 1", "total <= 100000"):
        page = await clerk.supplier_orders.ListSupplierOrders(so.ListSupplierOrdersRequest(filter=filter))
        listed = await clerk.orders.ListOrders(order_service_pb2.ListOrdersRequest(filter=filter, direction=ALL))
        assert (list(page.supplier_orders), list(listed.orders)) == ([], [])
    page = await clerk.supplier_orders.ListSupplierOrders(
        so.ListSupplierOrdersRequest(filter="cost > 23.30", order_by="total desc")
    )
    assert [part.id for part in page.supplier_orders] == [own[0].id]


async def test_the_history_of_a_supplier_order_shows_no_amount(shared_sqlite_market: Marketplace) -> None:
    market, clerk = shared_sqlite_market, shared_sqlite_market.people.clerks["northforge"]
    await market.people.ada.place_order({"anvil": 1, "lamp": 1}, id="NO-AMOUNT")
    (own,) = (
        await clerk.supplier_orders.ListSupplierOrders(so.ListSupplierOrdersRequest(filter='order_id = "NO-AMOUNT"'))
    ).supplier_orders
    await ship(clerk, own.id, own.line_items[0].line_item_id, 1)
    history = await clerk.orders.ListOrderHistory(order_service_pb2.ListOrderHistoryRequest(order_id=own.id, direction=ALL))
    assert len(history.events) > 1
    assert {name for event in history.events for name in event.data} == {"supplier_status", "source_version"}
