"""Carts: what a user has pinned, or else its newest order; made by what is first added to it; a guest's is its one order."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.steps import promise, ready, refused
from tests.support.guests import guest, open_to_guests
from tests.support.marketplace import Marketplace, create, lines
from waybill.order.v1 import cart_service_pb2 as pb
from waybill.order.v1 import checkout_service_pb2, order_pb2, order_service_pb2
from waybill_client import AsyncWaybill


async def cart(client: AsyncWaybill) -> pb.GetCartResponse:
    return await client.carts.GetCart(pb.GetCartRequest())


async def add(client: AsyncWaybill, request_id: str = "", **quantities: int) -> order_pb2.Order:
    request = pb.AddCartItemsRequest(line_items=lines(**quantities), request_id=request_id)
    return (await client.carts.AddCartItems(request)).order


def pinning(id: str, request_id: str = "") -> pb.PinCartRequest:
    return pb.PinCartRequest(order_id=id, request_id=request_id)


def deletion(id: str) -> order_service_pb2.DeleteOrderRequest:
    return order_service_pb2.DeleteOrderRequest(order_id=id)


@pytest.mark.on_sqlite
async def test_what_is_first_added_makes_the_cart_and_the_newest_order_is_it(market: Marketplace) -> None:
    ada = market.people.ada
    assert await cart(ada) == pb.GetCartResponse()
    first = await add(ada, "one", anvil=2)
    assert (first.status, first.from_user.id, first.line_item_count) == (order_pb2.ORDER_STATUS_UNSUBMITTED, "ada", 1)
    assert (await add(ada, "one", anvil=2)).id == first.id
    assert (await add(ada, "two", tongs=1)).id == first.id
    seen = await cart(ada)
    assert (seen.order.id, seen.pinned) == (first.id, False)
    assert [(line.product_id, line.quantity) for line in seen.line_items] == [("anvil", 2), ("tongs", 1)]
    # Others have carts of their own.
    assert not (await cart(market.people.bob)).HasField("order")

    await create(ada, "NEWER", tape=1)
    assert (await cart(ada)).order.id == "NEWER"
    assert (await add(ada, tape=3)).id == "NEWER"
    await ada.orders.DeleteOrder(deletion("NEWER"))
    assert (await cart(ada)).order.id == first.id
    await ada.orders.DeleteOrder(deletion(first.id))
    assert await cart(ada) == pb.GetCartResponse()
    again = await add(ada, "three", tape=1)
    assert again.id != first.id
    await ada.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id=again.id))
    assert await cart(ada) == pb.GetCartResponse()


@pytest.mark.on_sqlite
async def test_a_pinned_order_is_the_cart_until_it_is_submitted_or_gone(market: Marketplace) -> None:
    ada = market.people.ada
    await ready(ada, "PINNED", promise(), anvil=1)
    await create(ada, "OTHER", tape=1)
    for _ in range(2):
        assert (await ada.carts.PinCart(pinning("PINNED", "pin"))).order.id == "PINNED"
    assert ((await cart(ada)).order.id, (await cart(ada)).pinned) == ("PINNED", True)
    await ada.carts.UnpinCart(pb.UnpinCartRequest(request_id="unpin"))
    await ada.carts.UnpinCart(pb.UnpinCartRequest())
    assert ((await cart(ada)).order.id, (await cart(ada)).pinned) == ("OTHER", False)
    await ada.carts.PinCart(pinning("OTHER"))
    await ada.carts.PinCart(pinning("PINNED"))
    await ada.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id="PINNED"))
    assert ((await cart(ada)).order.id, (await cart(ada)).pinned) == ("OTHER", False)
    assert (await refused(ada.carts.PinCart(pinning("PINNED")))).reason == "ORDER_STATUS_CONFLICT"
    await ada.carts.PinCart(pinning("OTHER"))
    await ada.orders.DeleteOrder(deletion("OTHER"))
    assert await cart(ada) == pb.GetCartResponse()
    assert (await refused(ada.carts.PinCart(pinning("OTHER")))).reason == "RESOURCE_NOT_FOUND"


async def test_only_a_shoppers_own_orders_are_carts(market: Marketplace) -> None:
    people = market.people
    await create(people.bob, "BOBS", tape=1)
    for id in ("BOBS", "NONE", "no id"):
        assert (await refused(people.ada.carts.PinCart(pinning(id)))).reason == "RESOURCE_NOT_FOUND"
    assert (await refused(people.owner.carts.GetCart(pb.GetCartRequest()))).reason == "PARTY_NOT_ADMITTED"
    error = await refused(people.ada.carts.AddCartItems(pb.AddCartItemsRequest()))
    assert [(f.field, f.reason) for f in error.fields] == [("line_items", "FIELD_REQUIRED")]
    error = await refused(add(people.ada, nothing=1, anvil=0))
    assert {(f.field, f.reason) for f in error.fields} == {
        ("line_items[0].product_id", "PRODUCT_NOT_FOUND"),
        ("line_items[1].quantity", "VALUE_OUT_OF_RANGE"),
    }
    assert await cart(people.ada) == pb.GetCartResponse()


@pytest.mark.on_sqlite
async def test_calls_at_the_same_time_make_one_cart(market: Marketplace) -> None:
    ada = market.people.ada
    for turn in range(3):
        made = await asyncio.gather(*(add(ada, f"{turn}-{n}", anvil=1) for n in range(6)))
        assert len({order.id for order in made}) == 1
        assert (await cart(ada)).order.line_item_count == 6
        listed = await ada.orders.ListOrders(
            order_service_pb2.ListOrdersRequest(direction=order_pb2.DIRECTION_OUTGOING, filter='status = "UNSUBMITTED"')
        )
        assert [order.id for order in listed.orders] == [made[0].id]
        # The row that the next turn meets is that of an order that is no cart any more.
        await ada.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id=made[0].id))
    one = await asyncio.gather(*(add(ada, "same", anvil=1) for _ in range(4)))
    assert len({order.id for order in one}) == 1
    assert (await cart(ada)).order.line_item_count == 1


@pytest.mark.on_sqlite
async def test_a_guests_cart_is_the_order_of_its_token(market: Marketplace) -> None:
    await open_to_guests(market)
    gwen, other = await guest(market), await guest(market)
    try:
        id, token = await gwen.guest_order()
        assert await cart(gwen) == pb.GetCartResponse()
        made = await asyncio.gather(*(add(gwen, f"g{n}", tongs=1) for n in range(4)))
        assert {order.id for order in made} == {id}
        seen = await cart(gwen)
        assert (seen.order.id, seen.order.guest, len(seen.line_items)) == (id, True, 4)
        assert await cart(other) == pb.GetCartResponse()
        for call in (gwen.carts.PinCart(pinning(id)), gwen.carts.UnpinCart(pb.UnpinCartRequest())):
            assert (await refused(call)).reason == "GUEST_NOT_ADMITTED"
        transfer = order_service_pb2.TransferOrderRequest(anonymous_token=token)
        await market.people.ada.orders.TransferOrder(transfer)
        assert await cart(gwen) == pb.GetCartResponse()
        assert (await refused(add(gwen, tongs=1))).reason == "RESOURCE_EXISTS"
        assert (await cart(market.people.ada)).order.id == id
        await add(other, tape=1)
        await other.orders.DeleteOrder(deletion((await other.guest_order())[0]))
        assert (await refused(add(other, tape=1))).reason == "ID_OF_DELETED"
    finally:
        await gwen.close()
        await other.close()
