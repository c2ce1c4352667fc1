"""What their people change of payments of an order that is not submitted."""

from __future__ import annotations

import asyncio

import pytest
from google.protobuf.struct_pb2 import Struct

from libs.errors import Kind, WaybillError
from tests.integration.payment.world import Order, World, by_card, from_account, payment, state, units
from waybill.payment.v1 import payment_pb2 as pay


async def refused(order: Order, changed: pay.Payment, *fields: str) -> WaybillError:
    """Why a change is refused."""
    with pytest.raises(WaybillError) as error:
        await order.update(changed, *fields)
    return error.value


def noted(**values: str) -> Struct:
    """The owner's own data."""
    made = Struct()
    made.update(values)
    return made


async def test_amount_means_and_texts_are_changed_until_the_submit(world: World) -> None:
    await world.account("gift", 30)
    await world.account("bonus", 70)
    order = world.order(100)
    (before, _) = await order.add(from_account("p1", "gift", 30), payment("p2", "purchase_order", xp=noted(desk="1", by="anna")))
    after = await order.update(from_account("p1", "bonus", 60))
    assert (units(after.amount), after.spending_account_id, after.etag != before.etag) == (60, "bonus", True)
    texts = payment("p2", "", purchase_order_number="4711", description="fair", xp=noted(desk="2"))
    changed = await order.update(texts)
    assert (changed.type, changed.purchase_order_number, changed.description) == ("purchase_order", "4711", "fair")
    assert dict(changed.xp.items()) == {"desk": "2", "by": "anna"}
    assert not (await order.reserve()).problems
    assert await world.balance("bonus") == (70, 60)
    assert [units(p.resolved_amount) for p in await order.payments()] == [60, 40]
    late = await refused(order, payment("p2", "", description="late"))
    assert (late.kind, late.reason) == (Kind.STALE, "SUBMISSION_IN_PROGRESS")
    await order.release()
    await order.update(payment("p2", "", 10), "amount")
    (p1, p2) = await order.payments()
    assert (units(p2.amount), p2.HasField("resolved_amount"), p1.HasField("resolved_amount")) == (10, False, True)


async def test_an_amount_that_is_named_and_absent_makes_it_the_rest_and_there_is_one(world: World) -> None:
    order = world.order(100)
    await order.add(payment("p1", amount=30), payment("p2", amount=30))
    assert not (await order.update(payment("p1"), "amount")).HasField("amount")
    error = await refused(order, payment("p2"), "amount")
    assert [(f.field, f.reason) for f in error.fields] == [("payment.amount", "PAYMENT_REST_REPEATED")]
    above = await refused(order, payment("p2", amount=101))
    assert above.reason == "PAYMENT_EXCEEDS_TOTAL"
    assert [units(p.amount) for p in await order.payments()] == [0, 30]


async def test_a_payment_is_changed_before_there_is_a_total(world: World) -> None:
    order = world.order(None)
    await order.add(payment("p1", amount=30), payment("p2"))
    assert units((await order.update(payment("p1", amount=1_000), request_id="r1")).amount) == 1_000
    error = await refused(order, payment("p1"), "amount")
    assert [(f.field, f.reason) for f in error.fields] == [("payment.amount", "PAYMENT_REST_REPEATED")]
    order.total = 100
    assert units((await order.update(payment("p1", amount=1_000), request_id="r1")).amount) == 1_000
    assert (await refused(order, payment("p1", amount=101))).reason == "PAYMENT_EXCEEDS_TOTAL"


async def test_everything_that_is_wrong_is_named_at_once(world: World) -> None:
    await world.card("tok_approve", user="bob")
    order = world.order(100)
    await order.add(payment("p1", amount=30))
    wrong = payment("p1", "", 0, purchase_order_number="x" * 101, description="x" * 2_001)
    error = await refused(order, wrong, "amount", "type", "due_amount")
    assert {(f.field, f.reason) for f in error.fields} == {
        ("payment.amount", "PAYMENT_AMOUNT_NOT_POSITIVE"),
        ("payment.purchase_order_number", "VALUE_OUT_OF_RANGE"),
        ("payment.description", "VALUE_OUT_OF_RANGE"),
        ("update_mask.paths[1]", "FIELD_INVALID"),
        ("update_mask.paths[2]", "FIELD_INVALID"),
    }
    means = await refused(order, by_card("p1", "tok_approve"))
    assert [(f.field, f.reason) for f in means.fields] == [("payment.credit_card_id", "FIELD_INVALID")]
    assert [f.field for f in (await refused(order, payment("p1", ""))).fields] == ["update_mask"]
    assert (await refused(order, payment("nobody", "", 1))).reason == "RESOURCE_NOT_FOUND"
    assert (await refused(world.order(100), payment("p1", "", 1))).reason == "RESOURCE_NOT_FOUND", "of another order"


async def test_a_card_of_somebody_else_and_none_at_all_are_refused(world: World) -> None:
    await world.card("tok_approve")
    await world.card("tok_once", user="bob")
    order = world.order(100)
    await order.add(by_card("p1", "tok_approve"))
    other = await refused(order, by_card("p1", "tok_once"))
    assert [(f.field, f.reason) for f in other.fields] == [("payment.credit_card_id", "CARD_NOT_FOUND")]
    none = await refused(order, payment("p1", ""), "credit_card_id")
    assert [(f.field, f.reason) for f in none.fields] == [("payment.credit_card_id", "FIELD_REQUIRED")]


async def test_what_holds_money_is_not_changed(world: World) -> None:
    order = world.order(100)
    await order.opened(payment("p1"))
    error = await refused(order, payment("p1", "", description="x"))
    assert error.reason == "SUBMISSION_IN_PROGRESS"
    await order.void()
    assert await order.states() == ["VOIDED"]
    assert (await refused(order, payment("p1", "", description="x"))).reason == "SUBMISSION_IN_PROGRESS"


async def test_a_stale_etag_is_refused_and_a_repeat_answers_as_before(world: World) -> None:
    order = world.order(100)
    (before,) = await order.add(payment("p1", amount=30))
    made = await order.update(payment("p1", "", 40, etag=before.etag), request_id="r1")
    order.total = 90
    assert await order.update(payment("p1", "", 40, etag=before.etag), request_id="r1") == made
    error = await refused(order, payment("p1", "", 50, etag=before.etag))
    assert (error.kind, error.reason) == (Kind.STALE, "ETAG_MISMATCH")


async def test_a_change_and_a_submit_at_once_agree_on_the_amount(world: World) -> None:
    await world.account(balance=100)
    order = world.order(100)
    await order.add(from_account("p1", "gift", 50))
    made, held = await asyncio.gather(
        order.update(from_account("p1", "gift", 100)), order.reserve(must_cover=False), return_exceptions=True
    )
    assert not isinstance(held, BaseException)
    assert not held.problems
    (p,) = await order.payments()
    won = not isinstance(made, BaseException)
    assert (state(p), units(p.amount), units(p.due_amount)) == ("RESERVED", *((100, 100) if won else (50, 50)))
    assert await world.balance() == (100, units(p.due_amount))
