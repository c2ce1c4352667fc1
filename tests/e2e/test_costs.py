"""The cost side of supplier orders from the schedule on: what holds when an order is submitted, and wherever its units go."""

from __future__ import annotations

from tests.e2e.steps import cents, promise, ready, set_cost
from tests.support.marketplace import Marketplace
from waybill.fulfillment.v1 import supplier_order_pb2
from waybill.fulfillment.v1 import supplier_order_service_pb2 as so
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import order_service_pb2
from waybill.pricing.v1 import cost_schedule_service_pb2 as costs_pb
from waybill_client import money


async def of_order(market: Marketplace, id: str) -> dict[str, supplier_order_pb2.SupplierOrder]:
    """By supplier, as the seller sees them."""
    tree = await market.people.sam.orders.GetOrderTree(order_service_pb2.GetOrderTreeRequest(order_id=id))
    return {part.supplier_id: part for part in tree.supplier_orders}


async def change_cost(market: Marketplace, id: str, cost: str) -> None:
    changed = costs_pb.CostSchedule(id=id)
    changed.price_breaks.add(quantity=1, price=money(cost, "USD"))
    await market.people.owner.cost_schedules.UpdateCostSchedule(costs_pb.UpdateCostScheduleRequest(cost_schedule=changed))


async def test_a_submit_takes_the_costs_of_its_moment_and_keeps_them_wherever_the_units_go(market: Marketplace) -> None:
    people = market.people
    await set_cost(people.owner, "wh-east", "crate", "2.00")
    await ready(people.ada, "OLD", promise(), crate=5)
    await change_cost(market, "wh-east-crate", "2.50")
    await set_cost(people.owner, "wh-west", "crate", "1.90")
    await people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="OLD"))
    await change_cost(market, "wh-west-crate", "9.99")
    east = (await of_order(market, "OLD"))["wh-east"]
    assert (cents(east.cost), cents(east.payable)) == (12_50, 12_50)
    assert cents(east.commission) == cents(east.subtotal) - cents(east.discount) - 12_50
    reject = so.RejectSupplierOrderRequest(supplier_order_id=east.id, comment="dock flooded")
    await people.clerks["wh-east"].supplier_orders.RejectSupplierOrder(reject)
    moved = await of_order(market, "OLD")
    assert (cents(moved["wh-east"].cost), cents(moved["wh-east"].payable)) == (0, 0)
    assert [cents(line.unit_cost) for line in moved["wh-west"].line_items] == [1_90]
    assert cents(moved["wh-west"].cost) == 9_50
    (seen,) = (await people.clerks["wh-west"].supplier_orders.ListSupplierOrders(so.ListSupplierOrdersRequest())).supplier_orders
    assert (seen.cost, seen.HasField("total"), seen.HasField("commission")) == (moved["wh-west"].cost, False, False)
