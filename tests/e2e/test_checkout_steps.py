"""Every way through the steps of a checkout ends in an answer: submitted, or refused for reasons that validating names too."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import invalid
from services.host.sample.marketplace import CURRENCY
from services.order.adapters.clients.fulfillment import FulfillmentClient
from services.order.adapters.clients.payment import PaymentClient
from services.order.adapters.clients.pricing import PricingClient
from services.order.application.submission.legs import readiness
from tests.e2e.steps import promise, ready, refused
from tests.support.marketplace import Marketplace, create, get, lines
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import (
    line_item_pb2,
    line_item_service_pb2,
    order_pb2,
    order_service_pb2,
    submission_pb2,
    submission_service_pb2,
)
from waybill.payment.v1.payment_pb2 import Payment
from waybill_client import AsyncWaybill, WaybillError, money

Step = Callable[[AsyncWaybill, str], Awaitable[Any]]


async def override(client: AsyncWaybill, id: str) -> None:
    wanted = order_pb2.Order(id=id, shipping_cost_override=money("7", CURRENCY))
    mask = FieldMask(paths=["shipping_cost_override"])
    await client.orders.UpdateOrder(order_service_pb2.UpdateOrderRequest(order=wanted, update_mask=mask))


async def estimate(client: AsyncWaybill, id: str) -> None:
    await client.checkout.EstimateShipping(pb.EstimateShippingRequest(order_id=id))


async def select(client: AsyncWaybill, id: str) -> None:
    sheet = (await client.checkout.GetWorksheet(pb.GetWorksheetRequest(order_id=id))).worksheet
    chosen = [pb.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id="ground") for e in sheet.ship_estimates[:1]]
    await client.checkout.SelectShipMethods(pb.SelectShipMethodsRequest(order_id=id, selections=chosen))


async def edit(client: AsyncWaybill, id: str) -> None:
    more = line_item_pb2.LineItem(product_id="lamp", quantity=1)
    await client.line_items.AddLineItems(line_item_service_pb2.AddLineItemsRequest(order_id=id, line_items=[more]))


async def calculate(client: AsyncWaybill, id: str) -> None:
    await client.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id=id))


async def pay(client: AsyncWaybill, id: str) -> None:
    await client.checkout.AddPayments(pb.AddPaymentsRequest(order_id=id, payments=promise()))


STEPS: dict[str, Step] = {"override": override, "estimate": estimate, "select": select, "edit": edit}


def ways() -> list[tuple[str, ...]]:
    """Up to two steps in every order, and all four after an estimate."""
    short = [way for count in range(3) for way in itertools.permutations(STEPS, count)]
    long = [("estimate", *rest) for rest in itertools.permutations(("override", "select", "edit"))]
    return [*short, *long]


async def answered(call: Awaitable[Any]) -> set[str]:
    """The reasons of a refusal, none when there was none; anything else than an answer fails."""
    try:
        await call
    except WaybillError as error:
        assert error.reason != "INTERNAL", error
        return {rule.reason for rule in error.rules} or {error.reason}
    return set()


async def walked(client: AsyncWaybill, id: str, way: tuple[str, ...], stale: bool) -> tuple[set[str], set[str]]:
    """What validating and submitting say at the end of a way."""
    order = order_pb2.Order(id=id, from_party={"id": "acme"}, from_user={"id": "ada"})
    await client.orders.CreateOrder(order_service_pb2.CreateOrderRequest(order=order, line_items=lines(anvil=1, lamp=1)))
    for name in way:
        await answered(STEPS[name](client, id))
    await answered(calculate(client, id))
    await answered(pay(client, id))
    if stale:
        await edit(client, id)
    validated = await client.checkout.ValidateOrder(pb.ValidateOrderRequest(order_id=id))
    reasons = {reason.reason for reason in validated.reasons}
    return reasons, await answered(client.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=id)))


async def test_what_is_calculated_can_be_validated_and_submitted_whatever_came_before(sqlite_market: Marketplace) -> None:
    owner = sqlite_market.people.owner
    cases = [(way, stale) for way in ways() for stale in ((False, True) if len(way) < 3 else (False,))]
    found = {}
    for start in range(0, len(cases), 8):
        some = cases[start : start + 8]
        done = await asyncio.gather(*(walked(owner, f"W-{start + n}", *case) for n, case in enumerate(some)))
        found |= dict(zip(some, done, strict=True))
    for case, (validated, submitted) in found.items():
        assert validated == submitted, case
        assert "SUBMIT_FAILED" not in submitted, case
    for n in range(len(cases)):
        order = await get(owner, f"W-{n}")
        assert order.submission.state != submission_pb2.SUBMISSION_STATE_TRYING
        assert order.submission.finished
    assert found[("override", "estimate"), False] == (set(), set())
    assert found[("estimate", "override"), False] == ({"SHIP_ESTIMATE_STALE"}, {"SHIP_ESTIMATE_STALE"})
    assert found[("override",), False] == (set(), set())
    placed = order_pb2.Order(id="PLACED", from_party={"id": "acme"}, from_user={"id": "ada"}, tax_override=money("1", CURRENCY))
    placed.shipping_cost_override.CopyFrom(money("7", CURRENCY))
    answer = await owner.checkout.PlaceOrder(pb.PlaceOrderRequest(order=placed, line_items=lines(tarp=1), payments=promise()))
    assert answer.order.status == order_pb2.ORDER_STATUS_OPEN


async def test_payments_are_added_and_changed_before_the_calculation_and_judged_after_it(
    shared_sqlite_market: Marketplace,
) -> None:
    checkout = shared_sqlite_market.people.ada.checkout
    await create(shared_sqlite_market.people.ada, "HASTY", tape=1)
    early = Payment(id="HASTY", type="purchase_order", amount=money("88888", CURRENCY))
    request = pb.AddPaymentsRequest(order_id="HASTY", payments=[early], request_id="hasty")
    added = await checkout.AddPayments(request)
    more = Payment(id="HASTY", amount=money("99999", CURRENCY))
    changed = (await checkout.UpdatePayment(pb.UpdatePaymentRequest(order_id="HASTY", payment=more))).payment
    assert (changed.amount, changed.HasField("resolved_amount")) == (more.amount, False)
    check = pb.ValidateOrderRequest(order_id="HASTY")
    assert "ORDER_NOT_CALCULATED" in {r.reason for r in (await checkout.ValidateOrder(check)).reasons}
    await estimate(shared_sqlite_market.people.ada, "HASTY")
    await calculate(shared_sqlite_market.people.ada, "HASTY")
    assert "PAYMENT_EXCEEDS_TOTAL" in {r.reason for r in (await checkout.ValidateOrder(check)).reasons}
    again = await checkout.AddPayments(request)
    assert [p.id for p in again.payments] == [p.id for p in added.payments] == ["HASTY"]
    late = await refused(checkout.UpdatePayment(pb.UpdatePaymentRequest(order_id="HASTY", payment=more)))
    assert late.reason == "PAYMENT_EXCEEDS_TOTAL"


async def test_an_error_of_our_own_while_a_submit_is_judged_refuses_the_attempt_too(
    shared_sqlite_market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise invalid("secret", "FIELD_INVALID", "no caller sent it")

    ada = shared_sqlite_market.people.ada
    await ready(ada, "TYPED", promise(), anvil=1)
    with monkeypatch.context() as patched:
        patched.setattr(readiness, "objections", broken)
        error = await refused(ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="TYPED")))
    assert (error.reason, [rule.reason for rule in error.rules]) == ("SUBMIT_REFUSED", ["SUBMIT_FAILED"])
    again = await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="TYPED"))
    assert again.order.status == order_pb2.ORDER_STATUS_OPEN


async def test_a_step_that_raises_refuses_the_attempt_and_leaves_nothing_behind(
    shared_sqlite_market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise KeyError("secret")

    ada = shared_sqlite_market.people.ada
    steps = ((PricingClient, "check_quote"), (FulfillmentClient, "reserve"), (PaymentClient, "reserve"))
    for client, step in steps:
        id = f"LEFT-{client.__name__}"
        await ready(ada, id, promise(), anvil=1)
        with monkeypatch.context() as patched:
            patched.setattr(client, step, broken)
            error = await refused(ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=id)))
        assert (error.reason, [rule.reason for rule in error.rules]) == ("SUBMIT_REFUSED", ["SUBMIT_FAILED"])
        assert "secret" not in str(error)
        order = await get(ada, id)
        assert (order.submission.state, order.submission.finished) == (submission_pb2.SUBMISSION_STATE_REFUSED, True)
        answer = await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=id))
        assert answer.order.status == order_pb2.ORDER_STATUS_OPEN


async def test_what_a_confirm_fails_by_is_not_answered_as_a_refusal_and_is_driven_on(
    market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise KeyError("secret")

    ada, operator = market.people.ada, market.people.owner.submissions
    await ready(ada, "SOLD", promise(), anvil=1)
    with monkeypatch.context() as patched:
        patched.setattr(FulfillmentClient, "confirm", broken)
        answer = await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="SOLD"))
        assert (answer.order.status, answer.order.submission.finished) == (order_pb2.ORDER_STATUS_OPEN, False)
        (left,) = (await operator.ListSubmissions(submission_service_pb2.ListSubmissionsRequest())).submissions
        assert (left.failures > 0, left.failure) == (True, "KeyError")
    driven = await operator.DriveSubmission(submission_service_pb2.DriveSubmissionRequest(order_id="SOLD"))
    assert (driven.submission.submission.finished, driven.submission.failures) == (True, 0)
