"""Lines have their prices as soon as they are added, and an order the sums of these, long before anything is calculated."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

from libs.errors import Kind
from libs.errors import WaybillError as Refusal
from libs.rpc import counters
from services.host.sample.marketplace import CURRENCY
from services.order.adapters.clients.pricing import PricingClient
from tests.e2e.steps import checked_out, promise, refused
from tests.support.marketplace import ALL, Marketplace, get, lines
from waybill.order.v1 import cart_service_pb2, checkout_service_pb2, line_item_pb2, order_pb2, order_service_pb2
from waybill.order.v1 import line_item_service_pb2 as pb
from waybill.pricing.v1 import price_schedule_service_pb2 as prices_pb
from waybill_client import AsyncWaybill, money, text

PRICED = "/waybill.pricing.v1.OrderPricingService/CalculateOrder"
Line = line_item_pb2.LineItem


async def add(client: AsyncWaybill, id: str, *added: Line, request_id: str = "") -> pb.AddLineItemsResponse:
    return await client.line_items.AddLineItems(pb.AddLineItemsRequest(order_id=id, line_items=added, request_id=request_id))


async def change(client: AsyncWaybill, id: str, *changed: Line) -> pb.UpdateLineItemsResponse:
    return await client.line_items.UpdateLineItems(pb.UpdateLineItemsRequest(order_id=id, line_items=changed))


async def remove(client: AsyncWaybill, id: str, *ids: str) -> pb.RemoveLineItemsResponse:
    return await client.line_items.RemoveLineItems(pb.RemoveLineItemsRequest(order_id=id, line_item_ids=ids))


async def listed(client: AsyncWaybill, id: str) -> list[Line]:
    answer = await client.line_items.ListLineItems(pb.ListLineItemsRequest(order_id=id, direction=ALL))
    return list(answer.line_items)


def costs(found: Any) -> list[tuple[str, str]]:
    """Unit price and subtotal of each line."""
    return [(text(line.unit_price).split()[0], text(line.subtotal).split()[0]) for line in found]


def sums(order: order_pb2.Order) -> tuple[str, str, str, bool]:
    return (text(order.subtotal), text(order.tax), text(order.total), order.calculated)


async def test_a_line_has_its_price_as_soon_as_it_is_added(shared_sqlite_market: Marketplace) -> None:
    ada, id = shared_sqlite_market.people.ada, "QUOTED"
    request = order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id=id), line_items=lines(anvil=1))
    made = await ada.orders.CreateOrder(request)
    assert costs(made.line_items) == [("189.00", "189.00")]
    (step,) = made.line_items[0].price_steps
    assert (step.schedule.price_schedule_id, step.unit_amount) == ("list-anvil", money("189.00", CURRENCY))
    assert sums(made.order) == ("189.00 USD", "0.00 USD", "189.00 USD", False)

    counters.sent.clear()
    assert costs((await add(ada, id, *lines(lamp=2, tape=3))).line_items) == [("64.30", "128.60"), ("3.333", "10.00")]
    changed = await change(ada, id, Line(id="l1", quantity=4))
    assert costs(changed.line_items) == [("175.50", "702.00")]
    assert sums(changed.order) == ("840.60 USD", "0.00 USD", "840.60 USD", False)
    assert counters.sent[PRICED] == 2
    await change(ada, id, Line(id="l1", comments="by the back door"))
    gone = (await remove(ada, id, "l3")).order
    assert (counters.sent[PRICED], text(gone.total)) == (2, "830.60 USD")
    assert costs(await listed(ada, id)) == [("175.50", "702.00"), ("64.30", "128.60")]

    await checked_out(ada, id, promise())
    calculated = await get(ada, id)
    assert (text(calculated.subtotal), calculated.calculated, calculated.tax.units > 0) == ("830.60 USD", True, True)
    line = (await change(ada, id, Line(id="l2", quantity=1))).line_items[0]
    assert (text(line.subtotal), text(line.tax), line.tax_rate.value) == ("64.30 USD", "0.00 USD", "0")
    again = await get(ada, id)
    assert (again.calculated, again.tax) == (False, calculated.tax)
    assert text(again.subtotal) == "766.30 USD"


async def test_what_is_set_by_hand_is_the_price_at_once(shared_sqlite_market: Marketplace) -> None:
    owner, id = shared_sqlite_market.people.owner, "BY-HAND"
    by_hand = {"unit_price_override": money("10", CURRENCY), "discount_override": money("3", CURRENCY)}
    request = order_service_pb2.CreateOrderRequest(
        order=order_pb2.Order(id=id, from_party={"id": "acme"}, from_user={"id": "ada"}),
        line_items=[Line(id="a", product_id="anvil", quantity=2, **by_hand)],
    )
    made = await owner.orders.CreateOrder(request)
    assert (costs(made.line_items), text(made.order.total)) == ([("10.00", "20.00")], "17.00 USD")
    request_of = pb.UpdateLineItemsRequest(order_id=id, line_items=[Line(id="a", discount_override=money("30", CURRENCY))])
    changed = await owner.line_items.UpdateLineItems(request_of)
    assert [(p.subject, p.reason) for p in changed.price_problems] == [("line_items[a]", "DISCOUNT_ABOVE_SUBTOTAL")]
    assert (text(changed.line_items[0].total), text(changed.order.total)) == ("0.00 USD", "0.00 USD")


async def together(owner: AsyncWaybill) -> None:
    """Units of tape on an order count together for acme: 5.00, from ten on 4.00, and no more than twenty."""
    breaks = [prices_pb.PriceBreak(quantity=q, price=money(p, CURRENCY)) for q, p in ((1, "5.00"), (10, "4.00"))]
    made = prices_pb.PriceSchedule(
        id="together", name="Together", currency=CURRENCY, use_cumulative_quantity=True, max_quantity=20, price_breaks=breaks
    )
    await owner.price_schedules.CreatePriceSchedule(prices_pb.CreatePriceScheduleRequest(price_schedule=made))
    assigned = prices_pb.PriceAssignment(product_id="tape", buyer_id="acme", price_schedule_id="together")
    await owner.price_schedules.AssignPriceSchedules(prices_pb.AssignPriceSchedulesRequest(assignments=[assigned]))


async def test_lines_of_a_product_whose_units_count_together_are_priced_together(market: Marketplace) -> None:
    ada, id = market.people.ada, "TOGETHER"
    await together(market.people.owner)
    cart = cart_service_pb2.AddCartItemsRequest(line_items=lines(tape=4))
    assert costs((await ada.carts.AddCartItems(cart)).line_items) == [("5.00", "20.00")]
    await ada.orders.CreateOrder(
        order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id=id), line_items=lines(tape=4, lamp=1))
    )
    added = await add(ada, id, *lines(tape=6))
    assert costs(added.line_items) == [("4.00", "24.00")]
    assert costs(await listed(ada, id)) == [("4.00", "16.00"), ("64.30", "64.30"), ("4.00", "24.00")]
    left = await remove(ada, id, "l3")
    assert (text(left.order.subtotal), list(left.price_problems)) == ("84.30 USD", [])

    many = await add(ada, id, Line(id="many", product_id="tape", quantity=17), request_id="many")
    named = [(p.context, p.subject, p.reason) for p in many.price_problems]
    assert named == [("pricing", f"line_items[{line}]", "QUANTITY_ABOVE_MAXIMUM") for line in ("l1", "many")]
    assert (costs(many.line_items), text(many.order.subtotal)) == ([("0.00", "0.00")], "64.30 USD")
    again = await add(ada, id, Line(id="many", product_id="tape", quantity=17), request_id="many")
    assert list(again.price_problems) == list(many.price_problems)
    await ada.checkout.EstimateShipping(checkout_service_pb2.EstimateShippingRequest(order_id=id))
    error = await refused(ada.checkout.CalculateOrder(checkout_service_pb2.CalculateOrderRequest(order_id=id)))
    assert error.reason == "CALCULATION_REFUSED"

    await remove(ada, id, "many")
    await asyncio.gather(*(add(ada, id, *lines(tape=2)) for _ in range(4)))
    taped = [line for line in await listed(ada, id) if line.product_id == "tape"]
    assert [(text(line.unit_price), line.price_steps[0].schedule.counted_quantity) for line in taped] == [("4.00 USD", 12)] * 5


async def test_without_pricing_nothing_is_written(shared_sqlite_market: Marketplace, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, id = shared_sqlite_market.people.ada, "UNPRICED"

    async def away(*_: Any) -> None:
        raise Refusal(Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", "not now", metadata={"dependency": "pricing"})

    await ada.orders.CreateOrder(order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id=id), line_items=lines(anvil=1)))
    before = await get(ada, id)
    monkeypatch.setattr(PricingClient, "quote", away)
    other = order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id="NEVER"), line_items=lines(anvil=1))
    for call in (add(ada, id, *lines(lamp=1)), change(ada, id, Line(id="l1", quantity=2)), ada.orders.CreateOrder(other)):
        error = await refused(call)
        assert (error.code, error.reason) == (grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
    assert await get(ada, id) == before
    assert (await refused(get(ada, "NEVER"))).reason == "RESOURCE_NOT_FOUND"


async def test_who_always_comes_too_late_is_answered_that_the_order_has_changed(
    shared_sqlite_market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, id, quote = shared_sqlite_market.people.ada, "LATE", PricingClient.quote
    await ada.orders.CreateOrder(order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id=id), line_items=lines(anvil=1)))
    tried: list[int] = []

    async def overtaken(self: PricingClient, order: Any, asked: Any) -> Any:
        found = await quote(self, order, asked)
        tried.append(len(asked))
        monkeypatch.setattr(PricingClient, "quote", quote)
        await add(ada, id, *lines(anvil=1))
        monkeypatch.setattr(PricingClient, "quote", overtaken)
        return found

    monkeypatch.setattr(PricingClient, "quote", overtaken)
    error = await refused(add(ada, id, *lines(anvil=1)))
    assert (error.code, error.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert tried == [2, 3, 4, 5, 6]
    monkeypatch.undo()
    assert len(await listed(ada, id)) == 6
