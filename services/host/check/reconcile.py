"""After a restore: lets the marketplace come to terms with a world that went on, before its books are proven.

Every service takes up what it finds unfinished in its database: the order service submits, cancels and holds, fulfillment
its reports and reservations, payment its alerts and everything that a gateway has not answered, by the keys that the gateway
knows. This waits for them, and says what is left. Only what is parked has to be driven: it is retried, once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from rich.console import Console

from services.host.check.parked import KIND, Parked
from services.host.check.subjects import Kind, Subject, in_words
from services.host.operate.outbox import retry
from services.host.remote.session import Operator
from waybill.inspection.v1 import inspection_service_pb2 as pb
from waybill.operations.v1 import outbox_service_pb2
from waybill_client import AsyncWaybill, WaybillError

PAUSE = 1.0
"""Seconds between two looks."""


def parked(facts: Sequence[pb.Fact]) -> list[Parked]:
    """What waits for an operator."""
    found = {one.entry: one for one in (Parked.of(f.context, f.values) for f in facts if f.kind == KIND)}
    return [found[entry] for entry in sorted(found)]


async def reconcile(
    client: AsyncWaybill,
    servers: Sequence[str],
    patience: float,
    progress: Callable[[Mapping[Kind, int]], None],
    again: Callable[[Operator, Sequence[Parked]], Awaitable[None]] | None = None,
) -> Mapping[Kind, int]:
    """Waits until nothing is under way, at most `patience` seconds; returns what still is.

    `again` has what is parked at the first look, and may retry it.
    """
    clients = [client.at(server) for server in servers] or [client]
    loop = asyncio.get_running_loop()
    until = loop.time() + patience
    facts = await _facts(clients)
    if again is not None and (waiting := parked(facts)):
        await again(Operator(clients), waiting)
        facts = await _facts(clients)
    while True:
        # All orders as one: here it does not matter whose work it is.
        left = Subject.of("", facts).unfinished
        progress(left)
        if not left or loop.time() > until:
            return left
        await asyncio.sleep(PAUSE)
        facts = await _facts(clients)


async def _facts(clients: Sequence[AsyncWaybill]) -> list[pb.Fact]:
    return [
        record.fact
        for one in clients
        async for record in one.inspection.Inspect(pb.InspectRequest())
        if record.WhichOneof("record") == "fact"
    ]


async def reconciled(client: AsyncWaybill, servers: Sequence[str], patience: float, out: Console) -> bool:
    """The same, shown to people. Whether nothing is left under way."""
    last: Mapping[Kind, int] | None = None

    def progress(left: Mapping[Kind, int]) -> None:
        nonlocal last
        if left != last:
            what = f"under way: {in_words(left)}" if left else "nothing is under way"
            out.print(what, highlight=False, soft_wrap=True)
            last = left

    async def again(at: Operator, waiting: Sequence[Parked]) -> None:
        out.print(f"parked: {len(waiting)} outbox entries, retried now", highlight=False, soft_wrap=True)
        for one in waiting:
            request = outbox_service_pb2.RetryOutboxEntryRequest(context=one.context, kind=one.kind, id=one.id)
            try:
                await retry(at, request)
            except WaybillError as error:
                if error.code.name == "NOT_FOUND":
                    continue  # It has gone out meanwhile.
                out.print(f"not retried: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
                if error.code.name == "PERMISSION_DENIED":
                    break

    left = await reconcile(client, servers, patience, progress, again)
    if left:
        out.print(f"still under way after {patience:g} seconds", style="red", highlight=False)
    return not left
