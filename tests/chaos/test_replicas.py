"""Two replicas of every service on one PostgreSQL: the same story, and restarts that no caller notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rich.console import Console

from services.host.demo.narrator import Narrator
from services.host.demo.play import perform
from services.host.demo.stage import Stage
from tests.chaos import steps
from tests.chaos.watching import events_of
from tests.support.fleet import Fleet, fleet
from waybill.catalog.v1 import product_service_pb2
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill_client import AsyncWaybill, WaybillError

CLIENTS = 3


@pytest.fixture
async def twins(cluster_database: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    async with fleet(cluster_database, tmp_path, replicas=2) as running:
        yield running
        await running.assert_consistent()


async def test_the_demo_has_the_same_story_with_two_replicas_of_every_service(twins: Fleet) -> None:
    people = await twins.set_up()
    story = await perform(Stage(people, "", list(twins.addresses.values())), Narrator(Console(quiet=True), quiet=True))
    assert story["ok"]
    assert {name: story["order"][name] for name in ("subtotal", "shipping_cost", "tax", "total", "status")} == {
        "subtotal": "2846.30 USD",
        "shipping_cost": "388.46 USD",
        "tax": "206.37 USD",
        "total": "3441.13 USD",
        "status": "COMPLETED",
    }
    assert len(story["supplier_orders"]) == 4
    await people.close()


class Watcher:
    """Watches everything from the start, and resumes by itself whenever its stream ends.

    Without the client library's own resumption, which `watching.Watcher` goes through: how a stream ends is the promise here.
    """

    def __init__(self, client: AsyncWaybill) -> None:
        self._client = client
        self.seen: list[tuple[str, int]] = []
        self.resumed = 0
        self.failures: list[WaybillError] = []

    async def run(self) -> None:
        """Until it is canceled."""
        token = ""
        while True:
            request = order_service_pb2.WatchOrdersRequest(
                direction=order_pb2.DIRECTION_OUTGOING, from_start=not token, resume_token=token
            )
            try:
                async for message in self._client.orders.WatchOrders(request):
                    token = message.resume_token
                    if message.HasField("event"):
                        self.seen.append((message.event.order_id, message.event.sequence))
            except WaybillError as error:
                if error.code.name != "UNAVAILABLE":
                    self.failures.append(error)
                token = error.metadata.get("resume_token", token)
                self.resumed += 1


@pytest.mark.timeout(240)
async def test_a_rolling_restart_of_every_service_under_load_fails_no_call(twins: Fleet) -> None:
    people = await twins.set_up()
    await steps.provide(people.owner, people.ada)
    placed: list[str] = []
    failures: list[str] = []
    over = False

    async def load(number: int) -> None:
        count = 0
        while not over:
            count += 1
            id = f"r{number}-{count}"
            try:
                # One call each, without any repeat but those that the client library makes by itself.
                order = await steps.place(people.ada, id)
                await people.sam.products.ListProducts(product_service_pb2.ListProductsRequest(page_size=5))
                await steps.read(people.sam, id)
            except WaybillError as error:
                failures.append(f"{id}: {error}")
                continue
            assert order.status == order_pb2.ORDER_STATUS_OPEN
            placed.append(id)

    watcher = Watcher(people.ada)
    watching = asyncio.create_task(watcher.run())
    loads = [asyncio.create_task(load(number)) for number in range(CLIENTS)]
    restarted = 0
    for member in twins.members:
        assert await twins.stop(member) == 0, member.log.read_text()[-2_000:]
        await twins.start(member)
        restarted += 1
    over = True
    await asyncio.gather(*loads)
    assert failures == []
    assert restarted == 14
    assert len(placed) > 14, "the load did not run while processes were restarted"
    expected = await events_of(people.ada, placed)
    async with asyncio.timeout(30):
        while not expected <= set(watcher.seen):
            await asyncio.sleep(0.1)
    watching.cancel()
    assert watcher.failures == []
    assert watcher.resumed > 0, "no stream was ended"
    assert len(watcher.seen) == len(set(watcher.seen)), "heard twice"
    await people.close()
