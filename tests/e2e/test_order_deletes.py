"""DeleteOrder: what was never submitted is gone as a whole; what holds money, or is being submitted, stays."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict

from services.order.adapters.clients.payment import PaymentClient
from tests.e2e.steps import policy, promise, ready, refused
from tests.support.marketplace import ALL, INCOMING, Marketplace, create, get, lines
from waybill.changes.v1 import change_service_pb2 as changes_pb
from waybill.directory.v1 import ordering_context_service_pb2 as context_pb
from waybill.order.v1 import checkout_service_pb2 as checkout_pb
from waybill.order.v1 import line_item_service_pb2 as line_pb
from waybill.order.v1 import order_pb2
from waybill.order.v1 import order_service_pb2 as pb
from waybill_client import AsyncWaybill


def deletion(id: str, **fields: str) -> pb.DeleteOrderRequest:
    return pb.DeleteOrderRequest(order_id=id, **fields)


async def events(client: AsyncWaybill, id: str, direction: order_pb2.Direction.ValueType = ALL) -> list[str]:
    """Types of the events of an order that its watcher is sent, up to its deletion."""
    found: list[str] = []
    request = pb.WatchOrdersRequest(direction=direction, order_ids=[id], from_start=True)
    async with asyncio.timeout(30):
        async for message in client.orders.WatchOrders(request):
            if message.HasField("event"):
                found.append(message.event.type)
                if message.event.type == "order_deleted":
                    break
    return found


async def payments(client: AsyncWaybill, id: str) -> int:
    return len((await client.checkout.ListPayments(checkout_pb.ListPaymentsRequest(order_id=id))).payments)


@pytest.mark.on_sqlite
async def test_a_deleted_order_is_gone_and_its_watchers_hear_of_it(market: Marketplace) -> None:
    ada = market.people.ada
    await ready(ada, "CART", promise(), anvil=2)
    version = int((await get(ada, "CART")).etag)
    await ada.orders.DeleteOrder(deletion("CART"))
    for call in (
        get(ada, "CART"),
        ada.orders.ListOrderHistory(pb.ListOrderHistoryRequest(order_id="CART", direction=ALL)),
        ada.orders.GetOrderTree(pb.GetOrderTreeRequest(order_id="CART")),
        ada.checkout.ListPayments(checkout_pb.ListPaymentsRequest(order_id="CART")),
        ada.checkout.AddPayments(checkout_pb.AddPaymentsRequest(order_id="CART", payments=promise())),
        ada.orders.DeleteOrder(deletion("CART")),
    ):
        assert (await refused(call)).reason == "RESOURCE_NOT_FOUND"
    assert (await events(ada, "CART"))[0::version] == ["order_created", "order_deleted"]
    request = changes_pb.WatchChangesRequest(context="order", from_start=True)
    async with asyncio.timeout(30):
        async for message in market.people.owner.changes.WatchChanges(request):
            if message.change.resource_id == "CART" and message.change.HasField("deleted_body"):
                break
    body = MessageToDict(message.change.deleted_body)
    assert (message.change.version, body["id"], body["etag"]) == (version + 1, "CART", str(version))


@pytest.mark.on_sqlite
async def test_the_id_of_a_deleted_order_stays_taken_and_repeats_know_what_was_done(market: Marketplace) -> None:
    ada = market.people.ada
    creation = pb.CreateOrderRequest(order=order_pb2.Order(id="ONCE"), line_items=lines(anvil=1), request_id="made")
    await ada.orders.CreateOrder(creation)
    for _ in range(2):
        await ada.orders.DeleteOrder(deletion("ONCE", request_id="gone"))
    assert (await refused(ada.orders.CreateOrder(creation))).reason == "RESOURCE_NOT_FOUND"
    again = pb.CreateOrderRequest(order=order_pb2.Order(id="ONCE"), line_items=lines(anvil=1))
    error = await refused(ada.orders.CreateOrder(again))
    assert (error.code, error.reason) == (grpc.StatusCode.ALREADY_EXISTS, "ID_OF_DELETED")
    placing = checkout_pb.PlaceOrderRequest(order=again.order, line_items=again.line_items, payments=promise())
    assert (await refused(ada.checkout.PlaceOrder(placing))).reason == "ID_OF_DELETED"


async def test_only_its_own_user_or_an_administrator_deletes_an_order(shared_sqlite_market: Marketplace) -> None:
    people = shared_sqlite_market.people
    await create(people.ada, "DEL-OWN", anvil=1)
    assert (await refused(people.bob.orders.DeleteOrder(deletion("DEL-OWN")))).reason == "RESOURCE_NOT_FOUND"
    await people.owner.orders.DeleteOrder(deletion("DEL-OWN"))
    assert (await refused(get(people.ada, "DEL-OWN"))).reason == "RESOURCE_NOT_FOUND"
    # The seller hears only of what it could see.
    assert await events(people.owner, "DEL-OWN", INCOMING) == ["order_created", "order_deleted"]


async def test_what_was_submitted_or_changed_since_is_not_deleted(shared_sqlite_market: Marketplace) -> None:
    ada = shared_sqlite_market.people.ada
    await ada.place_order({"anvil": 1}, id="DEL-SOLD")
    error = await refused(ada.orders.DeleteOrder(deletion("DEL-SOLD")))
    assert (error.reason, error.metadata) == ("ORDER_STATUS_CONFLICT", {"order": "DEL-SOLD", "status": "OPEN"})
    await ready(ada, "DEL-STALE", promise(), anvil=1)
    error = await refused(ada.orders.DeleteOrder(deletion("DEL-STALE", etag="1")))
    assert (error.code, error.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert await payments(ada, "DEL-STALE") == 1


async def test_an_order_whose_submit_was_refused_is_deleted_with_its_attempts(shared_market: Marketplace) -> None:
    ada = shared_market.people.ada
    await ready(ada, "DEL-REFUSED", [], anvil=1)
    submit = checkout_pb.SubmitOrderRequest(order_id="DEL-REFUSED", request_id="del-refused")
    assert (await refused(ada.checkout.SubmitOrder(submit))).reason == "SUBMIT_REFUSED"
    await ada.orders.DeleteOrder(deletion("DEL-REFUSED"))
    assert (await refused(ada.checkout.SubmitOrder(submit))).reason == "RESOURCE_NOT_FOUND"


@dataclass(slots=True)
class Stop:
    """A call of the payment service that waits until it may go on."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bool], Stop]:
    """Makes a method of the payment client wait, once: before it asks, or after it was answered."""

    def patch(name: str, before: bool) -> Stop:
        original, stop = getattr(PaymentClient, name), Stop()

        async def waiting(*args: Any) -> Any:
            monkeypatch.setattr(PaymentClient, name, original)
            answer = None if before else await original(*args)
            stop.reached.set()
            await stop.go_on.wait()
            return await original(*args) if before else answer

        monkeypatch.setattr(PaymentClient, name, waiting)
        return stop

    return patch


async def meanwhile(stop: Stop, call: Awaitable[Any], *others: Callable[[], Awaitable[Any]]) -> asyncio.Future[Any]:
    """The call, during which the others were made in their order; it has ended."""
    task = asyncio.ensure_future(call)
    await stop.reached.wait()
    for other in others:
        await other()
    stop.go_on.set()
    await asyncio.wait([task])
    return task


Stopped = Callable[[str, bool], Stop]


async def test_a_payment_that_is_added_while_the_order_is_deleted_does_not_outlive_it(
    market: Marketplace, stopped: Stopped
) -> None:
    ada = market.people.ada
    await ready(ada, "LATE", [], anvil=1)
    adding = ada.checkout.AddPayments(checkout_pb.AddPaymentsRequest(order_id="LATE", payments=promise()))
    late = await meanwhile(stopped("create", True), adding, lambda: ada.orders.DeleteOrder(deletion("LATE")))
    error = late.exception()
    assert getattr(error, "reason", error) == "RESOURCE_NOT_FOUND"


async def test_a_deletion_that_a_payment_overtakes_takes_that_away_too(market: Marketplace, stopped: Stopped) -> None:
    ada = market.people.ada
    await ready(ada, "OVER", [], anvil=1)
    adding = checkout_pb.AddPaymentsRequest(order_id="OVER", payments=promise())
    deleting = ada.orders.DeleteOrder(deletion("OVER"))
    (await meanwhile(stopped("delete", False), deleting, lambda: ada.checkout.AddPayments(adding))).result()
    assert (await refused(get(ada, "OVER"))).reason == "RESOURCE_NOT_FOUND"


def dies_after_payments_went(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next deletion of an order ends when its payments are gone."""
    original = PaymentClient.delete

    async def dying(*args: Any) -> None:
        monkeypatch.setattr(PaymentClient, "delete", original)
        await original(*args)
        raise RuntimeError("the process ends here")

    monkeypatch.setattr(PaymentClient, "delete", dying)


async def test_a_deletion_that_stopped_halfway_leaves_an_order_that_can_be_paid_or_deleted(
    market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = market.people.ada
    dies_after_payments_went(monkeypatch)
    await ready(ada, "HALF", promise(), anvil=1)
    assert (await refused(ada.orders.DeleteOrder(deletion("HALF", request_id="half")))).code == grpc.StatusCode.INTERNAL
    assert await payments(ada, "HALF") == 0
    await ada.checkout.AddPayments(checkout_pb.AddPaymentsRequest(order_id="HALF", payments=promise()))
    assert await payments(ada, "HALF") == 1
    await ada.orders.DeleteOrder(deletion("HALF", request_id="half"))
    assert (await refused(get(ada, "HALF"))).reason == "RESOURCE_NOT_FOUND"


async def test_a_submit_that_overtakes_a_deletion_is_not_undone_by_it(market: Marketplace, stopped: Stopped) -> None:
    ada = market.people.ada
    await ready(ada, "SOLD", promise(), anvil=1)
    submit = checkout_pb.SubmitOrderRequest(order_id="SOLD")
    deleting = ada.orders.DeleteOrder(deletion("SOLD"))
    error = (await meanwhile(stopped("delete", True), deleting, lambda: ada.checkout.SubmitOrder(submit))).exception()
    assert getattr(error, "reason", error) == "SUBMISSION_IN_PROGRESS"
    assert (await get(ada, "SOLD")).status == order_pb2.ORDER_STATUS_OPEN
    assert await payments(ada, "SOLD") == 1


UNCOVERED = {"payment_coverage": context_pb.PAYMENT_COVERAGE_NONE}
"""A channel that sells without payments too."""


def submission(id: str) -> checkout_pb.SubmitOrderRequest:
    return checkout_pb.SubmitOrderRequest(order_id=id)


async def test_an_order_is_not_submitted_after_a_deletion_has_taken_its_payments(market: Marketplace, stopped: Stopped) -> None:
    ada = market.people.ada
    await policy(market, **UNCOVERED)
    await ready(ada, "TAKEN", promise(), anvil=1)
    found: list[list[str]] = []

    async def submit() -> None:
        error = await refused(ada.checkout.SubmitOrder(submission("TAKEN")))
        found.append([error.reason, *(rule.reason for rule in error.rules)])

    (await meanwhile(stopped("delete", False), ada.orders.DeleteOrder(deletion("TAKEN")), submit)).result()
    assert found == [["SUBMIT_REFUSED", "PAYMENTS_DELETED"]]
    assert (await refused(get(ada, "TAKEN"))).reason == "RESOURCE_NOT_FOUND"


async def test_of_a_deletion_and_a_submit_that_has_begun_neither_sells_the_order_without_its_payments(
    market: Marketplace, stopped: Stopped
) -> None:
    ada = market.people.ada
    await policy(market, **UNCOVERED)
    await ready(ada, "BOTH", promise(), anvil=1)
    deleting, trying = stopped("delete", True), stopped("reserve", True)
    deleted = asyncio.ensure_future(ada.orders.DeleteOrder(deletion("BOTH")))
    await deleting.reached.wait()
    submitted = asyncio.ensure_future(ada.checkout.SubmitOrder(submission("BOTH")))
    await trying.reached.wait()
    deleting.go_on.set()
    assert (await refused(deleted)).reason == "SUBMISSION_IN_PROGRESS"
    trying.go_on.set()
    assert [rule.reason for rule in (await refused(submitted)).rules] == ["PAYMENTS_DELETED"]
    await ada.orders.DeleteOrder(deletion("BOTH"))
    assert (await refused(get(ada, "BOTH"))).reason == "RESOURCE_NOT_FOUND"


async def test_an_order_without_payments_that_a_deletion_stopped_at_is_still_submitted(
    market: Marketplace, stopped: Stopped
) -> None:
    ada = market.people.ada
    await policy(market, **UNCOVERED)
    await ready(ada, "BARE", [], anvil=1)
    deleting = ada.orders.DeleteOrder(deletion("BARE"))
    submit = ada.checkout.SubmitOrder
    error = (await meanwhile(stopped("delete", False), deleting, lambda: submit(submission("BARE")))).exception()
    assert getattr(error, "reason", error) in ("ORDER_STATUS_CONFLICT", "SUBMISSION_IN_PROGRESS")
    assert (await get(ada, "BARE")).status == order_pb2.ORDER_STATUS_OPEN


async def test_an_order_that_a_stopped_deletion_left_without_payments_is_submitted_with_others(
    market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = market.people.ada
    await policy(market, **UNCOVERED)
    await ready(ada, "LEFT", promise(), anvil=1)
    dies_after_payments_went(monkeypatch)
    assert (await refused(ada.orders.DeleteOrder(deletion("LEFT")))).code == grpc.StatusCode.INTERNAL
    for _ in range(2):
        error = await refused(ada.checkout.SubmitOrder(submission("LEFT")))
        assert [rule.reason for rule in error.rules] == ["PAYMENTS_DELETED"]
    answer = await ada.checkout.ValidateOrder(checkout_pb.ValidateOrderRequest(order_id="LEFT"))
    assert [problem.reason for problem in answer.reasons] == ["PAYMENTS_DELETED"]
    await ada.checkout.AddPayments(checkout_pb.AddPaymentsRequest(order_id="LEFT", payments=promise()))
    await ada.checkout.SubmitOrder(submission("LEFT"))
    assert (await get(ada, "LEFT")).status == order_pb2.ORDER_STATUS_OPEN
    assert await payments(ada, "LEFT") == 1


async def test_lines_that_are_added_while_the_order_is_deleted_are_refused_or_gone_with_it(market: Marketplace) -> None:
    ada = market.people.ada
    for n in range(5):
        id = f"LINES-{n}"
        await create(ada, id, anvil=1)
        adding = line_pb.AddLineItemsRequest(order_id=id, line_items=lines(lamp=1))
        deleted, added = await asyncio.gather(
            ada.orders.DeleteOrder(deletion(id)), ada.line_items.AddLineItems(adding), return_exceptions=True
        )
        assert not isinstance(deleted, BaseException)
        assert getattr(added, "reason", "RESOURCE_NOT_FOUND") == "RESOURCE_NOT_FOUND"
        assert (await refused(get(ada, id))).reason == "RESOURCE_NOT_FOUND"
