"""Plays PO9123: starts a server on a free port, and everyone does their part with their own token."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console

from libs.clock import ShiftedClock
from libs.sealing import new_key
from services.host.check import check
from services.host.demo import checkout, fulfil
from services.host.demo.checkout import ORDER
from services.host.demo.narrator import Narrator
from services.host.demo.stage import Stage, checked
from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from services.host.remote.servers import Servers
from services.host.sample.marketplace import CURRENCY, SUPPLIERS, set_up
from services.host.sample.parties import People, sign_in
from waybill.fulfillment.v1 import supplier_order_pb2
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill.payment.v1 import ledger_service_pb2, payment_service_pb2
from waybill_client import AsyncWaybill, money, text
from waybill_client.money import decimal

STATUS = "ORDER_STATUS_"
EXPECTED_SUPPLIER_ORDERS = 4


Story = Callable[[Stage, Narrator], Awaitable[dict[str, Any]]]
"""Plays in a marketplace that is set up; what it returns is the story as data, whose `ok` says whether all went as it should."""


async def play(console: Console, as_json: bool, story: Story | None = None) -> int:
    """In a marketplace of its own, PO9123 unless another is named. 0 when all went as it should and every invariant holds."""
    narrator = Narrator(console, quiet=as_json)
    clock = ShiftedClock()

    async def advance(by: timedelta) -> None:
        clock.advance(by)

    with tempfile.TemporaryDirectory(prefix="waybill-demo-") as folder:
        async with running(HostSettings(data=Path(folder), sealing_key=new_key()), clock) as host:
            if host.secret is None:
                raise RuntimeError("the demo needs an empty folder")
            narrator.chapter("A marketplace")
            narrator.line("waybill", f"seven services on {host.address}, one SQLite file each")
            owner = AsyncWaybill(host.address, host.secret.client_id, host.secret.client_secret)
            made = await _from_empty(owner, host.address, {}, narrator, (), story or perform, advance)
    return _shown(console, as_json, made)


async def play_at(
    console: Console, as_json: bool, servers: Servers, client_id: str, client_secret: str, story: Story | None = None
) -> int:
    """The same in an empty marketplace that is being served. Raises `WaybillError` when it is not empty."""
    narrator = Narrator(console, quiet=as_json)
    narrator.chapter("A marketplace")
    narrator.line("waybill", f"seven services on {', '.join(servers.every)}")
    owner = await AsyncWaybill.connect(servers.default, client_id, client_secret, addresses=servers.contexts)
    made = await _from_empty(owner, servers.default, servers.contexts, narrator, servers.every, story or perform)
    return _shown(console, as_json, made)


async def _from_empty(
    owner: AsyncWaybill,
    address: str,
    addresses: Mapping[str, str],
    narrator: Narrator,
    servers: Sequence[str],
    story: Story,
    advance: Callable[[timedelta], Awaitable[None]] | None = None,
) -> dict[str, Any]:
    await set_up(owner)
    narrator.line("seller owner", "two dropship suppliers, two warehouses, two buyers, six products, four ways to ship")
    people = await sign_in(address, owner, addresses)
    try:
        return await story(Stage(people, address, servers, advance), narrator)
    finally:
        await people.close()


def _shown(console: Console, as_json: bool, story: dict[str, Any]) -> int:
    if as_json:
        console.print_json(json.dumps(story))
    return 0 if story["ok"] else 1


async def perform(stage: Stage, narrator: Narrator) -> dict[str, Any]:
    """The whole story of PO9123; returns it as data."""
    people, servers = stage.people, stage.servers
    watched: list[dict[str, Any]] = []
    begun = asyncio.Event()
    watching = asyncio.create_task(_watch(people.ada, watched, begun))
    # The first checkpoint says from where on the stream leaves nothing out.
    await asyncio.wait_for(begun.wait(), 10)
    try:
        narrator.chapter("The cart")
        reasons = await checkout.build(people, narrator)
        unsubmitted = await fulfil.views(people)
        others = [v["who"] for v in unsubmitted if v["reads"]]
        narrator.line("waybill", f"the unsubmitted order is visible to: {', '.join(others)}; to nobody else")
        narrator.chapter("Shipping and amounts")
        await checkout.ship_and_price(people, narrator)
        narrator.chapter("Payment and submit")
        order = await checkout.pay_and_submit(people, narrator)
        views = await fulfil.views(people)
        narrator.chapter("Who sees what")
        narrator.table(
            ("who", "incoming", "outgoing", f"may read {ORDER}"),
            [
                (v["who"], " ".join(v["incoming"]) or "-", " ".join(v["outgoing"]) or "-", "yes" if v["reads"] else "no")
                for v in views
            ],
        )
        narrator.chapter("Suppliers ship")
        shipments = await fulfil.fulfil(people, narrator)
        await _capture(people, narrator)
        tree = await people.sam.orders.GetOrderTree(order_service_pb2.GetOrderTreeRequest(order_id=ORDER))
        await _settled(watched)
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    return await _close(people, narrator, order, tree, reasons, views, shipments, watched, servers)


async def _watch(ada: AsyncWaybill, watched: list[dict[str, Any]], begun: asyncio.Event) -> None:
    request = order_service_pb2.WatchOrdersRequest(direction=fulfil.direction("OUTGOING"))
    async for message in ada.orders.WatchOrders(request):
        begun.set()
        if message.HasField("event"):
            e = message.event
            watched.append(
                {
                    "sequence": e.sequence,
                    "type": e.type,
                    "status": order_pb2.OrderStatus.Name(e.status).removeprefix(STATUS),
                    "time": e.event_time.ToJsonString(),
                }
            )


async def _settled(watched: list[dict[str, Any]]) -> None:
    """Until the stream has shown the end, at most ten seconds."""
    for _ in range(100):
        if watched and watched[-1]["type"] == "order_completed":
            return
        await asyncio.sleep(0.1)


async def _capture(people: People, narrator: Narrator) -> None:
    answer = await people.sam.payments.CapturePayment(
        payment_service_pb2.CapturePaymentRequest(payment_id="pay-card", request_id="demo-capture")
    )
    narrator.line("seller sam", f"captures {text(answer.payment.captured_amount)} from the card: everything has shipped")


# Long because it plays the end of the story in the order of its events.
async def _close(
    people: People,
    narrator: Narrator,
    order: order_pb2.Order,
    tree: Any,
    reasons: Any,
    views: Any,
    shipments: Any,
    watched: list[dict[str, Any]],
    servers: Sequence[str],
) -> dict[str, Any]:
    status = order_pb2.OrderStatus.Name(tree.order.status).removeprefix(STATUS)
    narrator.chapter("The order, and everything below it")
    narrator.tree(
        f"[bold]{ORDER}[/bold] {status} {text(tree.order.total)}",
        [
            (
                f"{s.id}  {SUPPLIERS[s.supplier_id]}  {text(s.total)}  [dim]{_supplier_status(s.status)}[/dim]",
                [f"{x['id']}  {x['units']}  [dim]{x['tracking']}[/dim]" for x in shipments if x["supplier_order"] == s.id],
            )
            for s in tree.supplier_orders
        ],
    )
    children = sum((decimal(s.total) for s in tree.supplier_orders), Decimal(0))
    exact = children == decimal(tree.order.total)
    narrator.line(
        "waybill", f"the supplier orders add up to {text(money(children, CURRENCY))}: {'exact' if exact else 'NOT THE TOTAL'}"
    )
    payments = await checkout.payments_of(people)
    narrator.chapter("Money")
    narrator.table(
        ("payment", "type", "amount", "state", "transactions"),
        [(p["id"], p["type"], p["amount"], p["state"], " ".join(p["transactions"])) for p in payments],
        right=(2,),
    )
    ledger = await _ledger(people.owner)
    narrator.table(
        ("movement", "account", "gains", "for"),
        [(e["transaction"], e["account"], e["amount"], e["description"]) for e in ledger],
        right=(2,),
    )
    narrator.chapter("What ada's stream showed her meanwhile")
    narrator.table(
        ("#", "event", "status", "at"),
        [(str(w["sequence"]), w["type"], w["status"], w["time"][11:23]) for w in watched],
        right=(0,),
    )
    gap_free = [w["sequence"] for w in watched] == list(range(1, len(watched) + 1))
    report = await check(people.owner, servers)
    ok = status == "COMPLETED" and len(tree.supplier_orders) == EXPECTED_SUPPLIER_ORDERS and exact and gap_free and report.ok
    found = checked(report, narrator)
    narrator.end(
        f"[bold]{ORDER} {status.capitalize()}[/bold], {len(tree.supplier_orders)} supplier orders, {text(tree.order.total)}"
    )
    o = tree.order
    return {
        "ok": ok,
        "order": {
            "id": o.id,
            "status": status,
            "subtotal": text(o.subtotal),
            "discount": text(o.discount),
            "shipping_cost": text(o.shipping_cost),
            "tax": text(o.tax),
            "total": text(o.total),
            "attempt": order.submission.attempt,
        },
        "refused_first_for": reasons,
        "supplier_orders": [
            {"id": s.id, "supplier": s.supplier_id, "status": _supplier_status(s.status), "total": text(s.total)}
            for s in tree.supplier_orders
        ],
        "views": views,
        "shipments": shipments,
        "payments": payments,
        "ledger": ledger,
        "watched": watched,
        "check": found,
    }


def _supplier_status(value: supplier_order_pb2.SupplierOrderStatus.ValueType) -> str:
    return supplier_order_pb2.SupplierOrderStatus.Name(value).removeprefix("SUPPLIER_ORDER_STATUS_")


async def _ledger(owner: AsyncWaybill) -> list[dict[str, str]]:
    answer = await owner.ledger.ListLedgerEntries(ledger_service_pb2.ListLedgerEntriesRequest(page_size=100))
    return [
        {"transaction": e.transaction_id, "account": e.account, "amount": text(e.amount), "description": e.description}
        for e in answer.entries
    ]
