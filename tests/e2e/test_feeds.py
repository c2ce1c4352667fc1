"""A change of every context is read from its feed, by a reader that comes back after a restart too."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from libs.db.tuning import Tuning
from services.host.contexts import CONTEXTS
from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from services.host.sample.marketplace import PASSWORD, PORTAL, SHOP, set_up
from tests.e2e.steps import declare_facet, promise, promote, propose, set_cost, ship, vary
from tests.support.feed_contents import RESOURCES
from tests.support.marketplace import Marketplace, lines, marketplace
from tests.support.ports import free_address
from tests.support.prepared import Prepared
from tests.support.process import said, served
from tests.support.sealing import sealing_key_for
from waybill.catalog.v1 import product_pb2, product_service_pb2
from waybill.changes.v1 import change_service_pb2 as pb
from waybill.directory.v1 import buyer_service_pb2, cost_center_service_pb2
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2
from waybill.order.v1 import checkout_service_pb2, order_pb2
from waybill.payment.v1 import credit_card_service_pb2, payment_type_service_pb2
from waybill.pricing.v1 import price_schedule_service_pb2
from waybill.shipping.v1 import carrier_service_pb2
from waybill_client import AsyncWaybill, WaybillError, money

Change = tuple[str, str, int]
Seen = list[Change]


async def read(owner: AsyncWaybill, context: str, token: str = "", last: Change | None = None) -> tuple[Seen, str]:
    """Changes after a place, up to `last` or else the first of them. Where a feed ends for now is no place to stop at: a change
    is served when no transaction is open that began before it, and other tests have transactions on the same server."""
    seen: Seen = []
    request = pb.WatchChangesRequest(context=context, resume_token=token, from_start=not token)
    async with asyncio.timeout(60):
        async for message in owner.changes.WatchChanges(request):
            token = message.resume_token
            if message.HasField("change"):
                seen.append((message.change.resource, message.change.resource_id, message.change.version))
                if last is None or seen[-1] == last:
                    break
    return seen, token


async def place(ada: AsyncWaybill, id: str) -> None:
    request = checkout_service_pb2.PlaceOrderRequest(order=order_pb2.Order(id=id), line_items=lines(tape=1), payments=promise())
    await ada.checkout.PlaceOrder(request)


async def price(owner: AsyncWaybill, id: str) -> None:
    schedule = price_schedule_service_pb2.PriceSchedule(id=id, name=id, currency="USD")
    schedule.price_breaks.add(quantity=1, price=money("1.00", "USD"))
    await owner.price_schedules.CreatePriceSchedule(
        price_schedule_service_pb2.CreatePriceScheduleRequest(price_schedule=schedule)
    )


async def watch(owner: AsyncWaybill, id: str) -> None:
    """The next unit that is sold of a record leaves an alert."""
    known = await owner.inventory.GetInventoryRecord(inventory_service_pb2.GetInventoryRecordRequest(inventory_record_id=id))
    watched = inventory_pb2.InventoryRecord(id=id, notify_below=known.inventory_record.available)
    await owner.inventory.UpdateInventoryRecord(inventory_service_pb2.UpdateInventoryRecordRequest(inventory_record=watched))


async def declare_type(owner: AsyncWaybill, id: str) -> None:
    """A type of payment that everyone of a buyer may pay with."""
    declared = payment_type_service_pb2.PaymentType(
        id=id, name=id, acceptance=payment_type_service_pb2.PAYMENT_ACCEPTANCE_AT_ONCE, active=True
    )
    await owner.payment_types.CreatePaymentType(payment_type_service_pb2.CreatePaymentTypeRequest(payment_type=declared))
    everyones = payment_type_service_pb2.PaymentTypeAssignment(payment_type_id=id, buyer_id="acme")
    await owner.payment_types.AssignPaymentTypes(payment_type_service_pb2.AssignPaymentTypesRequest(assignments=[everyones]))


async def change_all(owner: AsyncWaybill, address: str, id: str) -> dict[str, Change]:
    """Something new in every context: by context the change that it is."""
    await watch(owner, "tape-wh-east")
    await declare_type(owner, id)
    async with AsyncWaybill(address, SHOP, username="ada", password=PASSWORD) as ada:
        await place(ada, id)
        shared = credit_card_service_pb2.CreditCard(id=f"{id}-ACME", buyer_id="acme", token="tok_approve", partial_number="4242")
        await owner.credit_cards.CreateCreditCard(credit_card_service_pb2.CreateCreditCardRequest(credit_card=shared))
        everyones = credit_card_service_pb2.CreditCardAssignment(credit_card_id=shared.id)
        await owner.credit_cards.AssignCreditCards(credit_card_service_pb2.AssignCreditCardsRequest(assignments=[everyones]))
        card = credit_card_service_pb2.CreditCard(id=id, token="tok_approve", partial_number="4242")
        await ada.credit_cards.CreateCreditCard(credit_card_service_pb2.CreateCreditCardRequest(credit_card=card))
    async with AsyncWaybill(address, PORTAL, username="clerk-wh-east", password=PASSWORD) as clerk:
        await ship(clerk, f"{id}-1", "l1", 1)
    center = cost_center_service_pb2.CostCenter(id=id, name=id, buyer_id="acme", active=True)
    await owner.cost_centers.CreateCostCenter(cost_center_service_pb2.CreateCostCenterRequest(cost_center=center))
    charged = cost_center_service_pb2.CostCenterAssignment(cost_center_id=id)
    await owner.cost_centers.AssignCostCenters(cost_center_service_pb2.AssignCostCentersRequest(assignments=[charged]))
    product = product_pb2.Product(id=id, name=id)
    await owner.products.CreateProduct(product_service_pb2.CreateProductRequest(product=product))
    buyer = buyer_service_pb2.Buyer(id=id, name=id, currency="USD", active=True)
    await owner.buyers.CreateBuyer(buyer_service_pb2.CreateBuyerRequest(buyer=buyer))
    carrier = carrier_service_pb2.Carrier(id=id, name=id, active=True)
    await owner.carriers.CreateCarrier(carrier_service_pb2.CreateCarrierRequest(carrier=carrier))
    await price(owner, id)
    return {
        "directory": ("buyer", id, 1),
        "catalog": ("product", id, 1),
        "pricing": ("price schedule", id, 1),
        "shipping": ("carrier", id, 1),
        "fulfillment": ("supplier order", f"{id}-1", 1),
        "payment": ("credit card", id, 1),
        "order": ("order", id, 1),
    }


@pytest.mark.on_sqlite
async def test_the_feed_of_every_context_goes_on_after_a_restart_with_none_missed_and_none_twice(
    tmp_path: Path, database_url: str
) -> None:
    settings = HostSettings(
        data=tmp_path,
        database_url=database_url,
        sealing_key=sealing_key_for(database_url),
        bind=free_address(),
        tuning=Tuning(pool_size=8),
    )
    before: dict[str, tuple[Seen, str]] = {}
    async with running(settings) as first:
        assert first.secret is not None
        address, secret = first.address, first.secret.client_secret
        async with AsyncWaybill(address, "waybill-admin", secret) as owner:
            await set_up(owner)
            await propose(owner, address, "lumenworks", "lantern")
            await set_cost(owner, "lumenworks", "lantern", "7.50")
            await promote(owner, "spring", "acme")
            await vary(owner, "lantern")
            await declare_facet(owner, "lantern", "brass")
            made_before = await change_all(owner, address, "FIRST")
            for context in CONTEXTS:
                before[context] = await read(owner, context)
    async with running(settings), AsyncWaybill(address, "waybill-admin", secret) as owner:
        made_after = await change_all(owner, address, "SECOND")
        for context in CONTEXTS:
            first_part, token = before[context]
            rest, _ = await read(owner, context, token, made_after[context])
            whole, _ = await read(owner, context, last=made_after[context])
            assert [*first_part, *rest] == whole
            assert len(set(whole)) == len(whole)
            assert {name for name, _, _ in whole} == RESOURCES[context]
            assert [change for change in whole if change in {made_before[context], made_after[context]}] == [
                made_before[context],
                made_after[context],
            ]


async def test_a_change_that_another_process_commits_reaches_whoever_waits(tmp_path: Path, prepared: Prepared) -> None:
    async with (
        served(tmp_path / "writer", prepared.database_url) as writer,
        marketplace(tmp_path / "reader", prepared.database_url, secret=prepared.secret) as market,
        AsyncWaybill(writer.address, "waybill-admin", prepared.secret.client_secret) as elsewhere,
        asyncio.timeout(60),
    ):
        watching = aiter(market.people.owner.changes.WatchChanges(pb.WatchChangesRequest(context="catalog")))
        # The place where it begins, and then word that nothing more is there.
        assert not any([(await anext(watching)).HasField("change") for _ in range(2)])
        product = product_pb2.Product(id="elsewhere", name="Made elsewhere")
        await elsewhere.products.CreateProduct(product_service_pb2.CreateProductRequest(product=product))
        while not (message := await anext(watching)).HasField("change"):
            pass
        assert (message.change.resource, message.change.resource_id) == ("product", "elsewhere")


async def test_an_operator_turns_a_feed_off_and_on_reads_it_anew_and_goes_on(shared_sqlite_market: Marketplace) -> None:
    market = shared_sqlite_market

    async def changes(*arguments: str) -> tuple[int, str, str]:
        return await said("changes", *arguments, "--server", market.address, "--client-secret", market.secret.client_secret)

    async def watched(*options: str) -> tuple[list[str], str]:
        code, output, errors = await changes("watch", "pricing", "--to-end", "--json", *options)
        assert code == 0, errors
        lines = [json.loads(line) for line in output.splitlines()]
        return [line["change"]["resource_id"] for line in lines if "change" in line], lines[-1]["resume_token"]

    _, before = await watched()
    assert (await changes("off", "pricing"))[0] == 0
    try:
        await price(market.people.owner, "in-the-gap")
    finally:
        assert (await changes("on", "pricing"))[0] == 0
    code, _, errors = await changes("watch", "pricing", "--to-end", "--resume-token", before)
    assert (code, "POSITION_LOST" in errors) == (2, True), errors
    assert (await watched("--from-start"))[0] == []

    await price(market.people.owner, "after-the-gap")
    found, token = await watched("--from-start")
    assert found == ["after-the-gap"]
    await price(market.people.owner, "later")
    assert (await watched("--resume-token", token))[0] == ["later"]
    code, output, _ = await changes("status")
    (row,) = [line.split() for line in output.splitlines() if line.startswith("pricing")]
    assert (code, row[:3]) == (0, ["pricing", "on", "2"])


async def test_a_change_says_who_made_it_by_which_call_and_belongs_to_the_seller_s_operators(shared_sqlite_market) -> None:
    market = shared_sqlite_market
    made = product_pb2.Product(id="sent", name="Sent")
    await market.people.owner.products.CreateProduct(product_service_pb2.CreateProductRequest(product=made))
    request = pb.WatchChangesRequest(context="catalog", from_start=True)
    async with asyncio.timeout(60):
        async for message in market.people.owner.changes.WatchChanges(request):
            if message.change.resource_id == "sent":
                break
    assert message.change.method == "/waybill.catalog.v1.ProductService/CreateProduct"
    assert message.change.version == 1
    assert message.change.actor
    assert message.change.client_id
    with pytest.raises(WaybillError) as refused:
        await anext(aiter(market.people.ada.changes.WatchChanges(request)))
    assert refused.value.reason == "PARTY_NOT_ADMITTED"


async def test_an_operator_turns_a_feed_off_and_on_and_sees_what_it_is(shared_sqlite_market) -> None:
    feeds = shared_sqlite_market.people.owner.changes

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
    people = shared_sqlite_market.people
    for caller, context, reason in (
        (people.ada, "shipping", "PARTY_NOT_ADMITTED"),
        (people.owner, "order", "FEED_ALWAYS_ON"),
        (people.owner, "moon", "RESOURCE_NOT_FOUND"),
        (people.owner, "", "FIELD_REQUIRED"),
    ):
        with pytest.raises(WaybillError) as refused:
            await caller.changes.SwitchChangeFeed(pb.SwitchChangeFeedRequest(context=context))
        assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "FIELD_REQUIRED"),
        ({"context": "moon"}, "RESOURCE_NOT_FOUND"),
        ({"context": "catalog", "resources": ["product", "\0"]}, "VALUE_OUT_OF_RANGE"),
        ({"context": "catalog", "resources": ["x" * 61]}, "VALUE_OUT_OF_RANGE"),
        ({"context": "catalog", "resume_token": "x"}, "RESUME_TOKEN_INVALID"),
        ({"context": "catalog", "resume_token": "x", "from_start": True}, "FIELD_INVALID"),
    ],
)
async def test_a_watch_that_cannot_be_is_refused(shared_sqlite_market, fields: dict, reason: str) -> None:
    with pytest.raises(WaybillError) as refused:
        await anext(aiter(shared_sqlite_market.people.owner.changes.WatchChanges(pb.WatchChangesRequest(**fields))))
    assert refused.value.reason == reason
