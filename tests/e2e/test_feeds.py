"""A change of every context is read from its feed, by a reader that comes back after a restart too."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest

from libs.db.tuning import Tuning
from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from services.host.sample.marketplace import PASSWORD, SHOP, set_up
from tests.e2e.steps import promise
from tests.support.feed_contents import RESOURCES
from tests.support.marketplace import lines
from waybill.catalog.v1 import product_pb2, product_service_pb2
from waybill.changes.v1 import change_service_pb2 as pb
from waybill.order.v1 import checkout_service_pb2, order_pb2
from waybill.payment.v1 import credit_card_service_pb2
from waybill_client import AsyncWaybill, WaybillError

NOT_MADE = {"shipment"}
"""What neither the sample marketplace nor an order makes."""
Seen = list[tuple[str, str, int]]


async def read(owner: AsyncWaybill, context: str, token: str = "", until: int = 0) -> tuple[Seen, str]:
    """Changes after a place, up to the first message that brings none or to so many."""
    seen: Seen = []
    request = pb.WatchChangesRequest(context=context, resume_token=token, from_start=not token)
    async with asyncio.timeout(60):
        async for message in owner.changes.WatchChanges(request):
            token = message.resume_token
            if message.HasField("change"):
                seen.append((message.change.resource, message.change.resource_id, message.change.version))
            elif seen or not request.from_start:
                break
            if until and len(seen) == until:
                break
    return seen, token


async def place(ada: AsyncWaybill, id: str) -> None:
    request = checkout_service_pb2.PlaceOrderRequest(order=order_pb2.Order(id=id), line_items=lines(tape=1), payments=promise())
    await ada.checkout.PlaceOrder(request)


async def keep_card(ada: AsyncWaybill, id: str) -> None:
    card = credit_card_service_pb2.CreditCard(id=id, token="tok_approve", partial_number="4242")
    await ada.credit_cards.CreateCreditCard(credit_card_service_pb2.CreateCreditCardRequest(credit_card=card))


@pytest.mark.on_sqlite
async def test_the_feed_of_every_context_goes_on_after_a_restart_with_none_missed_and_none_twice(
    tmp_path: Path, database_url: str
) -> None:
    settings = HostSettings(data=tmp_path, database_url=database_url, tuning=Tuning(pool_size=8))
    before: dict[str, tuple[Seen, str]] = {}
    async with running(settings) as first:
        assert first.secret is not None
        address, secret = first.address, first.secret.client_secret
        async with (
            AsyncWaybill(address, "waybill-admin", secret) as owner,
            AsyncWaybill(address, SHOP, username="ada", password=PASSWORD) as ada,
        ):
            await set_up(owner)
            await place(ada, "FIRST")
            await keep_card(ada, "first")
            for context in RESOURCES:
                before[context] = await read(owner, context, until=1)
    async with (
        running(dataclasses.replace(settings, bind=address)),
        AsyncWaybill(address, "waybill-admin", secret) as owner,
        AsyncWaybill(address, SHOP, username="ada", password=PASSWORD) as ada,
    ):
        await place(ada, "SECOND")
        await keep_card(ada, "second")
        for context, resources in RESOURCES.items():
            first_part, token = before[context]
            rest, _ = await read(owner, context, token)
            whole, _ = await read(owner, context)
            assert [*first_part, *rest] == whole
            assert len(set(whole)) == len(whole)
            assert {name for name, _, _ in whole} == resources - NOT_MADE, context


async def test_a_change_says_who_made_it_by_which_call_and_belongs_to_the_seller_s_operators(shared_sqlite_market) -> None:
    market = shared_sqlite_market
    made = product_pb2.Product(id="told", name="Told")
    await market.cast.owner.products.CreateProduct(product_service_pb2.CreateProductRequest(product=made))
    request = pb.WatchChangesRequest(context="catalog", from_start=True)
    async with asyncio.timeout(60):
        async for message in market.cast.owner.changes.WatchChanges(request):
            if message.change.resource_id == "told":
                break
    assert message.change.method == "/waybill.catalog.v1.ProductService/CreateProduct"
    assert message.change.version == 1
    assert message.change.actor
    assert message.change.client_id
    with pytest.raises(WaybillError) as refused:
        await anext(aiter(market.cast.ada.changes.WatchChanges(request)))
    assert refused.value.reason == "ROLE_MISSING"


async def test_an_operator_turns_a_feed_off_and_on_and_sees_what_it_is(shared_sqlite_market) -> None:
    feeds = shared_sqlite_market.cast.owner.changes

    async def switched(enabled: bool) -> pb.ChangeFeed:
        return (await feeds.SwitchChangeFeed(pb.SwitchChangeFeedRequest(context="shipping", enabled=enabled))).feed

    before = (await feeds.GetChangeFeed(pb.GetChangeFeedRequest(context="shipping"))).feed
    assert before.enabled
    assert before.changes
    assert before.oldest_time.ToDatetime() <= before.newest_time.ToDatetime()
    try:
        assert not (await switched(False)).enabled
        assert not (await switched(False)).enabled
    finally:
        after = await switched(True)
    assert (after.enabled, after.changes, after.HasField("oldest_time")) == (True, 0, False)


async def test_only_an_operator_turns_a_feed_and_that_of_orders_is_never_off(shared_sqlite_market) -> None:
    cast = shared_sqlite_market.cast
    for caller, context, reason in (
        (cast.ada, "shipping", "ROLE_MISSING"),
        (cast.owner, "order", "FEED_ALWAYS_ON"),
        (cast.owner, "moon", "RESOURCE_NOT_FOUND"),
        (cast.owner, "", "FIELD_REQUIRED"),
    ):
        with pytest.raises(WaybillError) as refused:
            await caller.changes.SwitchChangeFeed(pb.SwitchChangeFeedRequest(context=context))
        assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "FIELD_REQUIRED"),
        ({"context": "moon"}, "RESOURCE_NOT_FOUND"),
        ({"context": "catalog", "resume_token": "x"}, "RESUME_TOKEN_INVALID"),
        ({"context": "catalog", "resume_token": "x", "from_start": True}, "FIELD_INVALID"),
    ],
)
async def test_a_watch_that_cannot_be_is_refused(shared_sqlite_market, fields: dict, reason: str) -> None:
    with pytest.raises(WaybillError) as refused:
        await anext(aiter(shared_sqlite_market.cast.owner.changes.WatchChanges(pb.WatchChangesRequest(**fields))))
    assert refused.value.reason == reason
