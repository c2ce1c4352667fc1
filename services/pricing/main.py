"""Builds the pricing service."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path

from libs.db.migrate import open_migrated
from libs.idempotency import forgetting
from libs.resource import StandardMethods
from libs.service import Runtime, ServiceApp
from services.pricing.adapters.clients.order import OrderDecisions
from services.pricing.adapters.db.stores import SqlPriceStore, SqlReservationStore
from services.pricing.adapters.db.tables import REQUESTS, SCHEDULE, TAX_RATE
from services.pricing.application.audit import Audit
from services.pricing.application.calculate_order import CalculateOrder
from services.pricing.application.expire_reservations import ExpireReservations
from services.pricing.application.reserve_redemptions import Redemptions
from services.pricing.rpc.price_schedule_servicer import PriceScheduleServicer
from services.pricing.rpc.pricing_servicer import PricingServicer
from services.pricing.rpc.tax_rate_servicer import TaxRateServicer
from services.pricing.settings import Settings
from waybill.pricing.v1 import (
    price_schedule_service_pb2_grpc,
    pricing_service_pb2_grpc,
    tax_rate_service_pb2_grpc,
)

VERSIONS = Path(__file__).parent / "migrations" / "versions"
FOREVER = datetime.max.replace(tzinfo=UTC)


async def build(settings: Settings, runtime: Runtime) -> ServiceApp:
    """Opens and migrates the database, wires the service."""
    database = await open_migrated(
        settings.database_url, settings.database_schema, VERSIONS, settings.pool_size
    )
    prices, reservations = SqlPriceStore(), SqlReservationStore()
    schedules = StandardMethods(database, REQUESTS, SCHEDULE, runtime.clock, runtime.ids)
    rates = StandardMethods(database, REQUESTS, TAX_RATE, runtime.clock, runtime.ids)
    redemptions = Redemptions(database, prices, reservations, runtime.clock)
    expire = ExpireReservations(
        database, reservations, redemptions, OrderDecisions(runtime.peers), runtime.clock
    )

    async def reserved() -> list[tuple[uuid.UUID, int]]:
        async with database.reading() as tx:
            return await reservations.expired(tx, FOREVER, 100_000)

    return ServiceApp(
        name="pricing",
        registrations=[
            (
                pricing_service_pb2_grpc.add_PricingServiceServicer_to_server,
                PricingServicer(CalculateOrder(database, prices, runtime.clock), redemptions),
                "waybill.pricing.v1.PricingService",
            ),
            (
                price_schedule_service_pb2_grpc.add_PriceScheduleServiceServicer_to_server,
                PriceScheduleServicer(schedules, database, runtime.clock),
                "waybill.pricing.v1.PriceScheduleService",
            ),
            (
                tax_rate_service_pb2_grpc.add_TaxRateServiceServicer_to_server,
                TaxRateServicer(rates),
                "waybill.pricing.v1.TaxRateService",
            ),
        ],
        background=[expire.run, forgetting(database, REQUESTS, runtime.clock)],
        close=database.close,
        audit=Audit(reserved),
        statements=lambda: database.statements,
    )
