"""Builds the pricing service."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from libs.audit.log import SqlAuditLog
from libs.db.invariants import with_rules
from libs.db.migrate import open_migrated
from libs.db.unit_of_work import SqlUnitsOfWork
from libs.idempotency.invariants import with_effects
from libs.idempotency.outcomes import forgetting
from libs.relay.change_feed import SqlChangeFeed
from libs.resource.database import Resource, StandardMethods
from libs.service.app import Runtime, ServiceApp
from libs.service.loops import Loop, Pace
from libs.service.retries import Retries
from services.pricing.adapters.clients.catalog import CatalogShop, CatalogSupplierProducts
from services.pricing.adapters.clients.directory import DirectoryMemberships
from services.pricing.adapters.clients.order import OrderDecisions
from services.pricing.adapters.db.gauges import Gauges
from services.pricing.adapters.db.invariants.census_store import CensusReader
from services.pricing.adapters.db.invariants.rules import look
from services.pricing.adapters.db.promotions.promotion_store import SqlPromotionAssignmentLists
from services.pricing.adapters.db.promotions.use_store import SqlUseCounts
from services.pricing.adapters.db.schedules.assignment_store import SqlAssignmentLists
from services.pricing.adapters.db.schedules.floor_store import SqlFloorLists
from services.pricing.adapters.db.stores import RESERVED
from services.pricing.adapters.db.tables import (
    AUDIT,
    CHANGES,
    COST,
    FLOOR,
    MADE,
    PROMOTION,
    REQUESTS,
    RESERVATIONS,
    SCHEDULE,
    TAX_RATE,
)
from services.pricing.adapters.db.work import SqlPricingWork
from services.pricing.application.calculation.calculate_order import CalculateOrder
from services.pricing.application.calculation.expire_reservations import ExpireReservations
from services.pricing.application.calculation.offer_products import OfferProducts
from services.pricing.application.calculation.priced_groups import PricedGroups
from services.pricing.application.calculation.quote_lines import QuoteLines
from services.pricing.application.calculation.reserve_redemptions import Redemptions
from services.pricing.application.inspection import Inspection
from services.pricing.application.promotions.assign_promotions import AssignPromotions
from services.pricing.application.promotions.promotions import Promotions
from services.pricing.application.schedules.assign_price_schedules import AssignPriceSchedules
from services.pricing.application.schedules.price_floors import FloorsOfProducts
from services.pricing.application.schedules.supplier_schedules import SupplierSchedules
from services.pricing.rpc.calculation.order_pricing_servicer import OrderPricingServicer
from services.pricing.rpc.calculation.pricing_servicer import PricingServicer
from services.pricing.rpc.calculation.product_price_servicer import ProductPriceServicer
from services.pricing.rpc.calculation.redemption_servicer import RedemptionServicer
from services.pricing.rpc.promotions.promotion_servicer import PromotionServicer
from services.pricing.rpc.schedules.cost_schedule_servicer import CostScheduleServicer
from services.pricing.rpc.schedules.price_floor_servicer import PriceFloorServicer
from services.pricing.rpc.schedules.price_schedule_servicer import PriceScheduleServicer
from services.pricing.rpc.tax.tax_rate_servicer import TaxRateServicer
from services.pricing.settings import Settings
from waybill.pricing.v1 import (
    cost_schedule_service_pb2_grpc,
    order_pricing_service_pb2_grpc,
    price_floor_service_pb2_grpc,
    price_schedule_service_pb2_grpc,
    pricing_service_pb2_grpc,
    product_price_service_pb2_grpc,
    promotion_service_pb2_grpc,
    redemption_service_pb2_grpc,
    tax_rate_service_pb2_grpc,
)

VERSIONS = Path(__file__).parent / "migrations" / "versions"
PACKAGE = "waybill.pricing.v1"


# Long because wiring is one list: what is built, from what, and where it is served.
async def build(settings: Settings, runtime: Runtime) -> ServiceApp:
    """Opens and migrates the database, wires the service."""
    database = await open_migrated(settings.database_url, settings.database_schema, VERSIONS, settings.tuning)
    clock = runtime.clock
    units = SqlUnitsOfWork(database, SqlPricingWork)

    def standard(resource: Resource) -> StandardMethods[SqlPricingWork]:
        return StandardMethods(database, REQUESTS, resource, clock, runtime.ids, SqlPricingWork)

    groups = PricedGroups(units, DirectoryMemberships(runtime.peers))
    calculate = CalculateOrder(units, groups, clock)
    suppliers = CatalogSupplierProducts(runtime.peers)
    assigning = AssignPriceSchedules(units, clock, suppliers)
    supplied = SupplierSchedules(units, suppliers)
    redemptions = Redemptions(units, groups, clock, timedelta(seconds=settings.expiry_grace))
    held = RESERVATIONS.c.state == RESERVED
    tries = Retries(database, clock, ("pricing", "expiry"), RESERVATIONS, "expire_time", "order_key", "attempt", unfinished=held)
    decisions = OrderDecisions(runtime.peers)
    expire = ExpireReservations(units, redemptions, decisions, clock, Pace(tries, settings.expiry_batch))
    served: list[tuple[Any, Any, str]] = [
        (
            pricing_service_pb2_grpc.add_PricingServiceServicer_to_server,
            PricingServicer(QuoteLines(units, calculate, CatalogShop(runtime.peers))),
            "PricingService",
        ),
        (
            order_pricing_service_pb2_grpc.add_OrderPricingServiceServicer_to_server,
            OrderPricingServicer(calculate),
            "OrderPricingService",
        ),
        (
            product_price_service_pb2_grpc.add_ProductPriceServiceServicer_to_server,
            ProductPriceServicer(OfferProducts(units, groups, clock)),
            "ProductPriceService",
        ),
        (
            redemption_service_pb2_grpc.add_RedemptionServiceServicer_to_server,
            RedemptionServicer(redemptions),
            "RedemptionService",
        ),
        (
            price_schedule_service_pb2_grpc.add_PriceScheduleServiceServicer_to_server,
            PriceScheduleServicer(standard(SCHEDULE), supplied, assigning, SqlAssignmentLists(database)),
            "PriceScheduleService",
        ),
        (
            price_floor_service_pb2_grpc.add_PriceFloorServiceServicer_to_server,
            PriceFloorServicer(standard(FLOOR), FloorsOfProducts(SqlFloorLists(database), suppliers)),
            "PriceFloorService",
        ),
        (
            cost_schedule_service_pb2_grpc.add_CostScheduleServiceServicer_to_server,
            CostScheduleServicer(standard(COST)),
            "CostScheduleService",
        ),
        (
            promotion_service_pb2_grpc.add_PromotionServiceServicer_to_server,
            PromotionServicer(
                standard(PROMOTION),
                Promotions(suppliers),
                AssignPromotions(units, clock),
                SqlPromotionAssignmentLists(database),
                SqlUseCounts(database),
            ),
            "PromotionService",
        ),
        (tax_rate_service_pb2_grpc.add_TaxRateServiceServicer_to_server, TaxRateServicer(standard(TAX_RATE)), "TaxRateService"),
    ]
    inspection = with_rules(Inspection(CensusReader(database)), database, look())
    changes = SqlChangeFeed(database, CHANGES)
    audit = SqlAuditLog(database, AUDIT.metadata)
    return ServiceApp(
        name="pricing",
        registrations=[(add, servicer, f"{PACKAGE}.{name}") for add, servicer, name in served],
        background=[
            Loop("expiry", expire.once, settings.expiry_pause),
            forgetting(database, REQUESTS, clock, settings.remembered, settings.forget_pause),
            changes.forgetting(clock, settings.changes_kept),
            audit.forgetting(clock, settings.audit_kept),
        ],
        close=database.close,
        inspection=with_effects(inspection, database, "pricing", REQUESTS, MADE),
        statements=lambda: database.statements,
        database=database,
        audit=audit,
        changes=changes,
        gauges=Gauges(database),
    )
