"""Types of payment that the marketplace declares: who may pay with them, when they count, and what is recorded of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.auth import Principal
from libs.errors import Kind, WaybillError
from libs.protoconv import time_out
from tests.integration.payment.world import (
    START,
    Order,
    World,
    by_card,
    capture,
    payment,
    reasons,
    record,
    refund,
    state,
    units,
    usd,
    void_payment,
)
from tests.support.principals import buyer, seller, supplier
from waybill.payment.v1 import order_payment_service_pb2 as order_pb
from waybill.payment.v1 import payment_pb2 as pay
from waybill.payment.v1 import payment_service_pb2 as pb
from waybill.payment.v1 import payment_type_service_pb2 as type_pb

TAKES = ("transfer", "house", "credit_card", "purchase_order")


def ordered(world: World, total: int = 100, **more: Any) -> Order:
    """An order of a channel that names the declared types."""
    order = world.order(total, **more)
    order.types = TAKES
    return order


def outside(id: str, amount: int | None = None, type: str = "transfer") -> pay.Payment:
    return payment(id, type, amount)


async def faults(call: Any) -> list[tuple[str, str]]:
    """Fields and reasons of a refusal."""
    with pytest.raises(WaybillError) as refused:
        await call
    return [(f.field, f.reason) for f in refused.value.fields] or [("", refused.value.reason)]


async def assign(world: World, user: str = "", group: str = "", buyer_id: str = "acme", caller: Principal | None = None) -> None:
    item = type_pb.PaymentTypeAssignment(payment_type_id="transfer", buyer_id=buyer_id, user_id=user, user_group_id=group)
    await world.types(caller).AssignPaymentTypes(type_pb.AssignPaymentTypesRequest(assignments=[item]))


async def test_a_payment_counts_once_what_was_authorized_outside_is_recorded_and_its_captures_are_what_is_taken(
    world: World,
) -> None:
    await world.declared()
    order = ordered(world)
    (added,) = await order.add(outside("p1"))
    assert (state(added), added.accepted) == ("OPEN", False)
    for check in (True, False):
        refused = await order.reserve(validate_only=check)
        assert [(p.reason, p.subject) for p in refused.problems] == [("PAYMENT_NOT_ACCEPTED", "payments[p1]")]
    some = await record(world, "p1", "AUTHORIZE", 60, reference="auth-1")
    assert some.accepted, "what the rest of a total comes to is known at the submit alone"
    assert reasons((await order.reserve()).problems) == ["PAYMENT_NOT_ACCEPTED"]
    at = START - timedelta(hours=1)
    good = await record(world, "p1", "AUTHORIZE", 40, reference="auth-2", occur_time=time_out(at))
    said = good.transactions[-1]
    assert (said.recorded.recorded_by, said.recorded.occur_time.ToDatetime(at.tzinfo)) == ("admin", at)
    assert (said.gateway_reference, units(said.amount)) == ("auth-2", 40)
    assert not (await order.reserve()).problems
    assert not (await order.authorize()).problems
    await order.confirm()
    assert await world.entries() == [], "nothing is taken before that is recorded"
    assert await order.capture_shipped(70) == ([0], 0), "what is outside counts as taken there"
    assert await faults(record(world, "p1", "CAPTURE", 101)) == [("amount", "RECORD_EXCEEDS_PAYMENT")]
    taken = await record(world, "p1", "CAPTURE", 70, request_id="once")
    assert (state(taken), units(taken.captured_amount)) == ("CAPTURED", 70)
    again = await record(world, "p1", "CAPTURE", 70, request_id="once")
    assert (units(again.captured_amount), len(again.transactions)) == (70, len(taken.transactions))
    assert await faults(record(world, "p1", "VOID", 31)) == [("amount", "RECORD_EXCEEDS_PAYMENT")]
    assert sum(units(e.amount) for e in await world.entries('account = "external:transfer"')) == -70
    await record(world, "p1", "CAPTURE", 30)
    assert await faults(record(world, "p1", "REFUND", 101)) == [("amount", "RECORD_EXCEEDS_PAYMENT")]
    await record(world, "p1", "REFUND", 100)
    assert await order.states() == ["REFUNDED"]
    assert sum(units(e.amount) for e in await world.entries('account = "external:transfer"')) == 0


async def test_everything_that_is_wrong_with_a_record_is_named_at_once(world: World) -> None:
    await world.declared()
    order = ordered(world)
    await order.add(outside("p1", 100))
    request = pb.RecordTransactionRequest(
        payment_id="p1", type=pay.PAYMENT_TRANSACTION_TYPE_CONFIRM, reference="4111111111111111"
    )
    assert await faults(world.people().RecordTransaction(request)) == [
        ("type", "FIELD_INVALID"),
        ("amount", "FIELD_REQUIRED"),
        ("reference", "CARD_NUMBER_REFUSED"),
    ]
    assert await faults(record(world, "p1", "AUTHORIZE", 10, reference="r" * 101)) == [("reference", "VALUE_OUT_OF_RANGE")]
    late = pb.RecordTransactionRequest(
        payment_id="p1", type=pay.PAYMENT_TRANSACTION_TYPE_AUTHORIZE, occur_time=time_out(START + timedelta(days=1))
    )
    late.amount.CopyFrom(usd(101, "EUR"))
    assert sorted(await faults(world.people().RecordTransaction(late))) == [
        ("amount", "CURRENCY_MISMATCH"),
        ("amount", "RECORD_EXCEEDS_PAYMENT"),
        ("occur_time", "VALUE_OUT_OF_RANGE"),
    ]
    assert await faults(record(world, "p1", "CAPTURE", 10)) == [("", "PAYMENT_STATE_CONFLICT")]
    await world.card()
    other = ordered(world)
    await other.opened(by_card("c1", "tok_approve"))
    assert await faults(record(world, "c1", "CAPTURE", 10)) == [("payment_id", "PAYMENT_NOT_RECORDED")]


async def test_what_is_owed_less_or_no_more_goes_back_outside_and_is_shown_until_that_is_recorded(world: World) -> None:
    await world.declared(acceptance="AT_ONCE")
    order = ordered(world)
    await order.add(outside("p1"))
    assert not (await order.reserve()).problems
    await order.confirm()
    await record(world, "p1", "CAPTURE", 80)
    (lower,) = await order.lower(2, 60)
    assert (state(lower), units(lower.due_amount), units(lower.to_refund_amount)) == ("CAPTURED", 60, 20)
    for call in (refund(world, "p1", 20), capture(world, "p1", 1), void_payment(world, "p1")):
        assert await faults(call) == [("", "PAYMENT_STATE_CONFLICT")], "no gateway of ours has any of it"
    assert not (await record(world, "p1", "REFUND", 20)).HasField("to_refund_amount")
    for _ in range(2):
        (canceled,) = await order.void()
        assert (state(canceled), units(canceled.to_refund_amount)) == ("CAPTURED", 60)
    assert await faults(record(world, "p1", "CAPTURE", 1)) == [("amount", "RECORD_EXCEEDS_PAYMENT")]
    assert state(await record(world, "p1", "REFUND", 60)) == "REFUNDED"
    untouched = ordered(world)
    await untouched.add(outside("p2", 30), outside("p3"))
    assert not (await untouched.reserve()).problems
    await untouched.confirm()
    assert [state(p) for p in await untouched.lower(2, 30)] == ["CONFIRMED", "VOIDED"]
    assert [state(p) for p in await untouched.void()] == ["VOIDED", "VOIDED"]


async def test_what_stands_outside_keeps_its_payment_in_the_cart_until_it_is_voided(world: World) -> None:
    await world.declared()
    order = ordered(world)
    await order.add(outside("p1", 100))
    assert (await record(world, "p1", "AUTHORIZE", 100)).accepted
    assert await faults(order.remove("p1")) == [("", "PAYMENT_STATE_CONFLICT")]
    deletion = order_pb.DeletePaymentsRequest(order_key=order.key, order_version=1)
    assert await faults(world.payments.DeletePayments(deletion)) == [("", "PAYMENT_STATE_CONFLICT")]
    assert not (await order.reserve()).problems
    assert await order.release() == "RELEASED"
    assert not (await order.reserve(2)).problems, "a refused attempt leaves it as it is"
    await order.release(2)
    assert not (await record(world, "p1", "VOID", 1)).accepted
    await record(world, "p1", "VOID", 99)
    await order.remove("p1")


async def test_a_guest_sees_the_types_that_are_for_everyone_and_no_other(world: World) -> None:
    for id in ("transfer", "house", "old"):
        await world.declared(id, acceptance="AT_ONCE")
    await assign(world)
    off = type_pb.PaymentType(id="old", active=False)
    await world.types().UpdatePaymentType(
        type_pb.UpdatePaymentTypeRequest(payment_type=off, update_mask=FieldMask(paths=["active"]))
    )
    guest = replace(buyer(), order_id="PO-guest", groups=None)
    seen = await world.types(guest).ListPaymentTypes(type_pb.ListPaymentTypesRequest(include_total=True))
    assert ([t.id for t in seen.payment_types], seen.total_size) == (["house"], 1)
    with pytest.raises(WaybillError) as hidden:
        await world.types(guest).GetPaymentType(type_pb.GetPaymentTypeRequest(payment_type_id="transfer"))
    assert hidden.value.reason == "RESOURCE_NOT_FOUND"
    known = await world.types(buyer()).ListPaymentTypes(type_pb.ListPaymentTypesRequest())
    assert {t.id for t in known.payment_types} == {"house", "transfer"}


async def test_a_type_serves_everyone_until_it_is_assigned_and_then_only_those(world: World) -> None:
    await world.declared(acceptance="AT_ONCE")
    order, foreign = ordered(world), ordered(world, user="bert", buyer_id="globex")
    await order.add(outside("p1", 10))
    await foreign.add(outside("f1", 10))
    await assign(world, group="traders")
    bert = buyer(user="bert", party="globex")
    for whose, caller in ((order, buyer()), (foreign, bert)):
        world.acting = caller
        assert await faults(whose.add(outside("", 10))) == [("payments[0].type", "PAYMENT_TYPE_NOT_ALLOWED")]
        assert "PAYMENT_TYPE_NOT_ALLOWED" in reasons((await whose.reserve(must_cover=False)).problems)
        seen = await world.types(caller).ListPaymentTypes(type_pb.ListPaymentTypesRequest(include_total=True))
        assert (list(seen.payment_types), seen.total_size) == ([], 0)
    world.acting = replace(buyer(), groups=None)
    world.memberships.groups["anna"] = ["traders"]
    await order.add(outside("p2", 10))
    seen = await world.types(world.acting).ListPaymentTypes(type_pb.ListPaymentTypesRequest())
    assert [t.id for t in seen.payment_types] == ["transfer"]
    item = type_pb.PaymentTypeAssignment(payment_type_id="transfer", buyer_id="acme", user_group_id="traders")
    await world.types().UnassignPaymentTypes(type_pb.UnassignPaymentTypesRequest(assignments=[item]))
    assert await faults(order.add(outside("", 10))) == [("payments[0].type", "PAYMENT_TYPE_NOT_ALLOWED")]
    await assign(world, buyer_id="globex")
    world.acting = bert
    await foreign.add(outside("f2", 10))
    listed = await world.types().ListPaymentTypeAssignments(
        type_pb.ListPaymentTypeAssignmentsRequest(filter='buyer_id = "globex"')
    )
    assert [(a.payment_type_id, a.buyer_id, a.user_id, a.user_group_id) for a in listed.assignments] == [
        ("transfer", "globex", "", "")
    ]


async def test_what_is_not_declared_not_active_or_not_named_by_the_channel_pays_nothing(world: World) -> None:
    await world.declared(active=False)
    order = ordered(world)
    for payments in ([outside("p1", 10)], [outside("p2", 10, type="house")]):
        assert await faults(order.add(*payments)) == [("payments[0].type", "PAYMENT_TYPE_NOT_ALLOWED")]
    update = type_pb.PaymentType(id="transfer", active=True)
    await world.types().UpdatePaymentType(type_pb.UpdatePaymentTypeRequest(payment_type=update))
    silent = world.order()
    assert await faults(silent.add(outside("p1", 10))) == [("payments[0].type", "PAYMENT_TYPE_NOT_ALLOWED")]
    await order.add(outside("p1", 10))
    off = type_pb.UpdatePaymentTypeRequest(payment_type=type_pb.PaymentType(id="transfer"))
    off.update_mask.paths.append("active")
    await world.types().UpdatePaymentType(off)
    assert "PAYMENT_TYPE_NOT_ALLOWED" in reasons((await order.reserve(must_cover=False)).problems)
    assert await faults(world.types().DeletePaymentType(type_pb.DeletePaymentTypeRequest(payment_type_id="transfer"))) == [
        ("", "RESOURCE_IN_USE")
    ]
    await order.remove("p1")
    await world.types().DeletePaymentType(type_pb.DeletePaymentTypeRequest(payment_type_id="transfer"))
    assert await faults(world.declared()) == [("", "ID_OF_DELETED")]
    assert await faults(world.declared("credit_card")) == [("payment_type.id", "FIELD_INVALID")]


async def test_buyers_record_nothing_and_declare_nothing(world: World) -> None:
    await world.declared()
    order = ordered(world)
    await order.add(outside("p1", 100))
    for caller in (buyer(), seller("OrderAdmin")):
        with pytest.raises(WaybillError) as refused:
            await record(world, "p1", "AUTHORIZE", 100, caller=caller)
        assert refused.value.kind is Kind.DENIED
        with pytest.raises(WaybillError) as refused:
            await assign(world, caller=caller)
        assert refused.value.kind is Kind.DENIED
    assert [p.accepted for p in await order.payments()] == [False]


async def test_the_statements_do_not_grow_with_the_payments(world: World) -> None:
    await world.declared(acceptance="AT_ONCE")
    counts = []
    for number in (1, 5):
        order = ordered(world)
        before = world.served.statements
        await order.add(*(outside(f"s{number}-{i}", 10) for i in range(number)))
        assert not (await order.reserve(must_cover=False)).problems
        counts.append(world.served.statements - before)
    assert counts[0] == counts[1]


async def test_a_declared_type_is_read_by_those_who_may_pay_with_it(world: World) -> None:
    async def got(caller: Principal | None = None, id: str = "transfer") -> Any:
        try:
            return (await world.types(caller).GetPaymentType(type_pb.GetPaymentTypeRequest(payment_type_id=id))).payment_type
        except WaybillError as error:
            return error.reason

    made = type_pb.PaymentType(
        id="transfer", name="Transfer", description="To our bank.", acceptance="PAYMENT_ACCEPTANCE_BY_RECORD", active=True
    )
    made.xp.update({"iban": "on request"})
    stored = (await world.types().CreatePaymentType(type_pb.CreatePaymentTypeRequest(payment_type=made))).payment_type
    assert (stored.description, stored.acceptance, dict(stored.xp)) == (made.description, made.acceptance, dict(made.xp))
    anna, bert, kim = buyer(), buyer(user="bert"), buyer(user="kim", party="globex")
    assert [await got(caller) for caller in (None, anna, kim)] == [stored] * 3
    await assign(world, user="anna")
    assert [await got(caller) for caller in (anna, bert, kim)] == [stored, *["RESOURCE_NOT_FOUND"] * 2]
    assert await got() == stored, "the seller sees whom it is for"
    off = type_pb.UpdatePaymentTypeRequest(
        payment_type=type_pb.PaymentType(id="transfer", active=False), update_mask=FieldMask(paths=["active"])
    )
    await world.types().UpdatePaymentType(off)
    assert await got(anna) == "RESOURCE_NOT_FOUND"
    assert (await got()).active is False
    assert [await got(caller, "nothing") for caller in (None, anna)] == ["RESOURCE_NOT_FOUND"] * 2
    assert await got(supplier()) == "PARTY_NOT_ADMITTED"
