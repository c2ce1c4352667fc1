"""What a buyer gives beside the price: in the total and paid, in no supplier order, given back only when nothing has shipped."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from services.host.sample.marketplace import CURRENCY
from tests.e2e.steps import cents, gift_card, ready, refused, ship, violations
from tests.support.marketplace import OUTGOING, Marketplace, get
from waybill.order.v1 import checkout_service_pb2, order_pb2, order_service_pb2
from waybill.payment.v1 import payment_pb2
from waybill_client import AsyncWaybill, money


async def give(client: AsyncWaybill, id: str, amount: Any) -> order_pb2.Order:
    request = order_service_pb2.UpdateOrderRequest(
        order=order_pb2.Order(id=id, gratuity=amount), update_mask={"paths": ["gratuity"]}
    )
    return (await client.orders.UpdateOrder(request)).order


async def bought(market: Marketplace, id: str) -> order_pb2.Order:
    """Two tapes and five dollars, paid from the gift card."""
    pay = [payment_pb2.Payment(type="spending_account", spending_account_id="gift-ada")]
    await ready(market.people.ada, id, pay, tape=2)
    await give(market.people.ada, id, money("5", CURRENCY))
    await market.people.ada.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id=id))
    return await get(market.people.ada, id, OUTGOING)


async def cancel(market: Marketplace, id: str) -> order_pb2.Order:
    return (await market.people.sam.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id=id))).order


@pytest.mark.on_sqlite
async def test_a_gratuity_is_paid_with_the_order_and_given_back_when_nothing_has_shipped(shared_market: Marketplace) -> None:
    before = await gift_card(shared_market)
    order = await bought(shared_market, "GIVEN")
    parts = [order.subtotal, order.shipping_cost, order.tax, order.gratuity]
    assert (cents(order.gratuity), cents(order.total), order.calculated) == (500, sum(map(cents, parts)), True)
    assert before - await gift_card(shared_market) == cents(order.total)
    theirs = await get(shared_market.people.clerks["wh-east"], "GIVEN-1")
    assert (cents(theirs.total), theirs.HasField("gratuity")) == (cents(order.total) - 500, False)
    await shared_market.check()
    gone = await cancel(shared_market, "GIVEN")
    assert (cents(gone.canceled.gratuity), cents(gone.canceled.total)) == (500, cents(order.total))
    assert await gift_card(shared_market) == before
    await shared_market.check()


async def test_a_gratuity_stays_with_the_seller_once_anything_has_shipped(shared_sqlite_market: Marketplace) -> None:
    before = await gift_card(shared_sqlite_market)
    await bought(shared_sqlite_market, "KEPT")
    await ship(shared_sqlite_market.people.clerks["wh-east"], "KEPT-1", "l1", 1)
    rest = await cancel(shared_sqlite_market, "KEPT")
    assert (rest.status, rest.canceled.HasField("gratuity")) == (order_pb2.ORDER_STATUS_COMPLETED, False)
    assert before - await gift_card(shared_sqlite_market) == cents(rest.total) - cents(rest.canceled.total)
    assert cents(rest.total) - cents(rest.canceled.total) > 500
    await shared_sqlite_market.check()


async def test_a_gratuity_is_an_amount_of_the_orders_currency_and_changes_until_the_submit(
    shared_sqlite_market: Marketplace,
) -> None:
    ada = shared_sqlite_market.people.ada
    await ready(ada, "WHAT", [], tape=1)
    for amount, reason in (("-1", "AMOUNT_NEGATIVE"), ("0.001", "AMOUNT_TOO_PRECISE")):
        assert violations(await refused(give(ada, "WHAT", money(amount, CURRENCY)))) == {("order.gratuity", reason)}
    assert violations(await refused(give(ada, "WHAT", money("1", "EUR")))) == {("order.gratuity", "CURRENCY_MISMATCH")}
    with_it = await give(ada, "WHAT", money("1", CURRENCY))
    assert (cents(with_it.gratuity), with_it.calculated) == (100, True)
    without = await give(ada, "WHAT", None)
    assert (cents(without.gratuity), cents(with_it.total) - cents(without.total)) == (0, 100)
    made = order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id="AT-ONCE", gratuity=money("3", CURRENCY)))
    assert cents((await ada.orders.CreateOrder(made)).order.total) == 300
    await bought(shared_sqlite_market, "TOO-LATE")
    assert (await refused(give(ada, "TOO-LATE", money("9", CURRENCY)))).code is grpc.StatusCode.FAILED_PRECONDITION
