"""Payments of an order that is not submitted, and attempts that nobody ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from libs.errors import Kind, WaybillError
from libs.protoconv import time_out
from services.payment.adapters.db.payments.payment_store import SqlPaymentStore
from tests.integration.payment.world import START, World, by_card, facts, from_account, payment, reasons, state, units, usd
from tests.support.problems import about
from tests.support.undone import undone_once
from waybill.payment.v1 import credit_card_service_pb2 as card_pb
from waybill.payment.v1 import order_payment_service_pb2 as order_pb
from waybill.payment.v1 import payment_service_pb2 as pb
from waybill.payment.v1 import spending_account_service_pb2 as account_pb


async def refused(world: World, *payments, total: int | None = 100) -> WaybillError:
    """The error of adding payments to a new order."""
    order = world.order(total)
    with pytest.raises(WaybillError) as wrong:
        await order.add(*payments)
    assert await order.payments() == []
    return wrong.value


async def test_payments_are_added_in_their_order_and_listed_with_their_fields(world: World) -> None:
    order = world.order()
    first = payment("p1", "purchase_order", 10, description="by wire")
    first.xp.update({"iban": "kept"})
    (made,) = await order.add(first)
    assert (made.id, made.type, state(made), made.accepted) == ("p1", "purchase_order", "OPEN", True)
    (rest,) = await order.add(payment(purchase_order_number="4711"))
    assert rest.id.startswith("pay_")
    one, two = await order.payments()
    assert (one.id, one.description, one.xp["iban"], units(one.amount)) == ("p1", "by wire", "kept", 10)
    assert (two.purchase_order_number, two.HasField("amount"), two.HasField("resolved_amount")) == ("4711", False, False)


async def test_a_card_is_not_accepted_before_its_authorization(world: World) -> None:
    await world.card()
    order = world.order()
    (made,) = await order.add(by_card("p1", "tok_approve"))
    assert not made.accepted


async def test_more_than_the_total_is_refused(world: World) -> None:
    error = await refused(world, payment(amount=60), payment(amount=41))
    assert (error.kind, error.reason) == (Kind.PRECONDITION, "PAYMENT_EXCEEDS_TOTAL")
    order = world.order(100)
    await order.add(payment("p1", amount=60))
    with pytest.raises(WaybillError, match="above"):
        await order.add(payment("p2", amount=41))
    await order.add(payment("p3", amount=40))


async def test_before_there_is_a_total_all_but_the_sum_is_judged_and_the_submit_judges_that(world: World) -> None:
    order = world.order(None)
    first = await order.add(payment("p1", amount=60), request_id="r1")
    await order.add(payment("p2", amount=50))
    wrong = payment("w", type="credit_card", amount=1, credit_card_id="nowhere")
    euro = payment("e", amount=1)
    euro.amount.currency_code = "EUR"
    for added, where, reason in (
        ([wrong], "payments[0].credit_card_id", "CARD_NOT_FOUND"),
        ([euro], "payments[0].amount", "CURRENCY_MISMATCH"),
        ([payment("a"), payment("b")], "payments[1].amount", "PAYMENT_REST_REPEATED"),
    ):
        error = await refused(world, *added, total=None)
        assert [(f.field, f.reason) for f in error.fields] == [(where, reason)]
    order.total = 100
    assert await order.add(payment("p1", amount=60), request_id="r1") == first, "a repeat names no other request"
    assert reasons((await order.reserve()).problems) == ["PAYMENT_EXCEEDS_TOTAL"]
    await order.remove("p2")
    await order.add(payment("p3"))
    assert not (await order.reserve(2)).problems
    assert [units(p.resolved_amount) for p in await order.payments()] == [60, 40]


async def test_only_one_payment_may_be_the_rest(world: World) -> None:
    error = await refused(world, payment(), payment())
    assert (error.kind, error.reason) == (Kind.INVALID, "PAYMENT_REST_REPEATED")
    assert error.fields[0].field == "payments[1].amount"


async def test_everything_wrong_is_reported_at_once(world: World) -> None:
    await world.card(user="bob")
    error = await refused(world, from_account("a", "nowhere", 60), by_card("b", "tok_approve", 60), payment("c"), payment("d"))
    assert error.kind is Kind.INVALID
    assert {(f.field, f.reason) for f in error.fields} == {
        ("payments[0].spending_account_id", "SPENDING_ACCOUNT_NOT_FOUND"),
        ("payments[1].credit_card_id", "CARD_NOT_FOUND"),
        ("payments[3].amount", "PAYMENT_REST_REPEATED"),
        ("payments", "PAYMENT_EXCEEDS_TOTAL"),
    }


async def test_malformed_payments_name_their_fields(world: World) -> None:
    euro, fine, negative = payment("e", amount=1), payment("f", amount=1), payment("n", amount=-1)
    euro.amount.currency_code = "EUR"
    fine.amount.nanos = 1
    zero = payment("z", amount=0)
    error = await refused(
        world,
        euro,
        fine,
        negative,
        zero,
        payment("bad\x00id"),
        payment("e"),
        payment("t", type=""),
        payment("x", spending_account_id="gift"),
        payment("y", "credit_card"),
    )
    assert {(f.field.removeprefix("payments"), f.reason) for f in error.fields} >= {
        ("[0].amount", "CURRENCY_MISMATCH"),
        ("[1].amount", "AMOUNT_TOO_PRECISE"),
        ("[2].amount", "PAYMENT_AMOUNT_NOT_POSITIVE"),
        ("[3].amount", "PAYMENT_AMOUNT_NOT_POSITIVE"),
        ("[4].id", "ID_INVALID"),
        ("[5].id", "DUPLICATE_ITEM"),
        ("[6].type", "FIELD_REQUIRED"),
        ("[7].spending_account_id", "FIELD_INVALID"),
        ("[8].credit_card_id", "FIELD_REQUIRED"),
    }
    assert (await refused(world)).reason == "FIELD_REQUIRED"


async def test_an_order_has_at_most_twenty_payments(world: World) -> None:
    order = world.order(100)
    await order.add(*(payment(amount=1) for _ in range(20)))
    with pytest.raises(WaybillError) as wrong:
        await order.add(payment(amount=1))
    assert wrong.value.reason == "TOO_MANY_PAYMENTS"
    assert (await refused(world, *(payment(amount=1) for _ in range(21)))).reason == "TOO_MANY_PAYMENTS"
    order.total = 21
    assert reasons((await order.reserve(1, payment(amount=1))).problems) == ["TOO_MANY_PAYMENTS"]


async def test_an_id_is_taken_once_in_the_marketplace(world: World) -> None:
    order = world.order()
    await order.add(payment("p1", amount=10))
    assert (await refused(world, payment("p1"))).reason == "RESOURCE_EXISTS"
    await order.remove("p1")
    await world.order().add(payment("p1"))


async def test_adding_twice_under_one_request_id_has_one_effect(world: World) -> None:
    order = world.order()
    first = await order.add(payment(amount=10), request_id="r1")
    order.total = 90
    assert await order.add(payment(amount=10), request_id="r1") == first
    assert len(await order.payments()) == 1
    with pytest.raises(WaybillError) as reused:
        await order.add(payment(amount=11), request_id="r1")
    assert reused.value.reason == "REQUEST_ID_REUSED"


async def test_an_account_must_fit_user_currency_and_time(world: World) -> None:
    await world.account("mine", user="anna")
    await world.account("bobs", user="bob")
    await world.account("all")
    order = world.order(90)
    await order.add(from_account("p1", "mine", 10), from_account("p2", "all", 10))
    assert (await refused(world, from_account("p3", "bobs"))).reason == "SPENDING_ACCOUNT_NOT_FOUND"
    await world.accounts().CreateSpendingAccount(
        account_pb.CreateSpendingAccountRequest(
            spending_account=account_pb.SpendingAccount(
                id="euro", name="euro", buyer_id="acme", currency="EUR", active=True, end_time=time_out(START - timedelta(days=1))
            )
        )
    )
    await world.accounts().AssignSpendingAccounts(
        account_pb.AssignSpendingAccountsRequest(assignments=[account_pb.SpendingAccountAssignment(spending_account_id="euro")])
    )
    error = await refused(world, from_account("p4", "euro"))
    assert [f.reason for f in error.fields] == ["CURRENCY_MISMATCH", "SPENDING_ACCOUNT_EXPIRED"]
    foreign = world.order(buyer_id="other")
    with pytest.raises(WaybillError) as wrong:
        await foreign.add(from_account("p5", "all"))
    assert wrong.value.reason == "SPENDING_ACCOUNT_NOT_FOUND"


async def test_everything_is_checked_again_when_it_is_reserved(world: World) -> None:
    await world.account()
    await world.card()
    order = world.order(100)
    await order.add(from_account("p1", "gift", 30), by_card("p2", "tok_approve", 30), payment("p3", amount=40))
    await world.accounts().UnassignSpendingAccounts(
        account_pb.UnassignSpendingAccountsRequest(assignments=[account_pb.SpendingAccountAssignment(spending_account_id="gift")])
    )
    await world.cards().DeleteCreditCard(card_pb.DeleteCreditCardRequest(credit_card_id="tok_approve"))
    order.total = 90
    tried = await order.reserve()
    assert [(about(p), p.reason) for p in tried.problems] == [
        ("", "PAYMENT_EXCEEDS_TOTAL"),
        ("p1", "SPENDING_ACCOUNT_NOT_FOUND"),
        ("p2", "CARD_NOT_FOUND"),
    ]
    assert not any(p.contended for p in tried.problems)


async def test_a_removal_that_a_deadlock_undid_is_done_again(world: World, monkeypatch) -> None:
    order = world.order()
    await order.add(payment("p1", amount=10), payment("p2"))
    calls = undone_once(monkeypatch, SqlPaymentStore, "remove")
    await order.remove("p1", request_id="r1")
    assert ([p.id for p in await order.payments()], len(calls)) == (["p2"], 2)


async def test_what_holds_money_cannot_be_removed(world: World) -> None:
    order = world.order()
    await order.add(payment("p1", amount=10), payment("p2"))
    with pytest.raises(WaybillError) as unknown:
        await order.remove("p1", "p9")
    assert unknown.value.kind is Kind.MISSING
    await order.remove("p1", request_id="r1")
    await order.remove("p1", request_id="r1")
    await order.reserve()
    with pytest.raises(WaybillError) as held:
        await order.remove("p2")
    assert (held.value.kind, held.value.reason) == (Kind.STALE, "SUBMISSION_IN_PROGRESS")
    assert held.value.metadata == {"order": f"PO-{order.key[:8]}", "attempt": "1"}
    await order.release()
    await order.remove("p2")


async def test_payments_of_many_orders_come_in_two_statements(world: World) -> None:
    orders = [world.order() for _ in range(5)]
    for order in orders:
        await order.add(payment())
    before = world.served.statements
    got = await world.payments.ListPayments(order_pb.ListPaymentsRequest(order_keys=[o.key for o in orders]))
    assert world.served.statements - before == 2
    assert [len(o.payments) for o in got.orders] == [1] * 5
    with pytest.raises(WaybillError) as wrong:
        await world.payments.ListPayments(order_pb.ListPaymentsRequest(order_keys=["x"]))
    assert wrong.value.reason == "FIELD_INVALID"


@pytest.mark.parametrize(
    ("decision", "states", "balance"),
    [("ACCEPTED", ["CONFIRMED"], (60, 0)), ("REFUSED", ["OPEN"], (100, 0)), ("TRYING", ["RESERVED"], (100, 40))],
)
async def test_an_overdue_attempt_asks_what_became_of_it(
    world: World, decision: str, states: list[str], balance: tuple[int, int]
) -> None:
    await world.account()
    order = world.order(40)
    await order.add(from_account("p1", "gift"))
    await order.reserve()
    world.orders.states[order.key] = decision
    assert await world.background.expire.once() == 0, "not yet due"
    world.clock.advance(timedelta(seconds=51))
    world.orders.down = True
    assert await world.background.expire.once() == 0, "no answer, no guess"
    assert await order.states() == ["RESERVED"]
    world.orders.down = False
    assert await world.background.expire.once() == 0, "just asked"
    world.clock.advance(timedelta(seconds=31))
    assert await world.background.expire.once() == int(decision != "TRYING")
    assert world.orders.asked == [(order.key, 1)]
    assert await order.states() == states
    assert await world.balance() == balance
    held = [f for f in facts(await world.records(), "payment_attempt") if f.values["state"] == "RESERVED"]
    assert len(held) == int(decision == "TRYING")


async def test_an_amount_in_the_wrong_currency_is_not_captured(world: World) -> None:
    await world.card()
    order = world.order()
    await order.opened(by_card("p1", "tok_approve"))
    for amount, reason in ((usd(1, "EUR"), "CURRENCY_MISMATCH"), (usd(0), "PAYMENT_AMOUNT_NOT_POSITIVE")):
        with pytest.raises(WaybillError) as wrong:
            await world.people().CapturePayment(pb.CapturePaymentRequest(payment_id="p1", amount=amount))
        assert wrong.value.reason == reason
    with pytest.raises(WaybillError) as missing:
        await world.people().CapturePayment(pb.CapturePaymentRequest(payment_id="p9"))
    assert missing.value.kind is Kind.MISSING
