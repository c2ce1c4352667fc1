"""Tables and resources of shipping."""

from __future__ import annotations

import sqlalchemy as sa

from libs.audit.trail import audit_table
from libs.db import metadata
from libs.idempotency import outcomes, tombstones
from libs.relay.changes import change_tables
from libs.resource.database import Resource, UsedBy, resource_table
from services.shipping.contract import resources

METADATA = metadata()
REQUESTS = outcomes.table(METADATA)
DELETED = tombstones.table(METADATA)
CHANGES = change_tables(METADATA)
AUDIT = audit_table(METADATA)

CARRIERS = resource_table(METADATA, "carriers", resources.CARRIER)
ZONES = resource_table(METADATA, "zones", resources.ZONE)
SHIP_METHODS = resource_table(METADATA, "ship_methods", resources.SHIP_METHOD)
ASSIGNMENTS = resource_table(
    METADATA,
    "ship_method_assignments",
    resources.ASSIGNMENT,
    # Named here: by the convention its name would be longer than PostgreSQL allows.
    sa.UniqueConstraint(
        "ship_method_id", "buyer_id", "client_id", "supplier_id", "ship_from_id", name="uq_ship_method_assignments_all"
    ),
)
ASSIGNMENT = Resource(resources.ASSIGNMENT, ASSIGNMENTS)
RATE_TABLES = resource_table(
    METADATA, "rate_tables", resources.RATE_TABLE, sa.UniqueConstraint("ship_method_id", "zone_id", "currency")
)
RATE_TABLE = Resource(resources.RATE_TABLE, RATE_TABLES)
GROUPING_RULES = resource_table(METADATA, "grouping_rules", resources.GROUPING_RULE)
GROUPING_RULE = Resource(resources.GROUPING_RULE, GROUPING_RULES)

CARRIER = Resource(resources.CARRIER, CARRIERS, uses=[UsedBy.column("ship method", SHIP_METHODS.c.id, SHIP_METHODS.c.carrier_id)])
ZONE = Resource(resources.ZONE, ZONES, uses=[UsedBy.column("rate table", RATE_TABLES.c.id, RATE_TABLES.c.zone_id)])
SHIP_METHOD = Resource(
    resources.SHIP_METHOD,
    SHIP_METHODS,
    uses=[
        UsedBy.column("rate table", RATE_TABLES.c.id, RATE_TABLES.c.ship_method_id),
        UsedBy.column("ship method assignment", ASSIGNMENTS.c.id, ASSIGNMENTS.c.ship_method_id),
    ],
)

MADE = {
    "CreateCarrier": CARRIERS,
    "BatchCreateCarriers": CARRIERS,
    "CreateZone": ZONES,
    "BatchCreateZones": ZONES,
    "CreateShipMethod": SHIP_METHODS,
    "BatchCreateShipMethods": SHIP_METHODS,
    "CreateRateTable": RATE_TABLES,
    "BatchCreateRateTables": RATE_TABLES,
    "CreateShipMethodAssignment": ASSIGNMENTS,
    "BatchCreateShipMethodAssignments": ASSIGNMENTS,
    "CreateGroupingRule": GROUPING_RULES,
    "BatchCreateGroupingRules": GROUPING_RULES,
}
"""By the method that makes it: the table where the id in a recorded outcome leads, unless it was deleted."""
