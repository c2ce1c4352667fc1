"""Orders, part of which has shipped: the seller completes them, and a cancel cancels the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.order.adapters.clients.fulfillment import FulfillmentClient
from services.order.application.aftercare.complete_order import ChangeOrder
from services.order.application.submission.submit_order import SubmitOrder
from tests.e2e.steps import card, cents, gift_card, promise, ready, refused, ship, until
from tests.support.marketplace import OUTGOING, Marketplace, get, marketplace
from tests.support.prepared import Prepared
from waybill.fulfillment.v1 import inventory_service_pb2, shipment_pb2, shipment_service_pb2, supplier_order_pb2
from waybill.order.v1 import checkout_service_pb2, order_pb2, order_service_pb2, submission_pb2
from waybill.payment.v1 import payment_pb2, payment_service_pb2
from waybill_client import AsyncWaybill, WaybillError

COMPLETED, CANCELED, OPEN = order_pb2.ORDER_STATUS_COMPLETED, order_pb2.ORDER_STATUS_CANCELED, order_pb2.ORDER_STATUS_OPEN


async def complete(market: Marketplace, id: str, **values: Any) -> order_pb2.Order:
    answer = await market.people.sam.orders.CompleteOrder(order_service_pb2.CompleteOrderRequest(order_id=id, **values))
    return answer.order


async def half_shipped(market: Marketplace, id: str) -> order_pb2.Order:
    """Four tapes, two of which have left; paid from the gift card."""
    pay = [payment_pb2.Payment(type="spending_account", spending_account_id="gift-ada")]
    await ready(market.people.ada, id, pay, tape=4)
    await market.people.ada.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id=id))
    await ship(market.people.clerks["wh-east"], f"{id}-1", "l1", 2)
    return await get(market.people.ada, id, OUTGOING)


async def tape(market: Marketplace) -> tuple[int, int]:
    answer = await market.people.owner.inventory.GetInventoryRecord(
        inventory_service_pb2.GetInventoryRecordRequest(inventory_record_id="tape-wh-east")
    )
    return answer.inventory_record.on_hand, answer.inventory_record.allocated


@pytest.mark.on_sqlite
async def test_the_seller_completes_an_order_and_what_is_open_is_given_back(shared_market: Marketplace) -> None:
    _, allocated = await tape(shared_market)
    sold = await half_shipped(shared_market, "ENOUGH")
    on_hand, _ = await tape(shared_market)
    paid = await gift_card(shared_market)
    done = await complete(shared_market, "ENOUGH", comment="no more tape", request_id="enough-1")
    assert done == await get(shared_market.people.ada, "ENOUGH", OUTGOING)
    assert (done.status, cents(done.total)) == (COMPLETED, cents(sold.total))
    assert cents(sold.subtotal) - cents(done.canceled.subtotal) == 667  # two of four at 3.3325, rounded half up
    assert cents(done.canceled.shipping_cost) == 0
    assert (done.submission.kind, done.submission.outcome) == (
        submission_pb2.SUBMISSION_KIND_CHANGE,
        submission_pb2.SUBMISSION_OUTCOME_CHANGED,
    )
    assert await tape(shared_market) == (on_hand, allocated)
    assert await gift_card(shared_market) - paid == cents(done.canceled.total)
    assert await complete(shared_market, "ENOUGH", comment="no more tape", request_id="enough-1") == done
    theirs = await get(shared_market.people.clerks["wh-east"], "ENOUGH-1")
    assert (theirs.supplier_status, theirs.canceled) == (supplier_order_pb2.SUPPLIER_ORDER_STATUS_COMPLETED, done.canceled)
    answer = await shared_market.people.ada.orders.ListOrderHistory(
        order_service_pb2.ListOrderHistoryRequest(order_id="ENOUGH", direction=OUTGOING)
    )
    assert [e.type for e in answer.events][-4:] == ["change_begun", "change_decided", "units_canceled", "order_completed"]


async def test_a_cancel_of_an_order_with_shipped_units_cancels_the_rest(shared_market: Marketplace) -> None:
    await half_shipped(shared_market, "REST")
    request = order_service_pb2.CancelOrderRequest(order_id="REST", comment="enough", request_id="x-1")
    done = (await shared_market.people.sam.orders.CancelOrder(request)).order
    assert (done.status, cents(done.canceled.total) > 0) == (COMPLETED, True)
    assert (await shared_market.people.sam.orders.CancelOrder(request)).order == done


async def test_the_books_are_right_after_a_parcel_was_deleted_and_the_rest_was_given_up(shared_market: Marketplace) -> None:
    for id in ("PACKED", "PACKED-TOO"):
        await half_shipped(shared_market, id)
        clerk = shared_market.people.clerks["wh-east"]
        for parcel in await packed_twice(clerk, f"{id}-1"):
            await clerk.shipments.DeleteShipment(shipment_service_pb2.DeleteShipmentRequest(shipment_id=parcel))
        await shared_market.check()
    await packed_twice(shared_market.people.clerks["wh-east"], "PACKED-1")
    await complete(shared_market, "PACKED")
    await shared_market.check()
    await packed_twice(shared_market.people.clerks["wh-east"], "PACKED-TOO-1")
    await shared_market.people.sam.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id="PACKED-TOO"))
    await shared_market.check()


async def test_a_card_that_the_seller_gives_up_of_an_open_order_breaks_nothing(shared_market: Marketplace) -> None:
    await card(shared_market, "visa-waived", "tok_approve")
    await ready(
        shared_market.people.ada,
        "WAIVED",
        [payment_pb2.Payment(id="waived", type="credit_card", credit_card_id="visa-waived")],
        tape=4,
    )
    await shared_market.people.ada.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id="WAIVED"))
    await ship(shared_market.people.clerks["wh-east"], "WAIVED-1", "l1", 2)
    await shared_market.people.sam.payments.VoidPayment(payment_service_pb2.VoidPaymentRequest(payment_id="waived"))
    await shared_market.check()
    await complete(shared_market, "WAIVED")


async def packed_twice(clerk: AsyncWaybill, id: str) -> list[str]:
    """Two parcels of one unit each."""
    item = shipment_pb2.ShipmentItem(supplier_order_id=id, line_item_id="l1", quantity=1)
    request = shipment_service_pb2.BatchCreateShipmentsRequest(shipments=[shipment_pb2.Shipment(items=[item]) for _ in range(2)])
    return [parcel.id for parcel in (await clerk.shipments.BatchCreateShipments(request)).shipments]


async def test_what_has_nothing_shipped_or_nothing_open_is_not_completed(shared_market: Marketplace) -> None:
    await ready(shared_market.people.ada, "NONE", promise(), tape=1)
    await shared_market.people.ada.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id="NONE"))
    error = await refused(complete(shared_market, "NONE", request_id="n-1"))
    assert (error.reason, error.metadata["next"]) == ("CHANGE_REFUSED", "CancelOrder")
    assert [rule.reason for rule in error.rules] == ["NOTHING_SHIPPED"]
    assert (await refused(complete(shared_market, "NONE", request_id="n-1"))).reason == "CHANGE_REFUSED"
    whole = await shared_market.people.sam.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id="NONE"))
    assert (whole.order.status, whole.order.canceled.total) == (CANCELED, whole.order.total)
    assert (await refused(complete(shared_market, "NONE"))).reason == "ORDER_STATUS_CONFLICT"


async def test_only_the_seller_completes_an_order(shared_market: Marketplace) -> None:
    await half_shipped(shared_market, "MINE")
    request = order_service_pb2.CompleteOrderRequest(order_id="MINE")
    for client in (shared_market.people.ada, shared_market.people.clerks["wh-east"]):
        assert (await refused(client.orders.CompleteOrder(request))).reason == "PARTY_NOT_ADMITTED"
    stale = order_service_pb2.CompleteOrderRequest(order_id="MINE", etag="1")
    assert (await refused(shared_market.people.sam.orders.CompleteOrder(stale))).reason == "ETAG_MISMATCH"


async def test_two_who_complete_an_order_at_once_change_it_once(shared_market: Marketplace) -> None:
    await half_shipped(shared_market, "TWICE")
    answers = await asyncio.gather(*(complete(shared_market, "TWICE") for _ in range(2)), return_exceptions=True)
    reasons = {answer.reason for answer in answers if isinstance(answer, WaybillError)}
    assert reasons <= {"SUBMISSION_IN_PROGRESS", "ORDER_STATUS_CONFLICT", "CHANGE_REFUSED"}
    assert await until(shared_market.people.ada, "TWICE", COMPLETED)


@pytest.fixture
async def eager_market(tmp_path: Path, prepared: Prepared) -> AsyncIterator[Marketplace]:
    """One whose completer takes up at once what its coordinator has left."""
    soon = {"attempt_lease": 0.1, "completer_pause": 0.1}
    async with marketplace(tmp_path, prepared.database_url, secret=prepared.secret, order=soon) as made:
        yield made


async def dies(*_: Any) -> Any:
    """What a call of somebody who is gone looks like."""
    raise RuntimeError("gone")


@pytest.mark.on_sqlite
async def test_a_change_whose_coordinator_dies_before_the_decision_is_driven_to_its_end(
    eager_market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    await half_shipped(eager_market, "DIES")
    with monkeypatch.context() as patched:
        patched.setattr(SubmitOrder, "decide", dies)
        await refused(complete(eager_market, "DIES"))
        assert (await get(eager_market.people.ada, "DIES", OUTGOING)).status == OPEN
    assert await until(eager_market.people.ada, "DIES", COMPLETED)


async def test_a_change_that_cannot_be_applied_yet_is_answered_as_decided_and_is_driven_to_its_end(
    shared_market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    await half_shipped(shared_market, "FAILS")
    with monkeypatch.context() as patched:
        patched.setattr(FulfillmentClient, "apply_change", dies)
        answer = await complete(shared_market, "FAILS")
        assert (answer.status, answer.submission.outcome) == (OPEN, submission_pb2.SUBMISSION_OUTCOME_CHANGED)
    assert await until(shared_market.people.ada, "FAILS", COMPLETED)


async def test_a_change_that_nobody_decides_in_time_is_refused_and_everything_ships_on(
    market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    await half_shipped(market, "LATE")
    lost = ChangeOrder._tried

    async def too_late(self: ChangeOrder, attempt: Any) -> Any:
        await lost(self, attempt)
        self._clock = type("Later", (), {"now": lambda _: attempt.deadline})()  # type: ignore[assignment]
        return await lost(self, attempt)

    monkeypatch.setattr(ChangeOrder, "_tried", too_late)
    error = await refused(complete(market, "LATE"))
    assert [rule.reason for rule in error.rules] == ["CHANGE_TIMED_OUT"]
    await ship(market.people.clerks["wh-east"], "LATE-1", "l1", 2)
    assert (await get(market.people.ada, "LATE", OUTGOING)).status == COMPLETED
