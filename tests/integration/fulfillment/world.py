"""The fulfillment service on a real server, with an order service and a directory that remember everything."""

# Long because it has one short builder for each message of the context.
from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from google.type.money_pb2 import Money

from libs.auth import Principal
from libs.clock import ManualClock
from libs.db.migrate import open_migrated
from libs.errors import Kind, WaybillError
from libs.invariants import Fact, Finding
from libs.protoconv import time_out
from libs.service.app import ServiceApp
from services.fulfillment.main import VERSIONS, Background, assemble
from services.fulfillment.settings import Settings
from tests.support.principals import seller
from tests.support.server import Served, fake_peers, runtime_for, serving
from tests.support.shops import FakeShop
from waybill.catalog.v1 import supplier_product_service_pb2 as supplied_pb
from waybill.catalog.v1 import supplier_product_service_pb2_grpc as supplied_grpc
from waybill.directory.v1 import membership_service_pb2 as membership_pb
from waybill.directory.v1 import membership_service_pb2_grpc as membership_grpc
from waybill.directory.v1 import ordering_context_service_pb2 as directory_pb
from waybill.directory.v1 import ordering_context_service_pb2_grpc as directory_grpc
from waybill.fulfillment.v1 import inventory_pb2 as inv
from waybill.fulfillment.v1 import inventory_service_pb2 as inv_service
from waybill.fulfillment.v1 import inventory_service_pb2_grpc as inv_grpc
from waybill.fulfillment.v1 import reservation_service_pb2 as res
from waybill.fulfillment.v1 import reservation_service_pb2_grpc as res_grpc
from waybill.fulfillment.v1 import shipment_pb2 as shp
from waybill.fulfillment.v1 import shipment_service_pb2 as shp_service
from waybill.fulfillment.v1 import shipment_service_pb2_grpc as shp_grpc
from waybill.fulfillment.v1 import sourcing_pb2 as src
from waybill.fulfillment.v1 import supplier_order_pb2 as so
from waybill.fulfillment.v1 import supplier_order_service_pb2 as so_service
from waybill.fulfillment.v1 import supplier_order_service_pb2_grpc as so_grpc
from waybill.operations.v1 import outbox_service_pb2 as outbox_pb
from waybill.operations.v1 import outbox_service_pb2_grpc as outbox_grpc
from waybill.order.v1 import (
    fulfillment_report_service_pb2,
    fulfillment_report_service_pb2_grpc,
    submission_decision_service_pb2,
    submission_decision_service_pb2_grpc,
    submission_pb2,
)
from waybill.type.v1.address_pb2 import Address

START = datetime(2030, 5, 1, 12, tzinfo=UTC)
HOME = Address(lines=["1 Main St"], city="Springfield", country="US")


class FakeOrders:
    """What the order service heard, and what it answers."""

    def __init__(self) -> None:
        self.down = False
        self.unknown: set[str] = set()
        self.states: dict[str, str] = {}
        self.orders: dict[str, Any] = {}
        self.shipments: dict[str, Any] = {}
        self.calls = 0
        self.refused: set[str] = set()
        """Ids of supplier orders and shipments whose reports are rejected, with all that comes with them."""
        self.fatal: set[str] = set()
        """The same for those that a defect is met at."""
        self.received: list[tuple[str, int]] = []
        """Ids and versions in the order in which they were accepted."""
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        """Happens once, while a report is being answered."""

    async def ReportFulfillment(self, request: Any, context: Any) -> Any:
        self.calls += 1
        if self.down:
            raise WaybillError(Kind.EXHAUSTED, "TOO_MANY_CALLS", "not now", metadata={"limit": "process"})
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        for id in (x.id for x in (*request.supplier_orders, *request.shipments)):
            if id in self.fatal or "*" in self.fatal:
                raise RuntimeError("a defect")
            if id in self.refused:
                raise WaybillError(Kind.INVALID, "MALFORMED_REQUEST", f"{id} is not understood")
        self.received += [(x.id, x.version) for x in (*request.supplier_orders, *request.shipments)]
        for o in request.supplier_orders:
            known = self.orders.get(o.key)
            if known is None or known.version < o.version:
                self.orders[o.key] = o
        self.shipments.update({s.id: s for s in request.shipments})
        return fulfillment_report_service_pb2.ReportFulfillmentResponse(unknown_order_keys=self.unknown)

    async def ResolveSubmission(self, request: Any, context: Any) -> Any:
        if self.down:
            raise WaybillError(Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", "not now", metadata={"dependency": "database"})
        state = self.states.get(request.order_key, "REFUSED")
        return submission_decision_service_pb2.ResolveSubmissionResponse(
            state=submission_pb2.SubmissionState.Value(f"SUBMISSION_STATE_{state}")
        )


class FakeCatalog(supplied_grpc.SupplierProductServiceServicer):
    """A catalog in which suppliers may fulfill everything but `others`."""

    async def CheckSupplierProducts(self, request: Any, context: Any) -> Any:
        fulfilled = [id for id in request.product_ids if id != "others"]
        return supplied_pb.CheckSupplierProductsResponse(fulfilled_product_ids=fulfilled)


class FakeMemberships(membership_grpc.MembershipServiceServicer):
    """Who is in which group, and how often that was asked."""

    def __init__(self) -> None:
        self.groups: dict[str, list[str]] = {}
        self.asked: list[str] = []

    async def ListUserGroupIds(self, request: Any, context: Any) -> Any:
        self.asked.append(request.user_id)
        return membership_pb.ListUserGroupIdsResponse(user_group_ids=self.groups.get(request.user_id, []))


class FakeDirectory:
    """An address book in which every id but `nowhere` is a location."""

    async def BatchGetPartyAddresses(self, request: Any, context: Any) -> Any:
        return directory_pb.BatchGetPartyAddressesResponse(
            addresses=[
                directory_pb.PartyAddress(party=ref.party, address=Address(id=ref.address_id, city="Berlin", country="DE"))
                for ref in request.refs
                if ref.address_id != "nowhere"
            ]
        )


@dataclass(slots=True)
class World:
    """A running service, and short names for its calls."""

    served: Served
    app: ServiceApp
    background: Background
    clock: ManualClock
    orders: FakeOrders
    shop: FakeShop = field(default_factory=FakeShop)
    facts: list[Fact] = field(default_factory=list)
    memberships: FakeMemberships = field(default_factory=FakeMemberships)
    replica: Callable[[], Background] | None = None
    """Makes the background loops of another replica on the same database."""

    def another(self) -> Background:
        """The background loops of another replica on the same database."""
        assert self.replica is not None
        return self.replica()

    def outbox(self, caller: Principal | None = None) -> Any:
        return self.served.stub(outbox_grpc.OutboxServiceStub, caller or seller())

    async def pending(self, filter: str = "") -> list[Any]:
        """What the operators' list shows."""
        answer = await self.outbox().ListOutboxEntries(outbox_pb.ListOutboxEntriesRequest(filter=filter))
        return list(answer.entries)

    def reservations(self) -> res_grpc.ReservationServiceStub:
        return self.served.service_stub(res_grpc.ReservationServiceStub, "order", seller())

    def inventory(self, caller: Principal | None = None) -> inv_grpc.InventoryServiceStub:
        return self.served.stub(inv_grpc.InventoryServiceStub, caller or seller())

    def supplier_orders(self, caller: Principal | None = None) -> so_grpc.SupplierOrderServiceStub:
        return self.served.stub(so_grpc.SupplierOrderServiceStub, caller or seller())

    def shipments(self, caller: Principal | None = None) -> shp_grpc.ShipmentServiceStub:
        return self.served.stub(shp_grpc.ShipmentServiceStub, caller or seller())

    async def record(self, id: str) -> Any:
        answer = await self.inventory().GetInventoryRecord(inv_service.GetInventoryRecordRequest(inventory_record_id=id))
        return answer.inventory_record

    async def counters(self, id: str) -> tuple[int, int, int, int]:
        """On hand, reserved, allocated, available."""
        r = await self.record(id)
        return r.on_hand, r.reserved, r.allocated, r.available

    async def stock(self, *records: tuple[str, str, str, int], **values: Any) -> None:
        """Records as (id, product, supplier, units on hand)."""
        await self.inventory().BatchCreateInventoryRecords(
            inv_service.BatchCreateInventoryRecordsRequest(
                inventory_records=[
                    inv_service.NewInventoryRecord(
                        inventory_record=inv.InventoryRecord(
                            id=id,
                            product_id=product,
                            supplier_id=supplier,
                            variant_id=values.get("variant", ""),
                            location_id=values.get("location", f"{id}-place"),
                            can_exceed=values.get("can_exceed", False),
                            pickup=values.get("pickup", False),
                        ),
                        opening_quantity=units,
                    )
                    for id, product, supplier, units in records
                ]
            )
        )

    async def reserve(self, key: str, *lines: Any, attempt: int = 1, plan: Any = (), **values: Any) -> Any:
        return await self.reservations().ReserveStock(
            res.ReserveStockRequest(
                order_key=key,
                attempt=attempt,
                deadline=time_out(self.clock.now() + timedelta(seconds=30)),
                lines=lines,
                plan=plan,
                **values,
            )
        )

    async def confirm(
        self,
        key: str,
        order_id: str,
        *lines: Any,
        forward: bool = True,
        attempt: int = 1,
        within: timedelta | None = None,
        kept: Sequence[str] = (),
        **values: Any,
    ) -> list[Any]:
        answer = await self.reservations().ConfirmReservation(
            res.ConfirmReservationRequest(
                order_key=key,
                attempt=attempt,
                forward=forward,
                accept_within=within,
                kept_line_item_ids=kept,
                order=order(key, order_id, *lines, **values),
            )
        )
        assert answer.state == res.RESERVATION_STATE_CONFIRMED
        return list(answer.supplier_orders)

    async def placed(self, order_id: str, *lines: Any, forward: bool = True, **values: Any) -> tuple[str, list[Any]]:
        """An order reserved and confirmed: its key and its supplier orders."""
        key = new_key()
        reserved = await self.reserve(key, *lines)
        assert not reserved.problems
        return key, await self.confirm(key, order_id, *lines, forward=forward, **values)

    async def ship(self, caller: Principal | None = None, **values: Any) -> Any:
        answer = await self.shipments(caller).CreateShipment(
            shp_service.CreateShipmentRequest(request_id=values.pop("request_id", ""), shipment=shipment(**values))
        )
        return answer.shipment

    async def send(self, id: str, caller: Principal | None = None) -> Any:
        """A packed shipment leaves."""
        answer = await self.shipments(caller).UpdateShipment(
            shp_service.UpdateShipmentRequest(shipment=shp.Shipment(id=id, ship_time=time_out(START)))
        )
        return answer.shipment

    async def supplier_order(self, id: str, caller: Principal | None = None) -> Any:
        answer = await self.supplier_orders(caller).GetSupplierOrder(so_service.GetSupplierOrderRequest(supplier_order_id=id))
        return answer.supplier_order

    async def check(self) -> None:
        """The context's own inspection finds nothing."""
        records = [r async for r in self.app.inspected()]
        assert [r for r in records if isinstance(r, Finding)] == []
        self.facts = [r for r in records if isinstance(r, Fact)]


def new_key() -> str:
    return str(uuid.uuid4())


def dollars(cents: int) -> Money:
    return Money(currency_code="USD", units=cents // 100, nanos=cents % 100 * 10_000_000)


def line(id: str = "l1", quantity: int = 1, product: str = "drill", **values: Any) -> Any:
    """A sourcing line; counted and shippable unless it says otherwise."""
    return src.SourcingLine(
        line_item_id=id, product_id=product, quantity=quantity, **{"track_inventory": True, "shippable": True, **values}
    )


def order(key: str, id: str, *lines: Any, buyer: str = "acme", user: str = "anna", **values: Any) -> Any:
    """The snapshot of an order with these sourcing lines, at 10.01 and 0.70 tax a line."""
    return res.OrderSnapshot(
        order_key=key,
        order_id=id,
        buyer_id=buyer,
        user_id=user,
        currency="USD",
        lines=[
            res.OrderSnapshotLine(
                line_item_id=x.line_item_id,
                product_id=x.product_id,
                variant_id=x.variant_id,
                quantity=x.quantity,
                unit_price=dollars(1_001),
                subtotal=dollars(1_001 * x.quantity),
                tax=dollars(70),
                shippable=x.shippable,
                default_supplier_id=x.default_supplier_id,
            )
            for x in lines
        ],
        shipping_cost=values.pop("shipping_cost", dollars(999)),
        tax=dollars(70 * len(lines)),
        shipping_address=HOME,
        **values,
    )


def shipment(*, items: list[tuple[str, str, int]], at: datetime | None = START, id: str = "", **values: Any) -> Any:
    """A shipment of (supplier order, line, quantity); packed only when `at` is None."""
    return shp.Shipment(
        id=id,
        items=[
            shp.ShipmentItem(supplier_order_id=order_id, line_item_id=line_id, quantity=quantity)
            for order_id, line_id, quantity in items
        ],
        ship_time=time_out(at),
        **values,
    )


def status(o: Any) -> str:
    return str(so.SupplierOrderStatus.Name(o.status)).removeprefix("SUPPLIER_ORDER_STATUS_")


def cents(m: Any) -> int:
    return int(m.units * 100 + m.nanos // 10_000_000)


async def accept(world: World, id: str, caller: Any = None, request_id: str = "") -> Any:
    """The supplier order as it is after its supplier accepted it."""
    request = so_service.AcceptSupplierOrderRequest(supplier_order_id=id, request_id=request_id)
    return (await world.supplier_orders(caller).AcceptSupplierOrder(request)).supplier_order


async def reject(world: World, id: str, caller: Any = None) -> Any:
    """The supplier order as it is after its supplier rejected it."""
    request = so_service.RejectSupplierOrderRequest(supplier_order_id=id, comment="no drills")
    return (await world.supplier_orders(caller).RejectSupplierOrder(request)).supplier_order


@asynccontextmanager
async def fulfillment(databases: Any) -> AsyncIterator[World]:
    """The service over a fresh database; the block ends with its inspection."""
    url, schema = await databases("fulfillment")
    orders, clock = FakeOrders(), ManualClock(START)
    runtime, shop, memberships = runtime_for("fulfillment", clock=clock), FakeShop(), FakeMemberships()
    fakes = {
        "order": [
            (
                fulfillment_report_service_pb2_grpc.add_FulfillmentReportServiceServicer_to_server,
                orders,
                "waybill.order.v1.FulfillmentReportService",
            ),
            (
                submission_decision_service_pb2_grpc.add_SubmissionDecisionServiceServicer_to_server,
                _deciding(orders),
                "waybill.order.v1.SubmissionDecisionService",
            ),
        ],
        "catalog": [
            shop.served,
            (
                supplied_grpc.add_SupplierProductServiceServicer_to_server,
                FakeCatalog(),
                "waybill.catalog.v1.SupplierProductService",
            ),
        ],
        "directory": [
            (
                directory_grpc.add_OrderingContextServiceServicer_to_server,
                _Directory(),
                "waybill.directory.v1.OrderingContextService",
            ),
            (membership_grpc.add_MembershipServiceServicer_to_server, memberships, "waybill.directory.v1.MembershipService"),
        ],
    }
    settings = Settings(url, schema)
    async with fake_peers(fakes, peers=runtime.peers):
        database = await open_migrated(url, schema, VERSIONS, settings.tuning)
        app, background = assemble(settings, runtime, database)
        async with serving(app) as served:
            world = World(served, app, background, clock, orders, shop, memberships=memberships)
            world.replica = lambda: assemble(settings, runtime, database)[1]
            yield world
            await world.check()


class _Directory(FakeDirectory, directory_grpc.OrderingContextServiceServicer):
    pass


def _deciding(orders: FakeOrders) -> Any:
    class Decisions(submission_decision_service_pb2_grpc.SubmissionDecisionServiceServicer):
        async def ResolveSubmission(self, request: Any, context: Any) -> Any:
            return await orders.ResolveSubmission(request, context)

    return Decisions()
