"""Reports of fulfillment and events of the feed may come more than once and in any order: the end is the same."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.chaos.reports import History, Orders, histories, order_service, renamed
from tests.chaos.seeds import fresh_seed, rounds
from tests.support.marketplace import OUTGOING, Marketplace, marketplace
from waybill.order.v1 import order_service_pb2

pytestmark = pytest.mark.timeout(1_800)
Request = order_service_pb2.WatchOrdersRequest


class Deliveries:
    """A loop of its own, so that hypothesis can ask it step by step."""

    def __init__(self, runner: asyncio.Runner, orders: Orders, recorded: list[History]) -> None:
        self.runner, self.orders, self.recorded = runner, orders, recorded
        self._numbers = itertools.count(1)
        self._in_order: dict[str, dict[str, Any]] = {}

    def of(self, history: History, batches: list[list[int]]) -> dict[str, Any]:
        """What an order shows after these states were delivered, some together, and then the last ones once."""
        return self.runner.run(self._deliver(history, batches))

    async def _deliver(self, history: History, batches: list[list[int]]) -> dict[str, Any]:
        id = f"{history.name}{next(self._numbers)}"
        key = await self.orders.opened(id)
        states = renamed(history.states, key, history.name, id)
        for batch in batches:
            await self.orders.deliver(*(states[n] for n in batch))
        await self.orders.deliver(*{state.key: state for state in states}.values())
        return await self.orders.shows(id)

    def in_order(self, history: History) -> dict[str, Any]:
        """The same after each state came once, in the order in which they came to be."""
        if history.name not in self._in_order:
            self._in_order[history.name] = self.of(history, [[n] for n in range(len(history.states))])
        return self._in_order[history.name]


@pytest.fixture
def deliveries(database_url: str, tmp_path: Path) -> Iterator[Deliveries]:
    with asyncio.Runner() as runner:
        recorded = runner.run(histories(tmp_path))
        context = order_service(database_url or f"sqlite:///{tmp_path / 'order.sqlite3'}")
        orders = runner.run(context.__aenter__())
        yield Deliveries(runner, orders, recorded)
        runner.run(context.__aexit__(None, None, None))


def test_reports_delivered_any_number_of_times_in_any_order_end_in_the_same_state(deliveries: Deliveries) -> None:
    @seed(fresh_seed("reordering"))
    @settings(
        max_examples=rounds("WAYBILL_CHAOS_DELIVERIES", 40),
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def any_order(data: st.DataObject) -> None:
        history = deliveries.recorded[data.draw(st.sampled_from(range(len(deliveries.recorded))), label="history")]
        states = st.integers(0, len(history.states) - 1)
        batches = data.draw(st.lists(st.lists(states, min_size=1, max_size=4), max_size=12), label="deliveries")
        assert deliveries.of(history, batches) == deliveries.in_order(history)

    any_order()


def test_the_histories_end_as_they_were_written(deliveries: Deliveries) -> None:
    ends = {h.name: deliveries.in_order(h) for h in deliveries.recorded}
    assert {name: end["status"].removeprefix("ORDER_STATUS_") for name, end in ends.items()} == {
        "PARTS": "COMPLETED",
        "REJECTED": "COMPLETED",
        "CANCELED": "CANCELED",
        "LATE": "OPEN",
    }
    assert ends["LATE"]["lines"] == {"l1": (5, 5, 0, 0), "l2": (3, 1, 0, 2)}
    assert ends["CANCELED"]["lines"] == {"l1": (5, 0, 5, 0), "l2": (3, 0, 3, 0)}
    assert all(end["forwarded"] for end in ends.values())


async def test_a_consumer_that_goes_on_from_any_earlier_token_has_each_event_once(tmp_path: Path, database_url: str) -> None:
    chance = random.Random(fresh_seed("watch"))
    async with marketplace(tmp_path, database_url, rests=True) as market:
        for n in range(4):
            await market.people.ada.place_order({"tape": n + 1, "anvil": 1}, id=f"W{n}")
        heard = await _read(market, Request(direction=OUTGOING, from_start=True), 16)
        assert len(heard) == 16
        # A token holds the time when it was given, so the same event has another the next time: its place is the event's.
        places = {(m.event.order_key, m.event.sequence): n for n, m in enumerate(heard, 1)}
        tokens, kept = [("", 0)], {}
        while len(kept) < len(heard):
            token, read = chance.choice([tokens[-1], chance.choice(tokens)])
            request = Request(direction=OUTGOING, from_start=not token, resume_token=token)
            for message in await _read(market, request, min(len(heard) - read, chance.randint(1, 5))):
                key = message.event.order_key, message.event.sequence
                tokens.append((message.resume_token, places[key]))
                kept.setdefault(key, message.event)
        assert _by_order(kept.values()) == _by_order(m.event for m in heard)


def _by_order(events: Iterable[Any]) -> dict[str, list[tuple[int, str]]]:
    """Of each order, as a consumer that applies them in their sequence sees them."""
    found: dict[str, list[tuple[int, str]]] = {}
    for event in events:
        found.setdefault(event.order_id, []).append((event.sequence, event.type))
    assert all([s for s, _ in seen] == list(range(1, len(seen) + 1)) for seen in found.values())
    return found


async def _read(market: Marketplace, request: Any, count: int) -> list[Any]:
    found: list[Any] = []
    async with asyncio.timeout(30):
        async for message in market.people.ada.orders.WatchOrders(request):
            found += [message] if message.HasField("event") else []
            if len(found) == count:
                break
    return found
