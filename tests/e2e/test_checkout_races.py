"""Steps of one checkout that meet: what was acknowledged is not lost, and nothing is calculated from what is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct

from services.order.adapters.clients.payment import PaymentClient
from services.order.adapters.clients.pricing import PricingClient
from services.order.adapters.clients.shipping import ShippingClient
from services.order.application.records import Attempt
from services.order.application.submission.submit_order import SubmitOrder
from services.order.application.submission.try_submission import Tried
from services.order.domain.model import Order, Problem
from tests.e2e.steps import promise, ready
from tests.support.marketplace import Marketplace, create
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import order_pb2, order_service_pb2, worksheet_pb2
from waybill.payment.v1 import payment_pb2
from waybill_client import AsyncWaybill, WaybillError, money


@dataclass(slots=True)
class Pause:
    """A call that waits until it may go on; `reached` is set when it has come."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], Pause]:
    """Makes a method of an adapter wait, once, after its call was answered."""

    def patch(owner: Any, name: str) -> Pause:
        original, pause = getattr(owner, name), Pause()

        async def waiting(*args: Any) -> Any:
            answer = await original(*args)
            monkeypatch.setattr(owner, name, original)
            pause.reached.set()
            await pause.go_on.wait()
            return answer

        monkeypatch.setattr(owner, name, waiting)
        return pause

    return patch


@asynccontextmanager
async def held_up(pause: Pause, call: Any) -> AsyncIterator[asyncio.Task[Any]]:
    """The call, stopped at the pause; it goes on when the block ends."""
    task = asyncio.ensure_future(call)
    await pause.reached.wait()
    try:
        yield task
    finally:
        pause.go_on.set()


async def estimated(client: AsyncWaybill, id: str) -> worksheet_pb2.OrderWorksheet:
    """A checkout with two estimates, nothing selected."""
    await create(client, id, anvil=1, lamp=1)
    sheet = (await client.checkout.EstimateShipping(pb.EstimateShippingRequest(order_id=id))).worksheet
    assert len(sheet.ship_estimates) == 2
    return sheet


async def select(client: AsyncWaybill, id: str, method: str, *estimates: worksheet_pb2.WorksheetShipEstimate) -> None:
    chosen = [pb.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id=method) for e in estimates]
    await client.checkout.SelectShipMethods(pb.SelectShipMethodsRequest(order_id=id, selections=chosen))


async def sheet_of(client: AsyncWaybill, id: str) -> worksheet_pb2.OrderWorksheet:
    return (await client.checkout.GetWorksheet(pb.GetWorksheetRequest(order_id=id))).worksheet


def methods(sheet: worksheet_pb2.OrderWorksheet) -> list[str]:
    return [e.selected_ship_method_id for e in sheet.ship_estimates]


@pytest.mark.on_sqlite
async def test_selections_for_different_estimates_made_at_once_are_all_kept(shared_market: Marketplace) -> None:
    ada = shared_market.people.ada
    for n in range(5):
        sheet = await estimated(ada, f"AT-ONCE-{n}")
        await asyncio.gather(*(select(ada, f"AT-ONCE-{n}", "ground", e) for e in sheet.ship_estimates))
        assert methods(await sheet_of(ada, f"AT-ONCE-{n}")) == ["ground", "ground"]


async def test_a_calculation_that_a_selection_overtook_is_aborted_and_the_selection_stays(
    shared_market: Marketplace, paused: Callable[[Any, str], Pause]
) -> None:
    ada = shared_market.people.ada
    sheet = await estimated(ada, "TAKEN")
    await select(ada, "TAKEN", "ground", *sheet.ship_estimates)
    pause = paused(PricingClient, "calculate")
    async with held_up(pause, ada.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id="TAKEN"))) as calculation:
        await select(ada, "TAKEN", "two-day", sheet.ship_estimates[0])
    with pytest.raises(WaybillError) as refused:
        await calculation
    assert (refused.value.code, refused.value.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    after = await sheet_of(ada, "TAKEN")
    assert methods(after) == ["two-day", "ground"]
    assert not after.order.calculated
    again = await ada.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id="TAKEN"))
    assert again.worksheet.order.calculated
    assert methods(again.worksheet) == ["two-day", "ground"]


async def test_a_calculation_is_not_disturbed_by_what_it_does_not_depend_on(
    shared_market: Marketplace, paused: Callable[[Any, str], Pause]
) -> None:
    ada = shared_market.people.ada
    sheet = await estimated(ada, "CALM")
    await select(ada, "CALM", "ground", *sheet.ship_estimates)
    pause = paused(PricingClient, "calculate")
    async with held_up(pause, ada.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id="CALM"))) as calculation:
        await ada.orders.UpdateOrder(
            order_service_pb2.UpdateOrderRequest(order=order_pb2.Order(id="CALM", comments="ring twice"))
        )
        await ada.checkout.EstimateShipping(pb.EstimateShippingRequest(order_id="CALM"))
    done = (await calculation).worksheet
    assert (done.order.calculated, done.order.comments, methods(done)) == (True, "ring twice", ["ground", "ground"])


async def test_an_estimate_keeps_selections_that_were_made_while_it_was_worked_out(
    shared_market: Marketplace, paused: Callable[[Any, str], Pause]
) -> None:
    ada = shared_market.people.ada
    sheet = await estimated(ada, "KEPT-CHOICE")
    pause = paused(ShippingClient, "estimate")
    async with held_up(pause, ada.checkout.EstimateShipping(pb.EstimateShippingRequest(order_id="KEPT-CHOICE"))) as estimate:
        await select(ada, "KEPT-CHOICE", "ground", *sheet.ship_estimates)
    assert methods((await estimate).worksheet) == ["ground", "ground"]
    assert methods(await sheet_of(ada, "KEPT-CHOICE")) == ["ground", "ground"]


async def test_an_estimate_of_lines_that_changed_meanwhile_is_aborted(
    shared_market: Marketplace, paused: Callable[[Any, str], Pause]
) -> None:
    ada = shared_market.people.ada
    await estimated(ada, "EDITED")
    xp = Struct()
    xp.update({"gift": True})
    pause = paused(ShippingClient, "estimate")
    async with held_up(pause, ada.checkout.EstimateShipping(pb.EstimateShippingRequest(order_id="EDITED"))) as estimate:
        await ada.orders.UpdateOrder(order_service_pb2.UpdateOrderRequest(order=order_pb2.Order(id="EDITED", xp=xp)))
    with pytest.raises(WaybillError) as refused:
        await estimate
    assert (refused.value.reason, refused.value.metadata["etag"]) == ("ETAG_MISMATCH", "3")


async def test_a_payment_that_a_submit_overtakes_is_not_left_on_the_open_order(
    shared_market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = shared_market.people.ada
    sheet = await estimated(ada, "OVERTAKEN")
    await select(ada, "OVERTAKEN", "ground", *sheet.ship_estimates)
    await ada.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id="OVERTAKEN"))
    payment = payment_pb2.Payment(type="purchase_order")
    await ada.checkout.AddPayments(pb.AddPaymentsRequest(order_id="OVERTAKEN", payments=[payment]))
    original, pause = PaymentClient.create, Pause()

    async def waiting(*args: Any) -> Any:
        pause.reached.set()
        await pause.go_on.wait()
        return await original(*args)

    monkeypatch.setattr(PaymentClient, "create", waiting)
    payment = payment_pb2.Payment(type="purchase_order", amount=money("1", "USD"))
    adding = ada.checkout.AddPayments(pb.AddPaymentsRequest(order_id="OVERTAKEN", payments=[payment]))
    async with held_up(pause, adding) as late:
        await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="OVERTAKEN"))
    with pytest.raises(WaybillError) as refused:
        await late
    assert (refused.value.code, refused.value.reason) == (grpc.StatusCode.ABORTED, "SUBMISSION_IN_PROGRESS")
    assert refused.value.metadata == {"order": "OVERTAKEN", "attempt": "1"}
    listed = await ada.checkout.ListPayments(pb.ListPaymentsRequest(order_id="OVERTAKEN"))
    assert [p.state for p in listed.payments] == [payment_pb2.PAYMENT_STATE_CONFIRMED]


async def test_whose_attempt_was_refused_learns_so_though_a_later_one_has_succeeded(
    shared_market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, decide = shared_market.people.ada, SubmitOrder.decide
    await ready(ada, "AGAIN-LATER", promise(), anvil=1)
    later = pb.SubmitOrderRequest(order_id="AGAIN-LATER", request_id="again-second")

    async def overtaken(self: SubmitOrder, attempt: Attempt, tried: Tried) -> tuple[Attempt, Order]:
        # While it tried, the completer has given it up, and its caller has submitted once more.
        monkeypatch.setattr(SubmitOrder, "decide", decide)
        await decide(self, attempt, Tried((Problem("SUBMIT_TIMED_OUT", "order", "submission", "not decided in time"),)))
        assert (await ada.checkout.SubmitOrder(later)).order.submission.attempt == 2
        return await decide(self, attempt, tried)

    monkeypatch.setattr(SubmitOrder, "decide", overtaken)
    with pytest.raises(WaybillError) as refused:
        await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="AGAIN-LATER", request_id="again-first"))
    assert (refused.value.reason, refused.value.metadata["attempt"]) == ("SUBMIT_REFUSED", "1")
    order = (await sheet_of(ada, "AGAIN-LATER")).order
    assert (order.status, order.submission.attempt, order.submission.finished) == (order_pb2.ORDER_STATUS_OPEN, 2, True)
