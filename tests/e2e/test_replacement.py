"""An open order takes a payment in place of one that needs attention, and no other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from services.payment.adapters.db.tables import PAYMENTS, TRANSACTIONS
from tests.e2e.steps import card, promise, ready, ship, until
from tests.support.loops import steps
from tests.support.marketplace import Marketplace, get
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill.payment.v1 import payment_pb2, payment_service_pb2
from waybill_client import AsyncWaybill, WaybillError

ID = "REPLACED"


async def add(client: AsyncWaybill) -> payment_pb2.Payment:
    """Adds a promise of all that there is to pay."""
    request = pb.AddPaymentsRequest(order_id=ID, payments=promise(), request_id="again")
    return (await client.checkout.AddPayments(request)).payments[0]


async def refused(client: AsyncWaybill) -> str:
    with pytest.raises(WaybillError) as error:
        await add(client)
    return error.value.reason


async def test_an_open_order_is_paid_anew_when_its_card_is_no_longer_good(market: Marketplace) -> None:
    ada, app = market.people.ada, market.host.apps["payment"]
    await card(market, "once", "tok_once")
    await ready(ada, ID, [payment_pb2.Payment(id="r-card", type="credit_card", credit_card_id="once")], tape=1)
    await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=ID))
    assert await refused(ada) == "PAYMENT_NOT_REPLACEABLE"
    soon = datetime.now(UTC) + timedelta(hours=1)
    asked = sa.and_(TRANSACTIONS.c.payment_id == "r-card", TRANSACTIONS.c.type == "AUTHORIZE")
    assert app.database is not None
    async with app.database.transaction() as tx:
        await tx.execute(sa.update(PAYMENTS).where(PAYMENTS.c.id == "r-card").values(authorization_expire_time=soon))
        await tx.execute(sa.update(TRANSACTIONS).where(asked).values(expire_time=soon))
    await steps(app)["RenewAuthorizations"]()
    made = await add(ada)
    assert made.state == payment_pb2.PAYMENT_STATE_CONFIRMED
    assert await add(ada) == made
    await market.people.owner.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id=ID, request_id="cancel"))
    with pytest.raises(WaybillError) as over:
        await ada.checkout.AddPayments(pb.AddPaymentsRequest(order_id=ID, payments=promise()))
    assert over.value.reason == "ORDER_STATUS_CONFLICT"


async def test_what_a_seller_voids_is_owed_by_an_open_order_and_excused_once_it_has_ended(market: Marketplace) -> None:
    ada, sam, app = market.people.ada, market.people.sam, market.host.apps["payment"]
    await card(market, "visa", "tok_approve")
    for id, payment in (("V-OPEN", "v-open"), ("V-ENDED", "v-ended")):
        await ready(ada, id, [payment_pb2.Payment(id=payment, type="credit_card", credit_card_id="visa")], tape=1)
        await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=id))
    owed = await sam.payments.VoidPayment(payment_service_pb2.VoidPaymentRequest(payment_id="v-open"))
    assert owed.payment.state == payment_pb2.PAYMENT_STATE_ATTENTION
    await steps(app)["ReportAlerts"]()
    assert (await get(ada, "V-OPEN")).held
    await ship(market.people.clerks["wh-east"], "V-ENDED-1", "l1", 1)
    assert await until(ada, "V-ENDED", order_pb2.ORDER_STATUS_COMPLETED)
    excused = await sam.payments.VoidPayment(payment_service_pb2.VoidPaymentRequest(payment_id="v-ended"))
    assert excused.payment.state == payment_pb2.PAYMENT_STATE_VOIDED
