"""Tables and resources of shipping."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from libs.db import metadata
from libs.idempotency import outcomes
from libs.resource import Resource, document, enum, flag, integer, money, ref, resource_table, text, xp
from libs.resource.attributes import currency
from services.shipping.adapters.db.attributes import check_match, check_places, lead_time, rate_rows
from services.shipping.domain import checks
from waybill.shipping.v1 import (
    carrier_service_pb2,
    grouping_rule_service_pb2,
    rate_table_service_pb2,
    ship_method_assignment_service_pb2,
    ship_method_service_pb2,
    zone_service_pb2,
)

METADATA = metadata()
REQUESTS = outcomes.table(METADATA)

_CARRIER = (text("name", 100, required=True), flag("active"), xp())
CARRIERS = resource_table(METADATA, "carriers", _CARRIER)
CARRIER = Resource("carrier", carrier_service_pb2.Carrier, CARRIERS, _CARRIER, prefix="car")

_ZONE = (text("name", 100, required=True), document("destinations", check_places), xp())
ZONES = resource_table(METADATA, "zones", _ZONE)
ZONE = Resource("zone", zone_service_pb2.Zone, ZONES, _ZONE, prefix="zon")

_SHIP_METHOD = (
    text("name", 100, required=True),
    ref("carrier_id"),
    flag("active"),
    replace(flag("pickup"), immutable=True),
    lead_time("min_lead_time"),
    lead_time("max_lead_time"),
    xp(),
)
SHIP_METHODS = resource_table(METADATA, "ship_methods", _SHIP_METHOD)
SHIP_METHOD = Resource(
    "ship method", ship_method_service_pb2.ShipMethod, SHIP_METHODS, _SHIP_METHOD, prefix="shm", check=checks.method_lead_times
)

_ASSIGNMENT = (
    ref("ship_method_id", required=True, index=False),
    ref("buyer_id"),
    ref("client_id", index=False),
    ref("supplier_id", index=False),
    ref("ship_from_id", index=False),
)
ASSIGNMENTS = resource_table(
    METADATA,
    "ship_method_assignments",
    _ASSIGNMENT,
    # Named here: by the convention its name would be longer than PostgreSQL allows.
    sa.UniqueConstraint(
        "ship_method_id", "buyer_id", "client_id", "supplier_id", "ship_from_id", name="uq_ship_method_assignments_all"
    ),
)
ASSIGNMENT = Resource(
    "ship method assignment", ship_method_assignment_service_pb2.ShipMethodAssignment, ASSIGNMENTS, _ASSIGNMENT, prefix="sma"
)

_RATE_TABLE = (
    ref("ship_method_id", required=True, immutable=True, index=False),
    ref("zone_id", required=True, immutable=True),
    currency(),
    rate_rows(),
    money("handling", finer=True),
    lead_time("min_lead_time"),
    lead_time("max_lead_time"),
)
RATE_TABLES = resource_table(METADATA, "rate_tables", _RATE_TABLE, sa.UniqueConstraint("ship_method_id", "zone_id", "currency"))
RATE_TABLE = Resource(
    "rate table", rate_table_service_pb2.RateTable, RATE_TABLES, _RATE_TABLE, prefix="rtt", check=checks.table_lead_times
)

_GROUPING_RULE = (
    ref("client_id", immutable=True),
    integer("priority", 0, 1_000_000),
    document("match", check_match),
    enum("grouping", grouping_rule_service_pb2.Grouping, "GROUPING_"),
)
GROUPING_RULES = resource_table(METADATA, "grouping_rules", _GROUPING_RULE)
GROUPING_RULE = Resource("grouping rule", grouping_rule_service_pb2.GroupingRule, GROUPING_RULES, _GROUPING_RULE, prefix="grp")

MADE = {
    "CreateCarrier": CARRIERS,
    "BatchCreateCarriers": CARRIERS,
    "CreateZone": ZONES,
    "BatchCreateZones": ZONES,
    "CreateShipMethod": SHIP_METHODS,
    "BatchCreateShipMethods": SHIP_METHODS,
    "CreateRateTable": RATE_TABLES,
    "BatchCreateRateTables": RATE_TABLES,
}
"""By the method that makes it: what is never deleted again, so that the id in a recorded outcome leads somewhere."""
