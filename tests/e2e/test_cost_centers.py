"""Lines name cost centers that the order's user may use, and are summed by them."""

from __future__ import annotations

from typing import Any

from tests.e2e.steps import cents, checked_out, promise, refused, violations
from tests.support.marketplace import ALL, Marketplace, lines
from waybill.directory.v1 import buyer_service_pb2
from waybill.directory.v1 import cost_center_service_pb2 as centers
from waybill.order.v1 import checkout_service_pb2, line_item_pb2, order_pb2, order_service_pb2
from waybill.order.v1 import line_item_service_pb2 as pb
from waybill_client import AsyncWaybill

Line = line_item_pb2.LineItem
REFUSED = "COST_CENTER_NOT_ALLOWED"
WRONG = ("gx-old", "gx-nobodys", "in-ops", "nowhere", "Travel, 4th quarter")
"""Not active, assigned to nobody, another company's, none, and no id."""


async def furnish(owner: AsyncWaybill) -> None:
    """Globex has a cost center for everyone, one that is not active and one of nobody; Initech has one."""
    initech = buyer_service_pb2.Buyer(id="initech", name="Initech", active=True, currency="USD")
    await owner.buyers.CreateBuyer(buyer_service_pb2.CreateBuyerRequest(buyer=initech))
    ids = {"gx-ops": "globex", "gx-old": "globex", "gx-nobodys": "globex", "in-ops": "initech"}
    made = [centers.CostCenter(id=id, name=id, buyer_id=buyer, active=id != "gx-old") for id, buyer in ids.items()]
    await owner.cost_centers.BatchCreateCostCenters(centers.BatchCreateCostCentersRequest(cost_centers=made))
    given = [centers.CostCenterAssignment(cost_center_id=id) for id in ids if id != "gx-nobodys"]
    await owner.cost_centers.AssignCostCenters(centers.AssignCostCentersRequest(assignments=given))


async def remove_all(owner: AsyncWaybill) -> None:
    """As before: whoever comes next orders without cost centers."""
    given = await owner.cost_centers.ListCostCenterAssignments(centers.ListCostCenterAssignmentsRequest())
    await owner.cost_centers.UnassignCostCenters(centers.UnassignCostCentersRequest(assignments=given.assignments))
    for one in (await owner.cost_centers.ListCostCenters(centers.ListCostCentersRequest())).cost_centers:
        await owner.cost_centers.DeleteCostCenter(centers.DeleteCostCenterRequest(cost_center_id=one.id))


def booked(*named: str) -> list[Line]:
    """A line for each cost center."""
    return [Line(id=f"b{i}", product_id="tape", quantity=i + 1, cost_center=one) for i, one in enumerate(named)]


async def created(client: AsyncWaybill, id: str, items: list[Line], **more: Any) -> None:
    request = order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id=id, **more), line_items=items)
    await client.orders.CreateOrder(request)


async def changed(client: AsyncWaybill, id: str, *items: Line) -> None:
    request = pb.UpdateLineItemsRequest(order_id=id, line_items=items, update_mask={"paths": ["cost_center"]})
    await client.line_items.UpdateLineItems(request)


async def switched(owner: AsyncWaybill, active: bool) -> None:
    one = centers.CostCenter(id="gx-ops", active=active)
    request = centers.UpdateCostCenterRequest(cost_center=one, update_mask={"paths": ["active"]})
    await owner.cost_centers.UpdateCostCenter(request)


async def objections(client: AsyncWaybill, id: str) -> list[tuple[str, str]]:
    answer = await client.checkout.ValidateOrder(checkout_service_pb2.ValidateOrderRequest(order_id=id))
    return [(problem.reason, problem.subject) for problem in answer.reasons]


async def summed(client: AsyncWaybill, filter: str = "", **more: Any) -> list[tuple[str, int, int, int, int]]:
    """(cost center, lines, units, subtotal, total) of all pages, which have one sum each."""
    found = []
    request = pb.SumLineItemsRequest(direction=ALL, filter=filter, page_size=1, **more)
    while True:
        page = await client.line_items.SumLineItems(request)
        found += [(s.cost_center, s.line_item_count, s.quantity, cents(s.subtotal), cents(s.total)) for s in page.sums]
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return found


async def test_lines_name_no_cost_center_that_the_orders_user_may_not_use(shared_sqlite_market: Marketplace) -> None:
    people, tape = shared_sqlite_market.people, lines(tape=1)
    await created(people.gil, "CC-FREE", booked("Travel, 4th quarter"))
    await furnish(people.owner)
    every = {(f"line_items[{i}].cost_center", REFUSED) for i in range(1, len(WRONG) + 1)}
    mixed = booked("gx-ops", *WRONG)
    error = await refused(created(people.gil, "CC-NO", mixed))
    assert violations(error) == every
    assert {v.description.replace(one, "") for v, one in zip(error.fields, WRONG, strict=True)} == {
        "there is no cost center '' that the order's user may use"
    }
    of_gil = {"from_party": {"id": "globex"}, "from_user": {"id": "gil"}}
    assert violations(await refused(created(people.owner, "CC-NO", mixed, **of_gil))) == every
    await created(people.gil, "CC-YES", [*tape, *booked("gx-ops")])
    added = pb.AddLineItemsRequest(order_id="CC-YES", line_items=[Line(product_id="tape", quantity=1, cost_center="in-ops")])
    assert violations(await refused(people.gil.line_items.AddLineItems(added))) == {("line_items[0].cost_center", REFUSED)}
    error = await refused(changed(people.gil, "CC-YES", Line(id="l1", cost_center="gx-ops"), Line(id="b0", cost_center="gx-old")))
    assert violations(error) == {("line_items[1].cost_center", REFUSED)}
    await changed(people.gil, "CC-YES", Line(id="l1", cost_center="gx-ops"), Line(id="b0"))
    placed = checkout_service_pb2.PlaceOrderRequest(order=order_pb2.Order(id="CC-NO"), line_items=mixed)
    assert violations(await refused(people.gil.checkout.PlaceOrder(placed))) == every

    await checked_out(people.gil, "CC-FREE", promise())
    assert await objections(people.gil, "CC-FREE") == [(REFUSED, "line_items[b0]")]
    submit = checkout_service_pb2.SubmitOrderRequest(order_id="CC-FREE")
    assert {(r.reason, r.subject) for r in (await refused(people.gil.checkout.SubmitOrder(submit))).rules} == {
        (REFUSED, "line_items[b0]")
    }
    await changed(people.gil, "CC-FREE", Line(id="b0", cost_center="gx-ops"))
    await checked_out(people.gil, "CC-FREE", [])
    await switched(people.owner, False)
    assert await objections(people.gil, "CC-FREE") == [(REFUSED, "line_items[b0]")]
    await switched(people.owner, True)
    assert (await people.gil.checkout.SubmitOrder(submit)).order.is_submitted
    await remove_all(people.owner)
    await changed(people.gil, "CC-YES", Line(id="b0", cost_center="Anything goes"))


async def sums(market: Marketplace, name: str) -> None:
    people = market.people
    of_two = f'order_id = "{name}-*"'
    await created(people.ada, f"{name}-1", [*booked(f"{name}-a", f"{name}-b"), Line(id="n", product_id="lamp", quantity=1)])
    await created(people.ada, f"{name}-2", booked(f"{name}-b", f"{name}-b"))
    shown = [
        line
        for id in (1, 2)
        for line in (
            await people.ada.line_items.ListLineItems(pb.ListLineItemsRequest(order_id=f"{name}-{id}", direction=ALL))
        ).line_items
    ]

    def of(cost_center: str, numbered: list[Line]) -> tuple[str, int, int, int, int]:
        mine = [line for line in numbered if line.cost_center == cost_center]
        amounts = [sum(cents(getattr(line, what)) for line in mine) for what in ("subtotal", "total")]
        return cost_center, len(mine), sum(line.quantity for line in mine), amounts[0], amounts[1]

    every = [of("", shown), of(f"{name}-a", shown), of(f"{name}-b", shown)]
    assert [one[1:3] for one in every] == [(1, 1), (1, 1), (3, 5)]
    assert every[2][3] > 0
    assert await summed(people.ada, of_two) == every
    # Those of the seller see what others have not submitted with a role of their own.
    assert await summed(people.owner, of_two) == every
    assert await summed(people.ada, f'order_id = "{name}-1" AND quantity > 1') == [of(f"{name}-b", shown[:3])]
    assert await summed(people.gil, of_two) == []
    assert await summed(people.ada, of_two, skip=2) == every[2:]
    token = (await people.ada.line_items.SumLineItems(pb.SumLineItemsRequest(direction=ALL, page_size=1))).next_page_token
    other = pb.SumLineItemsRequest(direction=ALL, filter=of_two, page_token=token)
    assert violations(await refused(people.ada.line_items.SumLineItems(other))) == {("page_token", "PAGE_TOKEN_INVALID")}
    clerk = people.clerks["lumenworks"].line_items
    assert (await refused(clerk.SumLineItems(pb.SumLineItemsRequest(direction=ALL)))).reason == "PARTY_NOT_ADMITTED"
    order = market.host.apps["order"]
    before = order.statements()
    await people.ada.line_items.SumLineItems(pb.SumLineItemsRequest(direction=ALL))
    assert order.statements() - before == 1


async def test_lines_are_summed_by_cost_center(shared_market: Marketplace) -> None:
    await sums(shared_market, "TALLY")


async def test_lines_are_summed_alike_on_sqlite(shared_sqlite_market: Marketplace) -> None:
    await sums(shared_sqlite_market, "TALLY")
