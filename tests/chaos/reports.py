"""Histories of fulfillment as its reports state them, taken from a real fulfillment service; and an order service to
deliver them to, any number of times in any order."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from libs.db import Database
from libs.db.migrate import open_migrated
from libs.invariants import Finding
from services.order.adapters.db.work import SqlOrderWork
from services.order.application.limits import DEFAULT_ATTEMPTS
from services.order.application.records import Attempt
from services.order.domain.checkout.worksheet import Worksheet
from services.order.domain.model import Event, OrderUser, Submission
from services.order.domain.status import OrderStatus
from services.order.main import VERSIONS, build
from services.order.settings import Settings
from tests.integration.fulfillment.world import World, fulfillment, line
from tests.support.principals import seller
from tests.support.server import Served, runtime_for, serving
from tests.unit.order import builders
from waybill.fulfillment.v1 import order_fulfillment_service_pb2 as order_pb
from waybill.fulfillment.v1 import order_fulfillment_service_pb2_grpc as so_grpc
from waybill.fulfillment.v1 import reservation_service_pb2 as res
from waybill.fulfillment.v1 import supplier_order_service_pb2 as so_service
from waybill.fulfillment.v1.shipment_pb2 import Shipment
from waybill.fulfillment.v1.supplier_order_pb2 import SupplierOrder
from waybill.order.v1 import fulfillment_report_service_pb2 as pb
from waybill.order.v1 import fulfillment_report_service_pb2_grpc as pb_grpc
from waybill.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc

ORDERED = {"l1": 5, "l2": 3}
BUYER = "anna"
"""Whose orders fulfillment's world makes."""
State = SupplierOrder | Shipment


@dataclass(slots=True)
class History:
    """Every state that one order's supplier orders and shipments went through, oldest first."""

    name: str
    order_key: str
    states: list[State] = field(default_factory=list, repr=False)

    @property
    def last(self) -> list[State]:
        """The newest state of each."""
        return list({state.key: state for state in self.states}.values())


async def _snapshot(world: World, history: History) -> None:
    stub: Any = world.served.service_stub(so_grpc.OrderFulfillmentServiceStub, "order", seller())
    answer = await stub.BatchGetOrderFulfillment(order_pb.BatchGetOrderFulfillmentRequest(order_keys=[history.order_key]))
    seen = {(state.key, state.version) for state in history.states}
    history.states += [s for s in (*answer.supplier_orders, *answer.shipments) if (s.key, s.version) not in seen]


async def _ships_in_parts(world: World, id: str) -> AsyncIterator[None]:
    packed = await world.ship(items=[(f"{id}-1", "l1", 2)], at=None)
    yield
    await world.send(packed.id)
    yield
    await world.ship(items=[(f"{id}-2", "l2", 1)])
    yield
    await world.ship(items=[(f"{id}-1", "l1", 3)])
    yield
    await world.ship(items=[(f"{id}-2", "l2", 2)])


async def _is_rejected(world: World, id: str) -> AsyncIterator[None]:
    call = world.supplier_orders()
    await call.RejectSupplierOrder(so_service.RejectSupplierOrderRequest(supplier_order_id=f"{id}-1"))
    yield
    await call.AcceptSupplierOrder(so_service.AcceptSupplierOrderRequest(supplier_order_id=f"{id}-2"))
    yield
    answer = await call.ListSupplierOrders(so_service.ListSupplierOrdersRequest(filter=f'order_id = "{id}"', order_by="id"))
    for made in answer.supplier_orders:
        for x in made.line_items:
            if x.quantity:
                await world.ship(items=[(made.id, x.line_item_id, x.quantity)])
                yield


async def _is_canceled(world: World, id: str) -> AsyncIterator[None]:
    await world.ship(items=[(f"{id}-1", "l1", 2)], at=None)
    yield
    key = (await world.supplier_order(f"{id}-1")).order_key
    await world.reservations().FreezeOrder(res.FreezeOrderRequest(order_key=key))
    yield
    await world.reservations().CancelOrder(res.CancelOrderRequest(order_key=key))


async def _is_forwarded_late(world: World, id: str) -> AsyncIterator[None]:
    key = (await world.supplier_order(f"{id}-1")).order_key
    await world.reservations().ForwardOrder(res.ForwardOrderRequest(order_key=key))
    yield
    await world.ship(items=[(f"{id}-2", "l1", 5)])
    yield
    await world.ship(items=[(f"{id}-3", "l2", 1)])


SCRIPTS: dict[str, tuple[Callable[[World, str], AsyncIterator[None]], bool]] = {
    "PARTS": (_ships_in_parts, True),
    "REJECTED": (_is_rejected, True),
    "CANCELED": (_is_canceled, True),
    "LATE": (_is_forwarded_late, False),
}


async def histories(folder: Path) -> list[History]:
    """One for each script."""

    async def databases(context: str) -> tuple[str, None]:
        return f"sqlite:///{folder / context}.sqlite3", None

    made: list[History] = []
    async with fulfillment(databases) as world:
        await world.stock(("a", "drill", "bolt", 99), ("b", "bit", "nut", 99), ("c", "drill", "nut", 2))
        lines = [
            line("l1", ORDERED["l1"], default_supplier_id="bolt", supplier_ids=["nut"]),
            line("l2", ORDERED["l2"], "bit", default_supplier_id="nut"),
        ]
        for name, (script, forward) in SCRIPTS.items():
            key, _ = await world.placed(name, *lines, forward=forward)
            history = History(name, key)
            await _snapshot(world, history)
            async for _ in script(world, name):
                await _snapshot(world, history)
            await _snapshot(world, history)
            made.append(history)
    return made


NOT_WORKED_OUT = ("line_amounts_follow_from_the_worksheet", "supplier_orders_are_made_of_the_order")
"""Rules about what a checkout has worked out: the orders here never had one, and the reports are those of other orders."""


@dataclass(slots=True)
class Orders:
    """A running order service, and its database beside it."""

    served: Served
    database: Database

    async def opened(self, id: str) -> uuid.UUID:
        """A submitted order, as its submit leaves it before anything is reported."""
        begun, limit = builders.NOW, builders.NOW + DEFAULT_ATTEMPTS.deadline
        shown = Submission(1, "ACCEPTED", True, BUYER, begun, limit, (), begun)
        order = builders.order(
            key=uuid.uuid4(),
            id=id,
            status=OrderStatus.OPEN,
            is_submitted=True,
            submit_time=begun,
            version=3,
            line_item_count=len(ORDERED),
            submission=shown,
            user=OrderUser(BUYER),
            created_by=BUYER,
        )
        attempt = Attempt(order.key, 1, "ACCEPTED", True, True, {}, begun, limit, limit, decide_time=begun, outcome="OPENED")
        lines = [builders.line(name, quantity, position=n) for n, (name, quantity) in enumerate(ORDERED.items())]
        known = (("order_created", "UNSUBMITTED"), ("submission_begun", "UNSUBMITTED"), ("order_submitted", "OPEN"))
        history = [Event(order.key, n, type, status, BUYER, "acme", begun) for n, (type, status) in enumerate(known, start=1)]
        async with self.database.transaction() as tx:
            work = SqlOrderWork(tx)
            await work.orders.insert(order, lines, Worksheet(), history)
            await work.submissions.insert(attempt)
        return order.key

    async def deliver(self, *states: State) -> None:
        """One report."""
        stub: Any = self.served.service_stub(pb_grpc.FulfillmentReportServiceStub, "fulfillment")
        answer = await stub.ReportFulfillment(
            pb.ReportFulfillmentRequest(
                supplier_orders=[s for s in states if isinstance(s, SupplierOrder)],
                shipments=[s for s in states if isinstance(s, Shipment)],
            )
        )
        assert not answer.unknown_order_keys

    async def shows(self, id: str) -> dict[str, Any]:
        """The order and its tree, without times and names that differ from order to order; its history has no gap."""
        stub: Any = self.served.stub(order_service_pb2_grpc.OrderServiceStub, seller())
        tree = await stub.GetOrderTree(order_service_pb2.GetOrderTreeRequest(order_id=id))
        await self._history(stub, id, tree.order.version)
        for part in tree.supplier_orders:
            await self._history(stub, part.id, None)
        return {
            "status": order_pb2.OrderStatus.Name(tree.order.status),
            "forwarded": tree.order.HasField("forward_time"),
            "lines": {x.id: (x.quantity, x.quantity_shipped, x.quantity_canceled, x.quantity_open) for x in tree.line_items},
            "parts": {
                part.id.removeprefix(id): (
                    part.status,
                    part.version,
                    part.moved,
                    [(x.line_item_id, x.quantity, x.quantity_shipped, x.quantity_canceled) for x in part.line_items],
                )
                for part in tree.supplier_orders
            },
            "shipments": sorted((s.version, s.HasField("ship_time"), str(s.items)) for s in _nameless(tree.shipments)),
        }

    async def _history(self, stub: Any, id: str, version: int | None) -> None:
        answer = await stub.ListOrderHistory(
            order_service_pb2.ListOrderHistoryRequest(order_id=id, direction=order_pb2.DIRECTION_ALL, page_size=1_000)
        )
        sequences = [e.sequence for e in answer.events]
        assert sequences == list(range(1, len(sequences) + 1))
        assert version is None or len(sequences) == version


def _nameless(shipments: Sequence[Shipment]) -> list[Shipment]:
    for shipment in shipments:
        for item in shipment.items:
            item.order_key = item.order_id = ""
            item.supplier_order_id = item.supplier_order_id.rsplit("-", 1)[-1]
    return list(shipments)


def renamed(states: Sequence[State], key: uuid.UUID, old: str, id: str) -> list[State]:
    """The same states as of another order: a history is delivered to as many orders as a test needs."""
    made: list[State] = []
    for state in states:
        copy: Any = type(state)()
        copy.CopyFrom(state)
        copy.key = str(uuid.uuid5(key, state.key))
        if isinstance(copy, SupplierOrder):
            copy.order_key, copy.order_id, copy.id = str(key), id, copy.id.replace(old, id)
        else:
            copy.id = f"{copy.id}-{id}"
            for item in copy.items:
                item.order_key, item.order_id = str(key), id
                item.supplier_order_id = item.supplier_order_id.replace(old, id)
        made.append(copy)
    return made


@asynccontextmanager
async def order_service(url: str) -> AsyncIterator[Orders]:
    """A real one that nobody else speaks with; ends with its inspection."""
    schema = None if url.startswith("sqlite") else "orders"
    app = await build(Settings(url, schema), runtime_for("order"))
    database = await open_migrated(url, schema, VERSIONS)
    try:
        async with serving(app) as served:
            yield Orders(served, database)
            found = [r async for r in app.inspected() if isinstance(r, Finding) and r.rule not in NOT_WORKED_OUT]
            assert found == [], found
    finally:
        await database.close()
