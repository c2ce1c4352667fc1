"""The seller sees in which ways an order could be sourced, and what each costs to ship, be it submitted or not."""

from __future__ import annotations

from typing import Any

import pytest

from libs.protoconv import money_micros
from libs.rpc import counters
from tests.e2e.steps import refused
from tests.support.marketplace import Marketplace, create, get
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill.type.v1.address_pb2 import Address

EAST, WEST = "wh-east", "wh-west"
CART = {"crate": 5, "tarp": 1}
"""Crates are Warehouse East's, and at West too; the tarpaulin is at West only."""


async def simulate(market: Marketplace, id: str, **said: Any) -> pb.SimulateOrderSourcingResponse:
    request = pb.SimulateOrderSourcingRequest(order_id=id, **said)
    return await market.people.owner.checkout.SimulateOrderSourcing(request)


def seen(answer: pb.SimulateOrderSourcingResponse) -> list[tuple[set[str], int, bool]]:
    """Of each plan the suppliers, the shipments and whether an estimate keeps it."""
    return [({a.supplier_id for a in plan.assignments}, plan.shipments, plan.kept) for plan in answer.plans]


@pytest.mark.on_sqlite
async def test_an_order_is_simulated_by_one_call_of_each_service_and_stays_as_it_is(market: Marketplace) -> None:
    people = market.people
    await create(people.ada, "SIMULATED", **CART)
    before = await get(people.owner, "SIMULATED")
    counters.sent.clear()
    answer = await simulate(market, "SIMULATED")
    asked = {name: n for name, n in counters.sent.items() if "PlanSourcing" in name or "ShippingService" in name}
    assert list(asked.values()) == [1, 1]
    assert seen(answer)[:2] == [({EAST, WEST}, 2, True), ({WEST}, 1, False)]
    two, one = (money_micros(plan.freight) for plan in answer.plans[:2])
    assert two > one > 0
    assert not any(a.HasField("ship_from") for plan in answer.plans for a in plan.assignments)
    lowest = await simulate(market, "SIMULATED", stages=["default_supplier", "lowest_freight"])
    assert seen(lowest)[:2] == [({EAST, WEST}, 2, False), ({WEST}, 1, True)]
    assert seen(await simulate(market, "SIMULATED", strategy="fewest_parcels"))[0] == ({WEST}, 1, True)
    assert await get(people.owner, "SIMULATED") == before
    # What an estimate says is what was simulated.
    sheet = (await people.ada.checkout.EstimateShipping(pb.EstimateShippingRequest(order_id="SIMULATED"))).worksheet
    assert sum(money_micros(e.ship_methods[0].cost) for e in sheet.ship_estimates) == two
    await people.ada.place_order(CART, id="SUBMITTED")
    assert seen(await simulate(market, "SUBMITTED"))[:2] == [({EAST, WEST}, 2, True), ({WEST}, 1, False)]


async def test_what_stands_against_sourcing_or_shipping_an_order_is_answered(shared_sqlite_market: Marketplace) -> None:
    people = shared_sqlite_market.people
    await create(people.ada, "SHORT", anvil=4_000, tape=1)
    short = await simulate(shared_sqlite_market, "SHORT")
    assert {p.reason for p in short.problems} == {"INSUFFICIENT_INVENTORY"}
    assert [(plan.HasField("freight"), plan.kept) for plan in short.plans] == [(False, False)]
    await create(people.ada, "ABROAD", tape=1)
    far = order_pb2.Order(id="ABROAD", shipping_address=Address(city="Lyon", postal_code="69001", country="FR"))
    await people.ada.orders.UpdateOrder(
        order_service_pb2.UpdateOrderRequest(order=far, update_mask={"paths": ["shipping_address"]})
    )
    abroad = await simulate(shared_sqlite_market, "ABROAD")
    assert not abroad.problems
    for plan in abroad.plans:
        assert [p.reason for p in plan.problems] == ["NO_SHIP_METHOD"]
        assert (plan.HasField("freight"), plan.shipments, plan.kept) == (False, 0, False)
    empty = await people.ada.orders.CreateOrder(order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id="BARE")))
    assert (await refused(simulate(shared_sqlite_market, empty.order.id))).reason == "ORDER_EMPTY"
    wrong = await refused(simulate(shared_sqlite_market, "SHORT", strategy="nearest"))
    assert [f.field for f in wrong.fields] == ["strategy"]
    denied = await refused(people.ada.checkout.SimulateOrderSourcing(pb.SimulateOrderSourcingRequest(order_id="SHORT")))
    assert denied.reason == "PARTY_NOT_ADMITTED"
