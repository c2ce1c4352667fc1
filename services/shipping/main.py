"""Builds the shipping service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from libs.audit.log import SqlAuditLog
from libs.db.invariants import with_rules
from libs.db.migrate import open_migrated
from libs.idempotency.invariants import with_effects
from libs.idempotency.outcomes import forgetting
from libs.relay.change_feed import SqlChangeFeed
from libs.resource.database import Resource, StandardMethods
from libs.service.app import Runtime, ServiceApp
from services.shipping.adapters.db import tables
from services.shipping.adapters.db.invariants.census_store import CensusReader
from services.shipping.adapters.db.invariants.rules import look
from services.shipping.adapters.db.terms_store import TermsReader
from services.shipping.adapters.db.work import SqlShippingWork
from services.shipping.application.check_selections import CheckSelections
from services.shipping.application.estimate_shipping import EstimateShipping
from services.shipping.application.inspection import Inspection
from services.shipping.rpc.carrier_servicer import CarrierServicer
from services.shipping.rpc.grouping_rule_servicer import GroupingRuleServicer
from services.shipping.rpc.rate_table_servicer import RateTableServicer
from services.shipping.rpc.ship_method_assignment_servicer import ShipMethodAssignmentServicer
from services.shipping.rpc.ship_method_servicer import ShipMethodServicer
from services.shipping.rpc.shipping_servicer import ShippingServicer
from services.shipping.rpc.zone_servicer import ZoneServicer
from services.shipping.settings import Settings
from waybill.shipping.v1 import (
    carrier_service_pb2_grpc,
    grouping_rule_service_pb2_grpc,
    rate_table_service_pb2_grpc,
    ship_method_assignment_service_pb2_grpc,
    ship_method_service_pb2_grpc,
    shipping_service_pb2_grpc,
    zone_service_pb2_grpc,
)

VERSIONS = Path(__file__).parent / "migrations" / "versions"
PACKAGE = "waybill.shipping.v1"


async def build(settings: Settings, runtime: Runtime) -> ServiceApp:
    """Opens and migrates the database, wires the services."""
    database = await open_migrated(settings.database_url, settings.database_schema, VERSIONS, settings.tuning)

    def standard(resource: Resource) -> StandardMethods[SqlShippingWork]:
        return StandardMethods(database, tables.REQUESTS, resource, runtime.clock, runtime.ids, SqlShippingWork)

    terms = TermsReader(database)
    shipping = ShippingServicer(EstimateShipping(terms, runtime.clock), CheckSelections(terms))
    served: list[tuple[Any, Any, str]] = [
        (shipping_service_pb2_grpc.add_ShippingServiceServicer_to_server, shipping, "Shipping"),
        (carrier_service_pb2_grpc.add_CarrierServiceServicer_to_server, CarrierServicer(standard(tables.CARRIER)), "Carrier"),
        (zone_service_pb2_grpc.add_ZoneServiceServicer_to_server, ZoneServicer(standard(tables.ZONE)), "Zone"),
        (
            ship_method_service_pb2_grpc.add_ShipMethodServiceServicer_to_server,
            ShipMethodServicer(standard(tables.SHIP_METHOD)),
            "ShipMethod",
        ),
        (
            ship_method_assignment_service_pb2_grpc.add_ShipMethodAssignmentServiceServicer_to_server,
            ShipMethodAssignmentServicer(standard(tables.ASSIGNMENT)),
            "ShipMethodAssignment",
        ),
        (
            rate_table_service_pb2_grpc.add_RateTableServiceServicer_to_server,
            RateTableServicer(standard(tables.RATE_TABLE)),
            "RateTable",
        ),
        (
            grouping_rule_service_pb2_grpc.add_GroupingRuleServiceServicer_to_server,
            GroupingRuleServicer(standard(tables.GROUPING_RULE)),
            "GroupingRule",
        ),
    ]
    inspection = with_rules(Inspection(CensusReader(database)), database, look())
    changes = SqlChangeFeed(database, tables.CHANGES)
    audit = SqlAuditLog(database, tables.AUDIT.metadata)
    return ServiceApp(
        name="shipping",
        registrations=[(add, servicer, f"{PACKAGE}.{name}Service") for add, servicer, name in served],
        background=[
            forgetting(database, tables.REQUESTS, runtime.clock, settings.remembered, settings.forget_pause),
            changes.forgetting(runtime.clock, settings.changes_kept),
            audit.forgetting(runtime.clock, settings.audit_kept),
        ],
        close=database.close,
        inspection=with_effects(inspection, database, "shipping", tables.REQUESTS, tables.MADE),
        statements=lambda: database.statements,
        database=database,
        audit=audit,
        changes=changes,
    )
