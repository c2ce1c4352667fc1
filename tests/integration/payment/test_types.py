"""Which types of payment an order may have."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from libs.errors import Kind, WaybillError
from services.payment.adapters.db.tables import PAYMENTS
from tests.integration.payment.world import Order, World, by_card, from_account, payment, reasons, state

PROMISES = ("purchase_order",)


def of_channel(world: World, *types: str) -> Order:
    """An order through a channel that names these types."""
    order = world.order()
    order.types = types
    return order


async def refused(order: Order, *payments) -> WaybillError:
    with pytest.raises(WaybillError) as wrong:
        await order.add(*payments)
    assert await order.payments() == []
    return wrong.value


async def test_a_type_that_nobody_knows_is_refused_whatever_the_channel_names(world: World) -> None:
    order = of_channel(world, "free", "purchase_order")
    error = await refused(order, payment("a", "free"), payment("b", "Purchase_Order", 1))
    assert (error.kind, [(f.field, f.reason) for f in error.fields]) == (
        Kind.INVALID,
        [(f"payments[{i}].type", "PAYMENT_TYPE_NOT_ALLOWED") for i in (1, 0, 1)],
    )
    assert [f.description for f in error.fields[:2]] == [
        "this channel takes free, purchase_order, not Purchase_Order",
        "there is no type 'free' that the user may pay with",
    ]
    assert reasons((await order.reserve(1, payment("a", "free"))).problems) == ["PAYMENT_TYPE_NOT_ALLOWED"]


async def test_a_channel_that_names_nothing_takes_what_holds_money(world: World) -> None:
    await world.account()
    await world.card()
    order = of_channel(world)
    error = await refused(order, from_account("p1", "gift", 10), payment("p2", amount=10), by_card("p3", "nowhere"))
    assert [(f.field, f.reason) for f in error.fields] == [
        ("payments[1].type", "PAYMENT_TYPE_NOT_ALLOWED"),
        ("payments[2].credit_card_id", "CARD_NOT_FOUND"),
    ]
    assert error.fields[0].description == "this channel takes credit_card, spending_account, not purchase_order"
    await order.add(from_account("p1", "gift", 10), by_card("p3", "tok_approve"))


async def test_a_purchase_order_covers_the_total_and_holds_nothing_where_it_is_named(world: World) -> None:
    await world.account()
    order = of_channel(world, *PROMISES)
    assert (await refused(order, from_account("p1", "gift"))).reason == "PAYMENT_TYPE_NOT_ALLOWED"
    (made,) = await order.add(payment("p2", purchase_order_number="4711"))
    assert (made.accepted, made.purchase_order_number) == (True, "4711")
    tried = await order.reserve()
    assert (list(tried.problems), tried.needs_authorization) == ([], False)
    await order.confirm()
    assert await order.states() == ["CONFIRMED"]


async def test_what_the_channel_takes_no_more_is_refused_at_submit_with_all_that_is_wrong(world: World) -> None:
    order = world.order(100)
    await order.add(payment("p1", amount=60))
    order.types = ("credit_card",)
    tried = await order.reserve(1)
    assert [(p.reason, p.subject) for p in tried.problems] == [
        ("PAYMENTS_BELOW_TOTAL", "payments"),
        ("PAYMENT_TYPE_NOT_ALLOWED", "payments[p1]"),
    ]
    assert reasons((await order.reserve(1, payment("p2", amount=40), validate_only=True)).problems) == [
        "PAYMENT_TYPE_NOT_ALLOWED",
        "PAYMENT_TYPE_NOT_ALLOWED",
    ]
    assert await order.states() == ["OPEN"]
    order.types = PROMISES
    assert not (await order.reserve(2, payment("p3", amount=40))).problems


async def test_a_repeat_under_one_request_id_answers_as_before_whatever_the_channel_takes_by_now(world: World) -> None:
    order = of_channel(world, *PROMISES)
    first = await order.add(payment("p1"), request_id="r1")
    order.types = ()
    assert await order.add(payment("p1"), request_id="r1") == first


async def test_a_type_of_before_is_refused_at_submit_and_can_be_taken_off(world: World) -> None:
    order = world.order()
    await order.add(payment("p1"))
    async with world.database.transaction() as tx:
        await tx.execute(sa.update(PAYMENTS).where(PAYMENTS.c.id == "p1").values(type="wire_transfer"))
    assert reasons((await order.reserve()).problems) == ["PAYMENT_TYPE_NOT_ALLOWED"]
    await order.remove("p1")
    await order.add(payment("p2"))
    assert not (await order.reserve()).problems
    assert [state(p) for p in await order.payments()] == ["RESERVED"]
