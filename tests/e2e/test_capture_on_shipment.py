"""Cards of a channel that captures on shipment are charged what has left, to the cent, and never twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from services.payment.adapters.db.tables import PAYMENTS, TRANSACTIONS
from tests.e2e.steps import card, cents, gift_card, policy, ready, ship
from tests.support.loops import steps
from tests.support.marketplace import ALL, Marketplace, get
from waybill.directory.v1.ordering_context_service_pb2 import PAYMENT_CAPTURE_ON_SHIPMENT
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill.payment.v1 import payment_pb2, payment_service_pb2
from waybill_client import money


async def bought(market: Marketplace, id: str, token: str = "tok_approve", tapes: int = 3, gift: str = "") -> order_pb2.Order:
    """Tapes on a card, some of it on the gift card if wanted."""
    await policy(market, capture=PAYMENT_CAPTURE_ON_SHIPMENT)
    await card(market, f"c-{id}", token)
    pay = [payment_pb2.Payment(id=f"p-{id}", type="credit_card", credit_card_id=f"c-{id}")]
    if gift:
        spent = payment_pb2.Payment(type="spending_account", spending_account_id="gift-ada", amount=money(gift, "USD"))
        pay.insert(0, spent)
    await ready(market.people.ada, id, pay, tape=tapes)
    return (await market.people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=id))).order


async def paid(market: Marketplace, id: str, reached: Callable[[payment_pb2.Payment], bool]) -> payment_pb2.Payment:
    """Its card payment, once what the background does has reached it."""
    async with asyncio.timeout(30):
        while True:
            listed = await market.people.ada.checkout.ListPayments(pb.ListPaymentsRequest(order_id=id))
            payment = next(p for p in listed.payments if p.id == f"p-{id}")
            if reached(payment):
                return payment
            await asyncio.sleep(0.05)


def more_than(captured: int) -> Callable[[payment_pb2.Payment], bool]:
    return lambda payment: cents(payment.captured_amount) > captured


def captures(payment: payment_pb2.Payment) -> list[int]:
    """How its captures ended."""
    return [t.result for t in payment.transactions if t.type == payment_pb2.PAYMENT_TRANSACTION_TYPE_CAPTURE]


async def released(market: Marketplace, id: str) -> None:
    """The order goes on, once it is on hold for its payment: a person lets it."""
    sam = market.people.sam
    async with asyncio.timeout(30):
        while not (holds := (await get(sam, id)).holds):
            await asyncio.sleep(0.05)
    await sam.orders.ReleaseOrderHold(order_service_pb2.ReleaseOrderHoldRequest(order_id=id, hold_id=holds[0].id))


async def cancel(market: Marketplace, id: str) -> order_pb2.Order:
    return (await market.people.sam.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id=id))).order


@pytest.mark.on_sqlite
async def test_each_shipment_charges_what_has_left_and_a_cancel_of_the_rest_ends_it(market: Marketplace) -> None:
    order = await bought(market, "TAKEN")
    east = market.people.clerks["wh-east"]
    await ship(east, "TAKEN-1", "l1", 1)
    first = await paid(market, "TAKEN", more_than(0))
    whole = await get(east, "TAKEN-1")
    goods = cents(whole.total) - cents(whole.shipping_cost)
    assert cents(order.total) > cents(first.captured_amount) > cents(whole.shipping_cost) + goods // 4
    await ship(east, "TAKEN-1", "l1", 1)
    second = await paid(market, "TAKEN", more_than(cents(first.captured_amount)))
    gone = await cancel(market, "TAKEN")
    due = cents(gone.total) - cents(gone.canceled.total)
    last = await paid(market, "TAKEN", lambda p: cents(p.due_amount) == due)
    assert cents(last.captured_amount) == cents(second.captured_amount) == due
    assert (last.state, cents(last.refunded_amount)) == (payment_pb2.PAYMENT_STATE_CAPTURED, 0)
    await market.check()


async def test_a_gift_card_counts_as_taken_before_the_card_is_charged(market: Marketplace) -> None:
    before = await gift_card(market)
    order = await bought(market, "GIFTED", gift="1.00")
    await ship(market.people.clerks["wh-east"], "GIFTED-1", "l1", 3)
    charged = await paid(market, "GIFTED", more_than(0))
    assert cents(charged.captured_amount) == cents(order.total) - 100
    assert before - await gift_card(market) == 100
    await market.check()


async def test_a_declined_capture_needs_a_person_and_is_not_asked_for_again(market: Marketplace) -> None:
    await bought(market, "REFUSED", token="tok_decline_capture")
    await ship(market.people.clerks["wh-east"], "REFUSED-1", "l1", 1)
    await paid(market, "REFUSED", lambda p: p.state == payment_pb2.PAYMENT_STATE_ATTENTION)
    await released(market, "REFUSED")
    await ship(market.people.clerks["wh-east"], "REFUSED-1", "l1", 1)
    await steps(market.host.apps["order"])["CompleteSubmissions"]()
    again = await paid(market, "REFUSED", lambda p: True)
    assert captures(again) == [payment_pb2.PAYMENT_TRANSACTION_RESULT_DECLINED]
    await market.check()


async def test_what_shipped_unpaid_is_not_forgotten_when_its_order_ends_until_a_person_gives_it_up(market: Marketplace) -> None:
    payment, sam = market.host.apps["payment"], market.people.sam
    await bought(market, "UNPAID", token="tok_decline_capture")
    await ship(market.people.clerks["wh-east"], "UNPAID-1", "l1", 3)
    await paid(market, "UNPAID", lambda p: p.state == payment_pb2.PAYMENT_STATE_ATTENTION)
    assert (await get(sam, "UNPAID", ALL)).status == order_pb2.ORDER_STATUS_COMPLETED
    past = datetime.now(UTC) - timedelta(hours=1)
    asked = sa.and_(TRANSACTIONS.c.payment_id == "p-UNPAID", TRANSACTIONS.c.type == "AUTHORIZE")
    assert payment.database is not None
    async with payment.database.transaction() as tx:
        await tx.execute(sa.update(PAYMENTS).where(PAYMENTS.c.id == "p-UNPAID").values(authorization_expire_time=past))
        await tx.execute(sa.update(TRANSACTIONS).where(asked).values(expire_time=past))
    await steps(payment)["RenewAuthorizations"]()
    lapsed = await paid(market, "UNPAID", lambda p: not p.HasField("authorization_expire_time"))
    assert (lapsed.state, cents(lapsed.due_amount) > 0) == (payment_pb2.PAYMENT_STATE_ATTENTION, True)
    excused = (await sam.payments.VoidPayment(payment_service_pb2.VoidPaymentRequest(payment_id="p-UNPAID"))).payment
    assert excused.state == payment_pb2.PAYMENT_STATE_VOIDED
    await market.check()
