"""A client that watches every change of its orders while servers die, and the judgement over what it heard.

Feed and history are two ways to the same events: what the one has sent must be what the other lists, each once, and those
of an order in their order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from tests.chaos import steps
from tests.chaos.steps import until_answered
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill_client import AsyncWaybill, WaybillError

Heard = tuple[str, int]
"""An order and the sequence of one of its events."""


@dataclass(slots=True)
class Watcher:
    """Watches from the start, through the client library, which goes on by itself where a stream ended."""

    client: AsyncWaybill
    heard: list[Heard] = field(default_factory=list)
    broken: str = ""
    """Why it could not go on, if so."""

    async def run(self) -> None:
        """Until it is canceled."""
        request = order_service_pb2.WatchOrdersRequest(direction=order_pb2.DIRECTION_OUTGOING, from_start=True)
        try:
            async for message in self.client.watch_orders(request):
                if message.HasField("event"):
                    self.heard.append((message.event.order_id, message.event.sequence))
        except WaybillError as error:
            self.broken = str(error)

    async def caught_up(self, events: set[Heard]) -> None:
        """Once it has heard all of these, or has had time for it."""
        with suppress(TimeoutError):
            async with steps.patience():
                while not self.broken and not events <= set(self.heard):
                    await steps.moment()

    def missed(self, events: set[Heard]) -> list[str]:
        """What there is and it has not heard."""
        missing = [f"{id} {sequence}: the watcher has not heard it" for id, sequence in sorted(events - set(self.heard))]
        return [f"the watcher broke: {self.broken}", *missing] if self.broken else missing

    def made_up(self, events: set[Heard]) -> list[str]:
        """What it has heard and there is not."""
        return [f"{id} {sequence}: the watcher heard it, no history has it" for id, sequence in sorted(set(self.heard) - events)]

    def heard_wrongly(self) -> list[str]:
        """What it heard more than once, or after a later event of the same order."""
        twice = [f"{id} {sequence}: the watcher heard it {n} times" for (id, sequence), n in Counter(self.heard).items() if n > 1]
        newest: dict[str, int] = {}
        late: list[str] = []
        for id, sequence in self.heard:
            if sequence < newest.get(id, 0):
                late.append(f"{id} {sequence}: the watcher heard it after {newest[id]}")
            newest[id] = max(sequence, newest.get(id, 0))
        return twice + late


async def events_of(client: AsyncWaybill, orders: Iterable[str]) -> set[Heard]:
    """Every event of these orders, by their histories, which have no gap. Orders that there are not have none."""
    found: set[Heard] = set()
    for id in orders:
        try:
            sequences = await _history(client, id)
        except WaybillError as error:
            if error.code.name != "NOT_FOUND":
                raise
            continue
        assert sequences == list(range(1, len(sequences) + 1)), id
        found |= {(id, sequence) for sequence in sequences}
    return found


async def _history(client: AsyncWaybill, id: str) -> list[int]:
    request = order_service_pb2.ListOrderHistoryRequest(order_id=id, direction=order_pb2.DIRECTION_OUTGOING, page_size=100)
    sequences: list[int] = []
    while True:
        page = await until_answered(lambda: client.orders.ListOrderHistory(request))
        sequences += [event.sequence for event in page.events]
        request.page_token = page.next_page_token
        if not request.page_token:
            return sequences
