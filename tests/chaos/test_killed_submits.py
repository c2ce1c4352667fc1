"""A coordinator that dies at any step of a submit: the order ends as submitted or as untouched, and nothing stays held."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from libs.failpoints import KILLED
from services.host.check import check
from services.host.check.subjects import ATTEMPT
from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from services.host.sample.marketplace import PASSWORD, SHOP, set_up
from services.host.sample.parties import sign_in
from tests.support.process import served
from tests.support.rest import broken, unrest
from tests.support.sealing import sealing_key_for
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import order_pb2, order_service_pb2, submission_pb2
from waybill.payment.v1 import credit_card_service_pb2, payment_pb2
from waybill_client import AsyncWaybill, WaybillError

ORDER = "KILLED"


async def prepare(address: str, secret: str) -> None:
    """A marketplace with an order that only has to be submitted."""
    owner = AsyncWaybill(address, "waybill-admin", secret)
    await set_up(owner)
    people = await sign_in(address, owner)
    await people.ada.credit_cards.CreateCreditCard(
        credit_card_service_pb2.CreateCreditCardRequest(
            credit_card=credit_card_service_pb2.CreditCard(id="card", token="tok_approve", partial_number="4242")
        )
    )
    request = order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id=ORDER))
    for product, quantity in (("anvil", 2), ("crate", 40), ("lamp", 1)):
        request.line_items.add(product_id=product, quantity=quantity)
    await people.ada.orders.CreateOrder(request)
    sheet = (await people.ada.checkout.EstimateShipping(pb.EstimateShippingRequest(order_id=ORDER))).worksheet
    chosen = [pb.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id="ground") for e in sheet.ship_estimates]
    await people.ada.checkout.SelectShipMethods(pb.SelectShipMethodsRequest(order_id=ORDER, selections=chosen))
    await people.ada.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id=ORDER))
    await people.ada.checkout.AddPayments(
        pb.AddPaymentsRequest(order_id=ORDER, payments=[payment_pb2.Payment(type="credit_card", credit_card_id="card")])
    )
    await people.close()


async def finished(address: str) -> order_pb2.Order:
    """The order, once its attempt is finished."""
    async with AsyncWaybill(address, SHOP, username="ada", password=PASSWORD) as ada, asyncio.timeout(60):
        while True:
            answer = await ada.orders.GetOrder(
                order_service_pb2.GetOrderRequest(order_id=ORDER, direction=order_pb2.DIRECTION_OUTGOING)
            )
            if answer.order.submission.finished:
                return answer.order
            await asyncio.sleep(0.2)


async def killed(data: Path, database_url: str, failpoint: str) -> str:
    """A submit whose process dies there; the owner's secret."""
    async with served(data, database_url) as first:
        secret = first.client_secret
        await prepare(first.address, secret)
    async with served(data, database_url, failpoints=f"{failpoint}=kill") as second:
        async with AsyncWaybill(second.address, SHOP, username="ada", password=PASSWORD) as ada:
            with contextlib.suppress(WaybillError):
                await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=ORDER, request_id="one"))
        assert await second.died() == KILLED
    return secret


@pytest.mark.parametrize("failpoint", ["order.submit.begun", "order.submit.tried", "order.submit.decided"])
async def test_a_submit_killed_at_any_step_is_finished_by_the_next_process(
    tmp_path: Path, database_url: str, failpoint: str
) -> None:
    secret = await killed(tmp_path, database_url, failpoint)
    async with served(tmp_path, database_url) as third:
        order = await finished(third.address)
        assert order.status == order_pb2.ORDER_STATUS_OPEN
        assert order.submission.state == submission_pb2.SUBMISSION_STATE_ACCEPTED
        assert order.submission.attempt == 1
        async with AsyncWaybill(third.address, SHOP, username="ada", password=PASSWORD) as ada:
            # The caller repeats the call whose answer was lost: the same attempt, no second effect.
            again = await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=ORDER, request_id="one"))
            assert again.order.submission.attempt == 1
        async with AsyncWaybill(third.address, "waybill-admin", secret) as owner:
            report = await check(owner)
            assert report.ok, [(f.rule, f.subject, f.detail) for f in report.findings]


async def test_a_submit_that_is_decided_and_not_confirmed_is_answered_as_under_way(tmp_path: Path, database_url: str) -> None:
    """Nothing differs between the services, and yet its accounts are not debited: it is not at rest."""
    secret = await killed(tmp_path, database_url, "order.submit.decided")
    async with (
        running(
            HostSettings(data=tmp_path, database_url=database_url, sealing_key=sealing_key_for(database_url), background=False)
        ) as idle,
        AsyncWaybill(idle.address, "waybill-admin", secret) as owner,
    ):
        report = await check(owner)
    assert (broken(report), report.in_motion) == ([], [])
    assert report.under_way == {ATTEMPT: 1, ("payment", "payment_attempt"): 1, ("fulfillment", "stock_attempt"): 1}
    assert unrest(report) == ["under way: submits 1, attempts with payments reserved 1, attempts with stock reserved 1"]
