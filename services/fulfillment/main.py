"""Builds the fulfillment service: database, stores, use cases, servicers, background loops."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from libs.audit.log import SqlAuditLog
from libs.db import Database
from libs.db.migrate import open_migrated
from libs.db.unit_of_work import SqlUnitsOfWork
from libs.idempotency.outcomes import forgetting
from libs.relay.change_feed import SqlChangeFeed
from libs.relay.marks import Outbox
from libs.service.app import Runtime, ServiceApp
from libs.service.loops import Loop, Pace
from libs.service.retries import Retries
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.adapters.clients.catalog_client import CatalogClient
from services.fulfillment.adapters.clients.directory_client import DirectoryClient
from services.fulfillment.adapters.clients.memberships import DirectoryMemberships
from services.fulfillment.adapters.clients.order_client import OrderClient
from services.fulfillment.adapters.db import tables
from services.fulfillment.adapters.db.gauges import Gauges
from services.fulfillment.adapters.db.invariants.inspection import inspection
from services.fulfillment.adapters.db.report_store import TABLES
from services.fulfillment.adapters.db.work import SqlFulfillmentWork
from services.fulfillment.application.customers import Customers
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.application.reporting import Reporting
from services.fulfillment.application.shipments.create_shipments import CreateShipments
from services.fulfillment.application.shipments.shipment_items import ShipmentItems
from services.fulfillment.application.shipments.shipments import Shipments
from services.fulfillment.application.sourcing.plan_sourcing import PlanSourcing
from services.fulfillment.application.sourcing.release_reservation import ReleaseReservation
from services.fulfillment.application.sourcing.reserve_stock import ReserveStock
from services.fulfillment.application.sourcing.simulate_sourcing import SimulateSourcing
from services.fulfillment.application.stock.inventory_records import InventoryRecords
from services.fulfillment.application.stock.show_waiting import ShowWaiting
from services.fulfillment.application.stock.stock_book import StockBook
from services.fulfillment.application.supplier_orders.accept_supplier_order import AcceptSupplierOrder
from services.fulfillment.application.supplier_orders.cancel_order import CancelOrder
from services.fulfillment.application.supplier_orders.change_order import ApplyChange, ReleaseChange, TryChange
from services.fulfillment.application.supplier_orders.confirm_reservation import ConfirmReservation
from services.fulfillment.application.supplier_orders.deliver_open_units import DeliverOpenUnits
from services.fulfillment.application.supplier_orders.expire_reservations import ExpireReservations
from services.fulfillment.application.supplier_orders.forward_order import ForwardOrder
from services.fulfillment.application.supplier_orders.freeze_order import FreezeOrder
from services.fulfillment.application.supplier_orders.move_supplier_order_units import MoveSupplierOrderUnits
from services.fulfillment.application.supplier_orders.reject_supplier_order import RejectSupplierOrder
from services.fulfillment.application.supplier_orders.reject_unanswered import RejectUnanswered
from services.fulfillment.application.supplier_orders.set_order_hold import SetOrderHold
from services.fulfillment.application.supplier_orders.supplier_orders import SupplierOrders
from services.fulfillment.application.supplier_orders.unfreeze_order import UnfreezeOrder
from services.fulfillment.rpc.shipments.shipment_servicer import ShipmentServicer
from services.fulfillment.rpc.sourcing.reservation_servicer import ReservationServicer
from services.fulfillment.rpc.sourcing.reservation_servicer import UseCases as ReservationUses
from services.fulfillment.rpc.stock.inventory_servicer import InventoryServicer
from services.fulfillment.rpc.supplier_orders.order_fulfillment_servicer import OrderFulfillmentServicer
from services.fulfillment.rpc.supplier_orders.supplier_order_servicer import SupplierOrderServicer, UseCases
from services.fulfillment.settings import Settings
from waybill.fulfillment.v1 import (
    inventory_service_pb2_grpc,
    order_fulfillment_service_pb2_grpc,
    reservation_service_pb2_grpc,
    shipment_service_pb2_grpc,
    supplier_order_service_pb2_grpc,
)

PACKAGE = "waybill.fulfillment.v1"
VERSIONS = Path(__file__).parent / "migrations" / "versions"
Units = UnitsOfWork[FulfillmentWork]


@dataclass(frozen=True, slots=True)
class Background:
    """What runs beside the calls; tests drive it by hand."""

    reporting: Reporting
    expiry: ExpireReservations
    deliveries: DeliverOpenUnits
    answers: RejectUnanswered
    waiting: ShowWaiting


async def build(settings: Settings, runtime: Runtime) -> ServiceApp:
    """Opens and migrates the database, wires the service."""
    database = await open_migrated(settings.database_url, settings.database_schema, VERSIONS, settings.tuning)
    return assemble(settings, runtime, database)[0]


# Long because it names every service once, with what it is made of.
def assemble(settings: Settings, runtime: Runtime, database: Database) -> tuple[ServiceApp, Background]:
    """Wires the service over an open database."""
    delay = timedelta(seconds=settings.relay_delay)
    units: Units = SqlUnitsOfWork(database, lambda tx: SqlFulfillmentWork(tx, runtime.ids, delay))
    peer = OrderClient(runtime.peers)
    reporting = Reporting(units, peer, runtime.clock, settings.relay, settings.report_wait)
    counted, key = ("fulfillment", "expiry"), ("order_key", "attempt", "kind")
    held = tables.reservations.c.check_time.is_not(None)
    tries = Retries(database, runtime.clock, counted, tables.reservations, "check_time", *key, unfinished=held)
    expiry = ExpireReservations(
        units, peer, runtime.clock, Pace(tries, settings.expiry_batch, timedelta(seconds=settings.expiry_again))
    )
    failed = Retries(database, runtime.clock, ("fulfillment", "deliveries"), tables.supplier_orders, "deliver_time", "key")
    deliveries = DeliverOpenUnits(units, reporting, runtime.clock, Pace(failed, settings.delivery_batch))
    rejecting = RejectSupplierOrder(units, _customers(runtime), reporting, runtime.clock, runtime.ids)
    late = Retries(database, runtime.clock, ("fulfillment", "answers"), tables.supplier_orders, "deliver_time", "key")
    answers = RejectUnanswered(units, rejecting, runtime.clock, Pace(late, settings.answer_batch))
    waiting = ShowWaiting(units, reporting, runtime.clock, settings.waiting_batch)
    changes, orders = SqlChangeFeed(database, tables.changes), SupplierOrders(units, reporting, runtime.clock)
    audit = SqlAuditLog(database, tables.audit_entries.metadata)
    app = ServiceApp(
        name="fulfillment",
        registrations=[
            (
                reservation_service_pb2_grpc.add_ReservationServiceServicer_to_server,
                _reservations(settings, runtime, units),
                f"{PACKAGE}.ReservationService",
            ),
            (
                order_fulfillment_service_pb2_grpc.add_OrderFulfillmentServiceServicer_to_server,
                OrderFulfillmentServicer(orders),
                f"{PACKAGE}.OrderFulfillmentService",
            ),
            (
                supplier_order_service_pb2_grpc.add_SupplierOrderServiceServicer_to_server,
                _supplier_orders(orders, runtime, units, reporting, rejecting),
                f"{PACKAGE}.SupplierOrderService",
            ),
            (
                shipment_service_pb2_grpc.add_ShipmentServiceServicer_to_server,
                _shipments(runtime, units, reporting),
                f"{PACKAGE}.ShipmentService",
            ),
            (
                inventory_service_pb2_grpc.add_InventoryServiceServicer_to_server,
                _inventory(runtime, units),
                f"{PACKAGE}.InventoryService",
            ),
        ],
        background=[
            Loop("relay", reporting.relay, settings.relay_pause),
            Loop("deliveries", deliveries.once, settings.delivery_pause),
            Loop("answers", answers.once, settings.answer_pause),
            Loop("waiting", waiting.once, settings.waiting_pause),
            Loop("expiry", expiry.once, settings.expiry_pause),
            forgetting(database, tables.requests, runtime.clock, settings.remembered, settings.forget_pause),
            changes.forgetting(runtime.clock, settings.changes_kept),
            audit.forgetting(runtime.clock, settings.audit_kept),
        ],
        close=database.close,
        inspection=lambda keys: inspection(database, keys),
        statements=lambda: database.statements,
        database=database,
        audit=audit,
        changes=changes,
        gauges=Gauges(database, runtime.clock),
        outbox=Outbox(database, TABLES, runtime.clock),
    )
    return app, Background(reporting, expiry, deliveries, answers, waiting)


def _reservations(settings: Settings, runtime: Runtime, units: Units) -> ReservationServicer:
    clock, ids = runtime.clock, runtime.ids
    grace = timedelta(seconds=settings.expiry_grace)
    return ReservationServicer(
        ReservationUses(
            plan=PlanSourcing(units, _customers(runtime)),
            reserve=ReserveStock(units, _customers(runtime), clock, grace),
            confirm=ConfirmReservation(units, clock, ids),
            release=ReleaseReservation(units, clock),
            forward=ForwardOrder(units, clock, ids),
            freeze=FreezeOrder(units, clock),
            unfreeze=UnfreezeOrder(units, clock),
            cancel=CancelOrder(units, clock),
            hold=SetOrderHold(units, clock),
            try_change=TryChange(units, clock, grace),
            apply_change=ApplyChange(units, clock),
            release_change=ReleaseChange(units, clock),
        )
    )


def _supplier_orders(
    orders: SupplierOrders, runtime: Runtime, units: Units, reporting: Reporting, rejecting: RejectSupplierOrder
) -> SupplierOrderServicer:
    clock, products = runtime.clock, CatalogClient(runtime.peers)
    moving = MoveSupplierOrderUnits(units, reporting, products, clock, runtime.ids)
    return SupplierOrderServicer(UseCases(orders, AcceptSupplierOrder(units, reporting, clock), rejecting, moving))


def _shipments(runtime: Runtime, units: Units, reporting: Reporting) -> ShipmentServicer:
    return ShipmentServicer(
        CreateShipments(units, reporting, runtime.clock, runtime.ids),
        Shipments(units, reporting, runtime.clock),
        ShipmentItems(units, reporting, runtime.clock),
        runtime.clock,
    )


def _customers(runtime: Runtime) -> Customers:
    return Customers(DirectoryMemberships(runtime.peers))


def _inventory(runtime: Runtime, units: Units) -> InventoryServicer:
    addresses, products = DirectoryClient(runtime.peers), CatalogClient(runtime.peers)
    records = InventoryRecords(units, addresses, products, runtime.clock, runtime.ids)
    customers = _customers(runtime)
    return InventoryServicer(
        records, StockBook(units, products, customers, runtime.clock), SimulateSourcing(units, products, customers)
    )
