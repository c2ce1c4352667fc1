"""A payment that waits for its buyer, from the checkout to the open order."""

from __future__ import annotations

import asyncio

import grpc
import pytest
import sqlalchemy as sa

from services.host.sample.marketplace import SHOP
from services.payment.adapters.db.tables import GATEWAY
from services.payment.adapters.gateways.testing import VOIDED, TestGateway
from tests.e2e.steps import card, promise, ready, refused, violations
from tests.support.marketplace import ALL, Marketplace, create
from waybill.directory.v1 import api_client_service_pb2 as client_pb
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill.payment.v1 import payment_redirect_pb2
from waybill.payment.v1 import provider_callback_service_pb2 as callback_pb
from waybill.payment.v1 import provider_callback_service_pb2_grpc as callback_pb_grpc
from waybill.payment.v1.payment_pb2 import Payment
from waybill_client.errors import from_rpc_error

BACK = "https://shop.example/back"


def starting(id: str, back: str = BACK, request_id: str = "") -> pb.StartPaymentRequest:
    """Of an order whose payment has its id."""
    return pb.StartPaymentRequest(order_id=id, payment_id=id, return_url=back, request_id=request_id)


async def test_a_buyer_agrees_on_the_providers_page_and_the_order_opens(market: Marketplace) -> None:
    ada, database = market.people.ada, market.host.apps["payment"].database
    assert database is not None
    await card(market, "abroad", "tok_redirect")
    await create(ada, "EARLY", anvil=1)
    early = await refused(ada.checkout.StartPayment(starting("EARLY")))
    assert early.reason == "ORDER_NOT_CALCULATED"

    await ready(ada, "VISIT", [Payment(id="VISIT", type="credit_card", credit_card_id="abroad")], anvil=1)
    unready = await ada.checkout.ValidateOrder(pb.ValidateOrderRequest(order_id="VISIT"))
    assert [r.reason for r in unready.reasons] == ["PAYMENT_ACTION_REQUIRED"]
    refusal = await refused(ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="VISIT")))
    assert [rule.reason for rule in refusal.rules] == ["PAYMENT_ACTION_REQUIRED"]

    begun = (await ada.checkout.StartPayment(starting("VISIT", request_id="start"))).redirect
    assert begun.state == payment_redirect_pb2.PAYMENT_REDIRECT_STATE_ACTION_REQUIRED
    for request_id in ("start", "twice", ""):
        assert (await ada.checkout.StartPayment(starting("VISIT", request_id=request_id))).redirect == begun
    assert await TestGateway(database).act(begun.url.rsplit("/", 1)[1], approve=True) == BACK
    done = await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="VISIT"))
    assert done.order.status == order_pb2.ORDER_STATUS_OPEN
    again = (await ada.checkout.StartPayment(starting("VISIT", request_id="start"))).redirect
    assert (again.url, again.state) == (begun.url, payment_redirect_pb2.PAYMENT_REDIRECT_STATE_ADOPTED)
    late = await refused(ada.checkout.StartPayment(starting("VISIT", request_id="other")))
    assert late.code is grpc.StatusCode.FAILED_PRECONDITION
    history = order_service_pb2.ListOrderHistoryRequest(order_id="VISIT", direction=ALL, page_size=100)
    noted = [event for event in (await ada.orders.ListOrderHistory(history)).events if event.type == "payment_started"]
    assert [dict(event.data) for event in noted] == [{"payment": "VISIT"}]


async def test_a_buyer_comes_back_only_to_pages_of_the_shop(market: Marketplace) -> None:
    ada, owner = market.people.ada, market.people.owner
    await card(market, "abroad", "tok_redirect")
    await ready(ada, "BACK", [Payment(id="BACK", type="credit_card", credit_card_id="abroad")], anvil=1)
    plain = await refused(ada.checkout.StartPayment(starting("BACK", "http://shop.example/back")))
    assert violations(plain) == {("return_url", "RETURN_URL_NOT_ALLOWED")}
    named = client_pb.ApiClient(id=SHOP, allowed_origins=["https://shop.example"])
    await owner.api_clients.UpdateApiClient(
        client_pb.UpdateApiClientRequest(api_client=named, update_mask={"paths": ["allowed_origins"]})
    )
    other = await refused(ada.checkout.StartPayment(starting("BACK", "https://evil.example/back")))
    assert violations(other) == {("return_url", "RETURN_URL_NOT_ALLOWED")}
    assert (await ada.checkout.StartPayment(starting("BACK"))).redirect.url


async def test_who_does_not_come_back_pays_otherwise_and_nothing_stays_held(market: Marketplace) -> None:
    ada, database = market.people.ada, market.host.apps["payment"].database
    assert database is not None
    await card(market, "abroad", "tok_redirect")
    await ready(ada, "LEFT", [Payment(id="LEFT", type="credit_card", credit_card_id="abroad")], anvil=1)
    begun = (await ada.checkout.StartPayment(starting("LEFT"))).redirect
    page = begun.url.rsplit("/", 1)[1]
    await TestGateway(database).act(page, approve=True)
    await ada.checkout.RemovePayments(pb.RemovePaymentsRequest(order_id="LEFT", payment_ids=["LEFT"]))
    await ada.checkout.AddPayments(pb.AddPaymentsRequest(order_id="LEFT", payments=promise()))
    done = await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="LEFT"))
    assert done.order.status == order_pb2.ORDER_STATUS_OPEN
    held = sa.select(GATEWAY.c.state).where(GATEWAY.c.reference == page)
    async with asyncio.timeout(60):
        while True:
            async with database.reading() as tx:
                if (await tx.execute(held)).scalar_one() == VOIDED:
                    break
            await asyncio.sleep(0)


async def test_a_stranger_s_call_back_is_refused_and_needs_no_token(market: Marketplace) -> None:
    async with grpc.aio.insecure_channel(market.address) as channel:
        stranger = callback_pb_grpc.ProviderCallbackServiceStub(channel)
        for provider, reason in (("test", "CALLBACK_REFUSED"), ("nobody", "PROVIDER_NOT_FOUND")):
            request = callback_pb.HandleProviderCallbackRequest(provider=provider, body=b'{"key": "x"}')
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await stranger.HandleProviderCallback(request)
            assert from_rpc_error(raised.value).reason == reason
