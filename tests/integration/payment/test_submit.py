"""The steps of submit, through a real server and channel."""

from __future__ import annotations

import asyncio

import pytest

from libs.errors import WaybillError
from tests.integration.payment.world import World, by_card, facts, from_account, payment, reasons, state, transactions, units
from tests.support.principals import seller
from waybill.payment.v1 import payment_reservation_service_pb2 as pb
from waybill.payment.v1.payment_reservation_service_pb2_grpc import PaymentReservationServiceStub

RESERVED = pb.PAYMENT_RESERVATION_STATE_RESERVED
CONFIRMED = pb.PAYMENT_RESERVATION_STATE_CONFIRMED
RELEASED = pb.PAYMENT_RESERVATION_STATE_RELEASED


async def test_an_order_is_paid_by_account_card_and_promise(world: World) -> None:
    await world.account(balance=50)
    await world.card()
    order = world.order(100)
    await order.add(from_account("p1", "gift", 30), by_card("p2", "tok_approve", 45), payment("p3"))

    held = await order.reserve()
    assert (held.state, held.needs_authorization, list(held.problems)) == (RESERVED, True, [])
    assert [units(p.resolved_amount) for p in held.payments] == [30, 45, 25]
    assert await world.balance() == (50, 30)

    asked = await order.authorize()
    assert (asked.pending, list(asked.problems)) == (False, [])
    assert await order.states() == ["RESERVED", "AUTHORIZED", "RESERVED"]

    done = await order.confirm()
    assert done.state == CONFIRMED
    assert await world.balance() == (20, 0)
    account, card, promise = await order.payments()
    assert [state(p) for p in (account, card, promise)] == ["CONFIRMED"] * 3
    assert card.accepted
    assert transactions(account) == ["RESERVE SUCCEEDED", "CONFIRM SUCCEEDED"]
    assert transactions(card) == ["RESERVE SUCCEEDED", "AUTHORIZE SUCCEEDED", "CONFIRM SUCCEEDED"]
    assert {e.account: units(e.amount) for e in await world.entries('payment_id = "p1"')} == {
        "marketplace:receipts": 30,
        "spending_account:gift": -30,
    }
    assert {e.account: units(e.amount) for e in await world.entries('payment_id = "p3"')} == {
        "marketplace:receivable": 25,
        "buyer:acme": -25,
    }
    assert await world.entries('payment_id = "p2"') == []
    (fact,) = facts(await world.records(), "payments")
    assert (fact.order_key, fact.values["confirmed_total"], fact.values["count"]) == (order.key, "100000000", "3")


async def test_a_release_gives_everything_back_and_the_next_attempt_succeeds(world: World) -> None:
    await world.account(balance=50)
    await world.card()
    order = world.order(100)
    await order.add(from_account("p1", "gift", 40), by_card("p2", "tok_approve"))
    await order.reserve(1)
    await order.authorize(1)
    assert await order.release(1) == "RELEASED"
    assert await world.balance() == (50, 0)
    assert await order.states() == ["OPEN", "OPEN"]
    _, card = await order.payments()
    assert transactions(card) == ["RESERVE SUCCEEDED", "AUTHORIZE SUCCEEDED", "VOID SUCCEEDED"]
    assert not card.accepted

    assert not (await order.reserve(2)).problems
    assert not (await order.authorize(2)).problems
    assert (await order.confirm(2)).state == CONFIRMED
    assert await world.balance() == (10, 0)


async def test_repeats_return_the_state_that_stands(world: World) -> None:
    await world.account(balance=50)
    order = world.order(40)
    await order.add(from_account("p1", "gift"))
    first, again = await order.reserve(), await order.reserve()
    assert (first.state, again.state) == (RESERVED, RESERVED)
    assert first.payments == again.payments
    assert await world.balance() == (50, 40)
    await order.confirm()
    assert (await order.confirm()).state == CONFIRMED
    assert (await order.reserve()).state == CONFIRMED
    assert await order.release() == "CONFIRMED"
    assert await world.balance() == (10, 0)
    assert len(await world.entries(f'order_id = "PO-{order.key[:8]}"')) == 2


async def test_a_release_of_an_unknown_attempt_refuses_the_late_try(world: World) -> None:
    await world.account(balance=50)
    order = world.order(40)
    await order.add(from_account("p1", "gift"))
    assert await order.release(1) == "RELEASED"
    late = await order.reserve(1)
    assert late.state == RELEASED
    assert reasons(late.problems) == ["ATTEMPT_RELEASED"]
    assert reasons((await order.authorize(1)).problems) == ["ATTEMPT_RELEASED"]
    assert (await order.confirm(1)).state == RELEASED
    assert await world.balance() == (50, 0)
    assert (await order.reserve(2)).state == RESERVED
    await order.release(2)


async def test_a_whole_checkout_brings_its_payments_with_it(world: World) -> None:
    await world.account(balance=50)
    order = world.order(60)
    new = (from_account("g", "gift", 50), payment())
    held = await order.reserve(1, *new)
    assert [units(p.resolved_amount) for p in held.payments] == [50, 10]
    again = await order.reserve(1, *new)
    assert again.payments == held.payments
    assert len(await order.payments()) == 2
    await order.confirm()


async def test_a_refused_try_leaves_nothing(world: World) -> None:
    await world.account(balance=50)
    order = world.order(60)
    held = await order.reserve(1, from_account("g", "gift"))
    assert held.state == pb.PAYMENT_RESERVATION_STATE_UNSPECIFIED
    assert reasons(held.problems) == ["BALANCE_EXCEEDED"]
    assert not held.problems[0].contended
    assert await order.payments() == []
    assert facts(await world.records(), "payment_attempt") == []
    assert (await order.reserve(1, from_account("g", "gift", 50), payment("rest"))).state == RESERVED
    assert [f.values for f in facts(await world.records(), "payment_attempt")] == [
        {"attempt": "1", "state": "RESERVED", "finished": "0"}
    ]
    await order.release()


async def test_validating_leaves_nothing_and_reports_everything(world: World) -> None:
    await world.account(balance=50)
    order = world.order(100)
    await order.add(from_account("p1", "gift", 60), payment("p2", amount=30))
    tried = await order.reserve(validate_only=True)
    assert reasons(tried.problems) == ["PAYMENTS_BELOW_TOTAL", "BALANCE_EXCEEDED"]
    assert reasons((await order.reserve(validate_only=True, must_cover=False)).problems) == ["BALANCE_EXCEEDED"]
    order.total = 80
    tried = await order.reserve(1, from_account("new", "unknown"), validate_only=True)
    assert reasons(tried.problems) == ["PAYMENT_EXCEEDS_TOTAL", "SPENDING_ACCOUNT_NOT_FOUND", "BALANCE_EXCEEDED"]
    assert await world.balance() == (50, 0)
    assert await order.states() == ["OPEN", "OPEN"]


async def test_a_rest_of_nothing_is_fine(world: World) -> None:
    await world.account(balance=50)
    await world.card()
    order = world.order(50)
    await order.add(from_account("p1", "gift", 50), by_card("p2", "tok_approve"))
    held = await order.reserve()
    assert not held.needs_authorization
    assert [units(p.resolved_amount) for p in held.payments] == [50, 0]
    await order.confirm()
    assert await order.states() == ["CONFIRMED", "CONFIRMED"]


async def test_what_others_hold_makes_a_refusal_contended(world: World) -> None:
    await world.account(balance=100)
    first, second = world.order(70), world.order(60)
    await first.add(from_account("p1", "gift"))
    await second.add(from_account("p2", "gift"))
    await first.reserve()
    refused = await second.reserve()
    assert [(p.reason, p.contended) for p in refused.problems] == [("BALANCE_EXCEEDED", True)]
    await first.confirm()
    refused = await second.reserve()
    assert [(p.reason, p.contended) for p in refused.problems] == [("BALANCE_EXCEEDED", False)]


async def test_two_payments_of_one_account_are_counted_together(world: World) -> None:
    await world.account(balance=100)
    order = world.order(120)
    await order.add(from_account("p1", "gift", 60), from_account("p2", "gift", 60))
    refused = await order.reserve()
    assert [(p.subject, p.reason) for p in refused.problems] == [("payments[p2]", "BALANCE_EXCEEDED")]


async def test_an_assignment_may_allow_to_exceed(world: World) -> None:
    await world.account(balance=10, user="anna", exceed=True)
    order, other = world.order(60), world.order(5, user="bob")
    await order.opened(from_account("p1", "gift"))
    assert await world.balance() == (-50, 0)
    with pytest.raises(WaybillError, match="is assigned to the user"):
        await other.add(from_account("p2", "gift"))


async def test_as_many_orders_succeed_at_once_as_fit(world: World) -> None:
    await world.account(balance=100)
    orders = [world.order(15) for _ in range(20)]
    await asyncio.gather(*(o.add(from_account(f"p{i}", "gift")) for i, o in enumerate(orders)))
    tried = await asyncio.gather(*(o.reserve() for o in orders))
    held = [o for o, t in zip(orders, tried, strict=True) if t.state == RESERVED]
    assert len(held) == 6
    assert await world.balance() == (100, 90)
    assert all(
        [(p.reason, p.contended) for p in t.problems] == [("BALANCE_EXCEEDED", True)] for t in tried if t.state != RESERVED
    )
    await asyncio.gather(*(o.confirm() for o in held[:4]), *(o.release() for o in held[4:]))
    assert await world.balance() == (40, 0)


async def test_accounts_in_any_order_do_not_lock_each_other_out(world: World) -> None:
    await world.account("a", 1_000)
    await world.account("b", 1_000)
    orders = [world.order(20) for _ in range(12)]
    pairs = [("a", "b"), ("b", "a")]
    for i, order in enumerate(orders):
        one, two = pairs[i % 2]
        await order.add(from_account(f"{i}x", one, 10), from_account(f"{i}y", two))
    await asyncio.gather(*(o.reserve() for o in orders))
    await asyncio.gather(*(o.confirm() if i % 3 else o.release() for i, o in enumerate(orders)))
    assert await world.balance("a") == await world.balance("b") == (920, 0)


async def test_the_same_try_twice_at_once_has_one_effect(world: World) -> None:
    await world.account(balance=100)
    order = world.order(30)
    new = from_account("p1", "gift")
    tried = await asyncio.gather(*(order.reserve(1, new) for _ in range(4)))
    assert [t.state for t in tried] == [RESERVED] * 4
    assert await world.balance() == (100, 30)
    await asyncio.gather(*(order.confirm() for _ in range(4)))
    assert await world.balance() == (70, 0)


async def test_a_try_and_its_release_at_once_leave_nothing_held(world: World) -> None:
    await world.account(balance=100)
    for i in range(8):
        order = world.order(30)
        await asyncio.gather(order.reserve(1, from_account(f"p{i}", "gift")), order.release(1))
    assert await world.balance() == (100, 0)


async def test_the_steps_take_few_statements_whatever_the_number_of_payments(world: World) -> None:
    await world.account(balance=1_000)
    counts = []
    for n in (1, 10):
        order = world.order(100)
        before = world.served.statements
        await order.reserve(1, *(from_account(f"{n}-{i}", "gift", 100 // n) for i in range(n)))
        middle = world.served.statements
        await order.confirm()
        counts.append((middle - before, world.served.statements - middle))
    assert counts[0] == counts[1]
    assert counts[0][0] <= 10
    assert counts[0][1] <= 7


async def test_only_the_order_service_may_take_these_steps(world: World) -> None:
    for stub, reason in (
        (world.served.stub(PaymentReservationServiceStub, seller()), "SERVICE_ONLY"),
        (world.served.service_stub(PaymentReservationServiceStub, "shipping"), "SERVICE_NOT_ADMITTED"),
        (world.served.service_stub(PaymentReservationServiceStub, "shipping", seller()), "SERVICE_NOT_ADMITTED"),
    ):
        with pytest.raises(WaybillError) as denied:
            await stub.ConfirmPayments(pb.ConfirmPaymentsRequest(order_key="x", attempt=1))
        assert denied.value.reason == reason


async def test_a_step_that_makes_no_sense_names_its_fields(world: World) -> None:
    order = world.order(10)
    with pytest.raises(WaybillError) as wrong:
        await order.reserve(0, payment("bad id"), payment("x", "credit_card"))
    assert {f.field for f in wrong.value.fields} == {"attempt", "new_payments[0].id", "new_payments[1].credit_card_id"}
