"""After a restore: lets the marketplace come to terms with a world that went on, before its books are proven.

Nothing is driven from here. Every service takes up what it finds unfinished in its database: the order service submits
and cancels, fulfillment its reports and reservations, payment everything that a gateway has not answered, by the keys that
the gateway knows. This waits for them, and says what is left.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console

from waybill.audit.v1 import audit_service_pb2 as pb
from waybill_client import AsyncWaybill

PAUSE = 1.0
"""Seconds between two looks."""
UNFINISHED = {
    ("order", "attempt"): "submits that are not at their end",
    ("order", "cancellation"): "cancels that are not at their end",
    ("pricing", "attempt"): "redemptions reserved",
    ("payment", "payment_attempt"): "payments reserved",
    ("payment", "pending"): "operations that a gateway has not answered",
    ("fulfillment", "stock_attempt"): "stock reserved",
    ("fulfillment", "unreported"): "reports that the order service has not acknowledged",
}
"""Kinds of facts that tell of work under way."""


def outstanding(facts: Sequence[pb.Fact]) -> Mapping[str, int]:
    """How much of each kind is under way."""
    found: Counter[str] = Counter()
    for fact in facts:
        what = UNFINISHED.get((fact.context, fact.kind))
        if what is not None and fact.values.get("finished", "0") == "0":
            found[what] += 1
    return dict(found)


async def reconcile(
    client: AsyncWaybill, servers: Sequence[str], patience: float, tell: Callable[[Mapping[str, int]], None]
) -> Mapping[str, int]:
    """Waits until nothing is under way, at most `patience` seconds; returns what still is."""
    clients = [client.at(server) for server in servers] or [client]
    loop = asyncio.get_running_loop()
    until = loop.time() + patience
    while True:
        facts = [
            record.fact
            for one in clients
            async for record in one.audit.Audit(pb.AuditRequest())
            if record.WhichOneof("record") == "fact"
        ]
        left = outstanding(facts)
        tell(left)
        if not left or loop.time() > until:
            return left
        await asyncio.sleep(PAUSE)


async def reconciled(client: AsyncWaybill, servers: Sequence[str], patience: float, out: Console) -> bool:
    """The same, told to people. Whether nothing is left under way."""
    last: Mapping[str, int] | None = None

    def tell(left: Mapping[str, int]) -> None:
        nonlocal last
        if left != last:
            what = ", ".join(f"{count} {name}" for name, count in left.items())
            out.print(f"under way: {what}" if what else "nothing is under way", highlight=False, soft_wrap=True)
            last = left

    left = await reconcile(client, servers, patience, tell)
    if left:
        out.print(f"still under way after {patience:g} seconds", style="red", highlight=False)
    return not left
