"""Orders that nobody submitted and nobody touches go after their time, with all that is theirs; whoever uses one keeps it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from libs.clock import ShiftedClock
from services.host.check import check
from services.order.adapters.clients.payment import PaymentClient
from services.order.adapters.db import tables as order_tables
from services.payment.adapters.db import tables as payment_tables
from tests.e2e.steps import promise, ready, refused
from tests.e2e.test_carts import add, cart
from tests.support.guests import guest, open_to_guests
from tests.support.loops import steps
from tests.support.marketplace import Marketplace, create, get, lines, marketplace
from tests.support.prepared import Prepared
from waybill.order.v1 import checkout_service_pb2, line_item_service_pb2, order_pb2, order_service_pb2
from waybill.payment.v1 import credit_card_service_pb2
from waybill_client import AsyncWaybill

DAY = timedelta(days=1)


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
async def left(tmp_path: Path, prepared: Prepared, clock: ShiftedClock) -> AsyncIterator[Marketplace]:
    """A marketplace whose loops a test runs."""
    settings: dict[str, Any] = {"clock": clock, "background": False, "secret": prepared.secret}
    async with marketplace(tmp_path, prepared.database_url, **settings) as made:
        await open_to_guests(made)
        yield made


async def sweep(market: Marketplace) -> int:
    return int(await steps(market.host.apps["order"])["SweepCarts"]())


async def rows(market: Marketplace, context: str, *where: Any) -> int:
    database = market.host.apps[context].database
    assert database is not None
    async with database.reading() as tx:
        return sum([int((await tx.execute(sa.select(sa.func.count()).where(one))).scalar_one()) for one in where])


async def unsubmitted(client: AsyncWaybill) -> set[str]:
    request = order_service_pb2.ListOrdersRequest(direction=order_pb2.DIRECTION_OUTGOING, filter='status = "UNSUBMITTED"')
    return {order.id for order in (await client.orders.ListOrders(request)).orders}


@pytest.mark.on_sqlite
async def test_each_kind_of_cart_goes_after_its_time_and_what_was_submitted_never(left: Marketplace, clock: ShiftedClock) -> None:
    ada = left.people.ada
    async with await guest(left) as gwen, await guest(left) as idle:
        await ada.orders.CreateOrder(order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id="EMPTY")))
        await ready(ada, "CART", promise(), anvil=1)
        await ready(ada, "SOLD", promise(), anvil=1)
        await ada.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id="SOLD"))
        card = credit_card_service_pb2.CreditCard(id="gwens", token="tok_gwen", partial_number="4242")
        await gwen.credit_cards.CreateCreditCard(credit_card_service_pb2.CreateCreditCardRequest(credit_card=card))
        unused = credit_card_service_pb2.CreditCard(id="unused", token="tok_idle", partial_number="1881")
        await idle.credit_cards.CreateCreditCard(credit_card_service_pb2.CreateCreditCardRequest(credit_card=unused))
        guests = (await add(gwen, tongs=2)).id
        assert await sweep(left) == 0
        clock.advance(DAY + timedelta(minutes=1))
        assert await sweep(left) == 1
        assert (await refused(get(ada, "EMPTY"))).reason == "RESOURCE_NOT_FOUND"
        clock.advance(6 * DAY)
        assert await sweep(left) == 1
        assert await cart(gwen) == type(await cart(gwen))()
        assert (await refused(add(gwen, tongs=2))).reason == "ID_OF_DELETED"
        assert await unsubmitted(ada) == {"CART"}
    clock.advance(84 * DAY)
    assert await sweep(left) == 1
    assert await sweep(left) == 0
    assert (await get(ada, "SOLD")).status == order_pb2.ORDER_STATUS_OPEN
    o, p = order_tables, payment_tables
    kept = sa.select(o.ORDERS.c.key).where(o.ORDERS.c.id == "SOLD").scalar_subquery()
    for table in (o.LINE_ITEMS, o.WORKSHEETS, o.SUBMISSIONS):
        assert await rows(left, "order", table.c.order_key != kept) == 0
    assert await rows(left, "order", o.CARTS.c.user_id.is_not(None)) == 0
    forgotten = {loop.name: loop.once for loop in left.host.apps["payment"].background}["sweep_guests_cards"]
    assert await rows(left, "payment", p.CARDS.c.id == "unused") == 1
    await forgotten()
    assert await rows(left, "payment", p.CARDS.c.order_id != "") == 0
    assert await rows(left, "payment", p.CARDS.c.order_id == guests, p.PAYMENTS.c.order_id.in_(["CART", guests])) == 0
    events = order_tables.EVENTS.c
    actor = sa.select(events.data["user"].as_string()).where(events.type == "order_deleted")
    database = left.host.apps["order"].database
    assert database is not None
    async with database.reading() as tx:
        assert set((await tx.execute(actor)).scalars()) == {""}


@pytest.mark.on_sqlite
async def test_what_is_touched_while_it_is_swept_stays_and_what_holds_money_is_tried_again(
    left: Marketplace, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = left.people.ada
    await create(ada, "EDITED", anvil=1)
    await ready(ada, "SOLD", [], anvil=1)
    async with await guest(left) as gwen, await guest(left) as other:
        ids = [(await add(client, tongs=1)).id for client in (gwen, other)]
        token = (await gwen.guest_order())[1]
        clock.advance(91 * DAY)
        asked = PaymentClient.prepare_deletions

        def between(*acts: Callable[[], Awaitable[Any]]) -> None:
            async def after(self: PaymentClient, orders: Any) -> Any:
                kept = await asked(self, orders)
                monkeypatch.undo()
                for act in acts:
                    await act()
                return kept

            monkeypatch.setattr(PaymentClient, "prepare_deletions", after)

        transfer = order_service_pb2.TransferOrderRequest(anonymous_token=token)
        between(lambda: ada.orders.TransferOrder(transfer), lambda: add(other, tape=1))
        assert await sweep(left) == 2
        assert await unsubmitted(ada) == {ids[0]}
        assert (await cart(other)).order.line_item_count == 2
        await create(ada, "EDITED2", anvil=1)
        clock.advance(91 * DAY)

        async def kept(self: PaymentClient, orders: Any) -> Any:
            return {order.key: "PAYMENT_STATE_CONFLICT" for order in orders}

        monkeypatch.setattr(PaymentClient, "prepare_deletions", kept)
        assert await sweep(left) == 0
        monkeypatch.undo()
        assert await sweep(left) == 3
        assert await unsubmitted(ada) == set()
        for id in ("TRIED", "CHANGED", "PAID"):
            await ready(ada, id, [] if id == "PAID" else promise(), anvil=1)
        clock.advance(91 * DAY)
        submit = checkout_service_pb2.SubmitOrderRequest(order_id="TRIED")
        changed = line_item_service_pb2.AddLineItemsRequest(order_id="CHANGED", line_items=lines(tape=1))
        paid = checkout_service_pb2.AddPaymentsRequest(order_id="PAID", payments=promise())
        between(
            lambda: refused(ada.checkout.SubmitOrder(submit)),
            lambda: ada.line_items.AddLineItems(changed),
            lambda: ada.checkout.AddPayments(paid),
        )
        assert await sweep(left) == 0
        # Whoever used one meanwhile has lost nothing.
        assert await unsubmitted(ada) == {"TRIED", "CHANGED", "PAID"}
        for id in ("TRIED", "CHANGED", "PAID"):
            found = await ada.checkout.ListPayments(checkout_service_pb2.ListPaymentsRequest(order_id=id))
            assert len(found.payments) == 1, id


@pytest.mark.on_sqlite
async def test_a_deletion_that_was_stopped_before_its_payments_went_is_finished_and_then_forgotten(
    left: Marketplace, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, p = left.people.ada, payment_tables
    await ready(ada, "SWEPT", promise(), anvil=1)
    await ready(ada, "DELETED", promise(), anvil=1)
    await ada.orders.DeleteOrder(order_service_pb2.DeleteOrderRequest(order_id="DELETED"))
    assert await sweep(left) == 0
    clock.advance(91 * DAY)

    async def stopped(self: PaymentClient, deleted: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(PaymentClient, "finish_deletions", stopped)
    with pytest.raises(ZeroDivisionError):
        await sweep(left)
    monkeypatch.undo()
    assert await unsubmitted(ada) == set()
    assert await rows(left, "payment", p.PAYMENTS.c.order_id == "SWEPT") == 1
    # It is known that this is not at its end.
    report = await check(left.people.owner, pause=0.0)
    assert (report.findings, len(report.in_motion)) == ([], 1)
    assert await sweep(left) == 0
    gone = p.ORDERS.c.delete_time.is_not(None)
    assert await rows(left, "payment", p.PAYMENTS.c.order_id == "SWEPT", gone) == 2
    assert await rows(left, "order", order_tables.DELETED_ORDERS.c.payments_left) == 0
    forget = {loop.name: loop.once for loop in left.host.apps["payment"].background}["forget_gone_orders"]
    await forget()
    assert await rows(left, "payment", gone) == 1
    clock.advance(31 * DAY)
    await forget()
    assert await rows(left, "payment", gone, p.ATTEMPTS.c.attempt == 0) == 0
