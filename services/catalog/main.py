"""Builds the catalog service."""

from __future__ import annotations

from pathlib import Path

from libs.audit.log import SqlAuditLog
from libs.db.invariants import with_rules
from libs.db.migrate import open_migrated
from libs.idempotency.invariants import with_effects
from libs.idempotency.outcomes import forgetting
from libs.relay.change_feed import SqlChangeFeed
from libs.resource.database import StandardMethods
from libs.service.app import Runtime, ServiceApp
from services.catalog.adapters.db.invariants.census_store import CensusReader
from services.catalog.adapters.db.invariants.rules import look
from services.catalog.adapters.db.tables import AUDIT, CHANGES, MADE, PRODUCT, REQUESTS
from services.catalog.application.inspection import Inspection
from services.catalog.rpc.servicer import ProductServicer
from services.catalog.settings import Settings
from waybill.catalog.v1 import product_service_pb2_grpc as pb_grpc

VERSIONS = Path(__file__).parent / "migrations" / "versions"


async def build(settings: Settings, runtime: Runtime) -> ServiceApp:
    """Opens and migrates the database, wires the service."""
    database = await open_migrated(settings.database_url, settings.database_schema, VERSIONS, settings.tuning)
    # Products have no checks that need other tables, so what guards are given does not matter.
    products = StandardMethods(database, REQUESTS, PRODUCT, runtime.clock, runtime.ids, lambda tx: tx)
    inspection = with_rules(Inspection(CensusReader(database)), database, look())
    changes = SqlChangeFeed(database, CHANGES)
    audit = SqlAuditLog(database, AUDIT.metadata)
    return ServiceApp(
        name="catalog",
        registrations=[
            (pb_grpc.add_ProductServiceServicer_to_server, ProductServicer(products), "waybill.catalog.v1.ProductService")
        ],
        background=[
            forgetting(database, REQUESTS, runtime.clock, settings.remembered, settings.forget_pause),
            changes.forgetting(runtime.clock, settings.changes_kept),
            audit.forgetting(runtime.clock, settings.audit_kept),
        ],
        close=database.close,
        inspection=with_effects(inspection, database, "catalog", REQUESTS, MADE),
        statements=lambda: database.statements,
        database=database,
        audit=audit,
        changes=changes,
    )
