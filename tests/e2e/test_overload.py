"""Callers that ask for too much, or go away in the middle."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import grpc
import pytest

from tests.chaos.steps import provide
from tests.e2e.steps import ready, until
from tests.support.fleet import fleet
from tests.support.marketplace import Marketplace, get, marketplace
from tests.support.prepared import Prepared
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import order_pb2, submission_pb2
from waybill.payment.v1 import payment_pb2
from waybill_client import WaybillError

LIMIT = 30
WHOLE = dict.fromkeys(("USER", "COMPANY", "SOURCE", "SHOPPERS"), "100")
ENVIRONMENT = {"WAYBILL_MAX_CALLS": str(LIMIT), **{f"WAYBILL_{one}_SHARE": share for one, share in WHOLE.items()}}
"""One user may have all the places there are."""


@pytest.mark.long
async def test_a_thousand_calls_at_once_are_served_or_refused_and_none_half_way(tmp_path: Path, cluster_database: str) -> None:
    async with fleet(cluster_database, tmp_path, environment=ENVIRONMENT) as running:
        people = await running.set_up()
        await provide(people.owner, people.ada)
        outcomes: Counter[str] = Counter()
        placed: list[str] = []

        async def place(number: int) -> None:
            try:
                order = await people.ada.place_order({"tongs": 1}, id=f"T{number}")
            except WaybillError as error:
                outcomes[f"{error.code.name} {error.reason} {'later' if error.retry_after_seconds else error.message}"] += 1
            else:
                outcomes["OK"] += 1
                assert order.submission.state == submission_pb2.SUBMISSION_STATE_ACCEPTED
                placed.append(order.id)

        await asyncio.gather(*(place(number) for number in range(1_000)))
        assert set(outcomes) == {"OK", "RESOURCE_EXHAUSTED TOO_MANY_CALLS later"}, outcomes
        # Every order needs ten calls between services: had those been counted, not one would have got through.
        assert outcomes["OK"] >= LIMIT
        assert sum(outcomes.values()) == 1_000
        assert (await people.ada.place_order({"lamp": 1}, id="AFTER")).status == order_pb2.ORDER_STATUS_OPEN
        for id in placed:
            assert (await get(people.ada, id)).status == order_pb2.ORDER_STATUS_OPEN
        await running.assert_consistent()
        await people.close()


async def test_a_client_that_goes_away_in_the_middle_of_a_submit_changes_nothing_about_its_end(
    tmp_path: Path, prepared: Prepared
) -> None:
    soon = {"attempt_lease": 0.1, "completer_pause": 0.05}
    async with marketplace(tmp_path, prepared.database_url, secret=prepared.secret, order=soon) as market:
        for place in ("order.submit.begun", "order.submit.tried", "order.submit.decided"):
            await _left_at(market, place)


async def _left_at(market: Marketplace, place: str) -> None:
    """The caller of a submit goes away when it has come to the place."""
    ada, id = market.people.ada, place.rpartition(".")[2].upper()
    await ready(ada, id, [payment_pb2.Payment(type="purchase_order", purchase_order_number="1")], tongs=1, lamp=1)
    reached, gone = asyncio.Event(), asyncio.Event()

    async def wait_until_gone() -> None:
        reached.set()
        await gone.wait()

    market.host.failpoints.arm(place, wait_until_gone)
    submitting = asyncio.create_task(ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=id, request_id=place)))
    await asyncio.wait_for(reached.wait(), 10)
    submitting.cancel()
    with pytest.raises((asyncio.CancelledError, grpc.aio.AioRpcError)):
        await submitting
    market.host.failpoints.disarm(place)
    gone.set()
    assert await until(ada, id, order_pb2.ORDER_STATUS_OPEN)
    async with asyncio.timeout(60):
        while not (order := await get(ada, id)).submission.finished:
            await asyncio.sleep(0.05)
    assert order.status == order_pb2.ORDER_STATUS_OPEN
    assert order.submission.attempt == 1
    again = await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=id, request_id=place))
    assert again.order.submission.attempt == 1
