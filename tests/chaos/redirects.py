"""A payment that waits for its buyer, interrupted: from the provider's page to the open order, and away again.

Afterwards the provider holds what the order needs once, or nothing.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import sqlalchemy as sa

from libs.db import Database
from services.host.sample.parties import People
from services.payment.adapters.db.tables import GATEWAY, REDIRECTS
from services.payment.adapters.gateways.signatures import HEADER, signature
from services.payment.adapters.gateways.testing import DONE, VOIDED, TestGateway
from services.payment.domain.redirects.redirect import RedirectState
from tests.chaos import steps
from tests.chaos.steps import until_answered
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill.payment.v1 import payment_redirect_pb2 as redirect_pb
from waybill.payment.v1 import provider_callback_service_pb2 as callback_pb

SECRET = "of the provider and us"
ENVIRONMENT = {"WAYBILL_PAYMENT_TEST_GATEWAY_SECRET": SECRET}
"""What payment is started with, so that it takes call-backs."""
LOOP = r"SettleRedirects\.(once|_settle|_void)"
"""What the loop does about authorizations that are not wanted any more."""
_PROVIDER: list[str] = []
"""The database that the provider keeps its book in, which is payment's."""
_BACK = "https://shop.example/back"
_CARDS: dict[str, str] = {}
"""By tag: the id of the payment by card."""


def provided(url: str) -> None:
    """Where the provider keeps its book in this run."""
    _PROVIDER[:] = [url]


@asynccontextmanager
async def _book() -> AsyncIterator[Database]:
    database = await Database.open(_PROVIDER[0], "waybill_payment")
    try:
        yield database
    finally:
        await database.close()


async def cart(people: People, tag: str) -> None:
    """An order whose card waits for its buyer."""
    await steps.cart(people.ada, tag, "redirect")
    _CARDS[tag] = (await steps.by_card(people.ada, tag)).id


async def agreed(people: People, tag: str) -> None:
    """The same once the buyer has agreed, before the submit."""
    await cart(people, tag)
    await _agree(people, tag)


async def pay(people: People, tag: str) -> None:
    """The buyer agrees on the provider's page, which calls back; comes back to the shop, which looks again; and submits."""
    await _agree(people, tag)
    again = await _start(people, tag, "again")
    assert again.state == redirect_pb.PAYMENT_REDIRECT_STATE_AUTHORIZED, again
    await steps.submit_until_accepted(people.ada, tag)


async def is_held_once(people: People, tag: str) -> None:
    """The order is open, what the buyer agreed to is the only authorization that was begun for it, and history has it once."""
    order = (await steps.settled(people.ada, tag)).order
    assert order.status == order_pb2.ORDER_STATUS_OPEN, order
    assert await _begun(tag) == [(RedirectState.ADOPTED.value, DONE)]
    request = order_service_pb2.ListOrderHistoryRequest(order_id=tag, direction=order_pb2.DIRECTION_ALL, page_size=100)
    events = (await until_answered(lambda: people.ada.orders.ListOrderHistory(request))).events
    assert [event.type for event in events].count("payment_started") == 1, events


async def take_away(people: People, tag: str) -> None:
    """The payment is removed."""
    request = pb.RemovePaymentsRequest(order_id=tag, payment_ids=[_CARDS[tag]], request_id=f"{tag}-remove")
    await until_answered(lambda: people.ada.checkout.RemovePayments(request))


async def nothing_is_held(people: People, tag: str) -> None:
    """The provider lets go of what it held."""
    async with steps.patience():
        while await _begun(tag) != [(RedirectState.ENDED.value, VOIDED)]:
            await steps.moment()


async def _agree(people: People, tag: str) -> None:
    async with steps.patience():
        while not (page := (await _start(people, tag, "start")).url):
            # Asked, and nobody has written the answer.
            await steps.moment()
    async with _book() as book:
        assert await TestGateway(book).act(page.rsplit("/", 1)[1], approve=True) == _BACK
        async with book.reading() as tx:
            its = sa.select(REDIRECTS.c.gateway_key).where(REDIRECTS.c.payment_id == _CARDS[tag])
            body = json.dumps({"key": (await tx.execute(its)).scalars().one()}).encode()

    async def called_back() -> callback_pb.HandleProviderCallbackResponse:
        signed = callback_pb.CallbackHeader(name=HEADER, value=signature(SECRET, body, datetime.now(UTC)))
        request = callback_pb.HandleProviderCallbackRequest(provider=TestGateway.name, headers=[signed], body=body)
        return await people.ada.provider_callbacks.HandleProviderCallback(request)

    await until_answered(called_back)


async def _start(people: People, tag: str, call: str) -> redirect_pb.PaymentRedirect:
    request = pb.StartPaymentRequest(order_id=tag, payment_id=_CARDS[tag], return_url=_BACK, request_id=f"{tag}-{call}")
    return (await until_answered(lambda: people.ada.checkout.StartPayment(request))).redirect


async def _begun(tag: str) -> list[tuple[str, str]]:
    """What was begun for the payment, oldest first: its state with us and at the provider."""
    r, its = REDIRECTS.c, GATEWAY.c.key == REDIRECTS.c.gateway_key
    both = sa.select(r.state.label("ours"), GATEWAY.c.state.label("its")).join(GATEWAY, its)
    async with _book() as book, book.reading() as tx:
        rows = await tx.execute(both.where(r.payment_id == _CARDS[tag]).order_by(r.id))
        return [(row.ours, row.its) for row in rows]
