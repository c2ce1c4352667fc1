"""DeletePayments: all payments of an order that is to be deleted go, or none; what it took is not forgotten."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from libs.errors import Kind, WaybillError
from tests.integration.payment.world import Order, World, by_card, from_account, payment, reasons
from tests.support.principals import buyer
from waybill.payment.v1 import order_payment_service_pb2 as pb
from waybill.payment.v1 import order_payment_service_pb2_grpc as pb_grpc


async def delete(world: World, key: str, version: int = 1) -> None:
    await world.payments.DeletePayments(pb.DeletePaymentsRequest(order_key=key, order_version=version))


async def refused(world: World, key: str, version: int = 1) -> WaybillError:
    with pytest.raises(WaybillError) as error:
        await delete(world, key, version)
    return error.value


async def ids(order: Order) -> list[str]:
    return [p.id for p in await order.payments()]


async def add(order: Order, id: str, version: int) -> None:
    """A payment that was asked for at a version of the order."""
    made = pb.CreatePaymentsRequest(**order.reference(), payments=[payment(id, amount=10)], order_version=version)
    await order.world.payments.CreatePayments(made)


async def test_all_payments_of_the_order_go_however_often_it_is_asked(world: World) -> None:
    account = await world.account()
    await world.card()
    order, other = world.order(), world.order()
    await order.add(payment("p1", amount=10), from_account("p2", account, 10), by_card("p3", "tok_approve", 10))
    await other.add(payment("q1", amount=10))
    for _ in range(2):
        await delete(world, order.key)
    assert (await ids(order), await ids(other)) == ([], ["q1"])
    assert await world.balance() == (100, 0)


async def test_an_order_without_payments_is_deleted_too(world: World) -> None:
    order = world.order()
    await delete(world, order.key)
    with pytest.raises(WaybillError) as late:
        await add(order, "p1", version=1)
    assert (late.value.kind, late.value.reason) == (Kind.STALE, "ORDER_BEING_DELETED")


async def test_a_payment_that_comes_after_its_order_was_deleted_leaves_nothing(world: World) -> None:
    order = world.order()
    await order.add(payment("p1", amount=10))
    await delete(world, order.key, version=3)
    await delete(world, order.key, version=2)
    for version in (1, 2, 3):
        with pytest.raises(WaybillError) as late:
            await add(order, "p2", version)
        assert late.value.reason == "ORDER_BEING_DELETED"
    assert await ids(order) == []
    await add(order, "p2", version=4)
    assert await ids(order) == ["p2"]


async def test_while_an_attempt_holds_the_payments_none_goes(world: World) -> None:
    order = world.order()
    await order.add(payment("p1", amount=60), payment("p2", amount=40))
    assert not (await order.reserve()).problems
    error = await refused(world, order.key)
    assert (error.kind, error.reason, error.metadata["attempt"]) == (Kind.STALE, "SUBMISSION_IN_PROGRESS", "1")
    assert await order.states() == ["RESERVED", "RESERVED"]
    await order.release()
    await delete(world, order.key)
    assert await ids(order) == []


async def test_while_one_payment_holds_money_all_stay(world: World) -> None:
    await world.card("tok_late_void")
    order = world.order(total=110)
    await order.add(payment("p1", amount=60), by_card("p2", "tok_late_void", 40))
    assert not (await order.reserve(must_cover=False)).problems
    assert not (await order.authorize()).problems
    await order.release()
    assert await order.states() == ["OPEN", "VOID_PENDING"]
    error = await refused(world, order.key)
    assert (error.kind, error.reason) == (Kind.PRECONDITION, "PAYMENT_STATE_CONFLICT")
    assert error.metadata["payment"] == "p2"
    assert await ids(order) == ["p1", "p2"]
    await add(order, "p3", version=1)


async def test_an_order_that_lost_its_payments_is_not_reserved_for_until_it_has_others(world: World) -> None:
    order = world.order()
    await order.add(payment("p1", amount=10))
    await delete(world, order.key)
    await delete(world, order.key, version=2)
    for attempt, only_looked_at in ((1, True), (1, False), (2, False)):
        answer = await order.reserve(attempt, must_cover=False, validate_only=only_looked_at)
        assert reasons(answer.problems) == ["PAYMENTS_DELETED"]
    await add(order, "p2", version=3)
    assert not (await order.reserve(3, must_cover=False)).problems
    await order.release(3)
    await order.remove("p2")
    assert not (await order.reserve(4, must_cover=False)).problems


async def test_an_order_that_had_no_payments_to_lose_is_reserved_for(world: World) -> None:
    order = world.order()
    await delete(world, order.key)
    assert not (await order.reserve(must_cover=False)).problems


async def batch(world: World, step: Any, *orders: Order) -> dict[str, str]:
    """Why the payments of some stay."""
    doomed = [pb.DeletePaymentsRequest(order_key=order.key, order_version=1) for order in orders]
    answer = await world.payments.BatchDeletePayments(pb.BatchDeletePaymentsRequest(orders=doomed, step=step))
    return {one.order_key: one.reason for one in answer.kept}


async def test_what_is_prepared_keeps_its_payments_and_can_be_submitted_and_what_is_finished_has_none(world: World) -> None:
    order, held = world.order(), world.order()
    await order.add(payment("p1", amount=10))
    await held.add(payment("q1", amount=100))
    assert not (await held.reserve()).problems
    for _ in range(2):
        assert await batch(world, pb.DELETION_STEP_PREPARE, order, held) == {held.key: "SUBMISSION_IN_PROGRESS"}
    with pytest.raises(WaybillError) as late:
        await add(order, "p2", version=1)
    assert late.value.reason == "ORDER_BEING_DELETED"
    assert await ids(order) == ["p1"]
    assert not (await order.reserve(must_cover=False)).problems
    await order.release()
    # It stays: a newer version of it takes payments as before.
    await add(order, "p2", version=2)
    assert await ids(order) == ["p1", "p2"]
    for _ in range(2):
        assert await batch(world, pb.DELETION_STEP_FINISH, order, held) == {held.key: "SUBMISSION_IN_PROGRESS"}
    assert (await ids(order), await ids(held)) == ([], ["q1"])
    with pytest.raises(WaybillError) as unknown:
        await batch(world, 9, order)
    assert [(f.field, f.reason) for f in unknown.value.fields] == [("step", "FIELD_INVALID")]


async def test_what_names_no_order_is_refused_and_only_the_order_service_may_ask(world: World) -> None:
    for key, version, reason in (("nowhere", 1, "FIELD_INVALID"), (str(uuid.uuid4()), 0, "VALUE_OUT_OF_RANGE")):
        error = await refused(world, key, version)
        assert (error.kind, error.reason) == (Kind.INVALID, reason)
    order = world.order()
    await order.add(payment("p1", amount=10))
    foreign = world.served.service_stub(pb_grpc.OrderPaymentServiceStub, "pricing", buyer())
    with pytest.raises(WaybillError) as error:
        await foreign.DeletePayments(pb.DeletePaymentsRequest(order_key=order.key, order_version=1))
    assert (error.value.kind, error.value.reason) == (Kind.DENIED, "SERVICE_NOT_ADMITTED")
    assert await ids(order) == ["p1"]
