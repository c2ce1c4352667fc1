"""Tables and resources of shipping."""

from __future__ import annotations

import sqlalchemy as sa

from libs.db import metadata
from libs.idempotency import outcomes
from libs.relay.changes import change_tables
from libs.resource.database import Resource, resource_table
from services.shipping.contract import resources

METADATA = metadata()
REQUESTS = outcomes.table(METADATA)
CHANGES = change_tables(METADATA)

CARRIERS = resource_table(METADATA, "carriers", resources.CARRIER)
CARRIER = Resource(resources.CARRIER, CARRIERS)
ZONES = resource_table(METADATA, "zones", resources.ZONE)
ZONE = Resource(resources.ZONE, ZONES)
SHIP_METHODS = resource_table(METADATA, "ship_methods", resources.SHIP_METHOD)
SHIP_METHOD = Resource(resources.SHIP_METHOD, SHIP_METHODS)
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
