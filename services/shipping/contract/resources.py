"""What the seller's shipping set-up is made of, between messages and the values that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from libs.errors import Violations
from libs.resource.contract import Shape, currency, document, enum, flag, integer, money, ref, text, xp
from services.shipping.contract.attributes import check_match, check_places, lead_time, rate_rows
from services.shipping.domain import checks
from waybill.shipping.v1 import (
    carrier_service_pb2,
    grouping_rule_service_pb2,
    rate_table_service_pb2,
    ship_method_assignment_service_pb2,
    ship_method_service_pb2,
    zone_service_pb2,
)


def _check_method(found: Violations, where: str, row: Mapping[str, Any]) -> None:
    checks.method_lead_times(found, where, row["min_lead_time"], row["max_lead_time"])


def _check_table(found: Violations, where: str, row: Mapping[str, Any]) -> None:
    checks.table_lead_times(found, where, row["min_lead_time"], row["max_lead_time"])


_CARRIER = (text("name", 100, required=True), flag("active"), xp())
CARRIER = Shape("carrier", carrier_service_pb2.Carrier, _CARRIER, prefix="car")

_ZONE = (text("name", 100, required=True), document("destinations", check_places), xp())
ZONE = Shape("zone", zone_service_pb2.Zone, _ZONE, prefix="zon")

_SHIP_METHOD = (
    text("name", 100, required=True),
    ref("carrier_id"),
    flag("active"),
    replace(flag("pickup"), immutable=True),
    lead_time("min_lead_time"),
    lead_time("max_lead_time"),
    xp(),
)
SHIP_METHOD = Shape("ship method", ship_method_service_pb2.ShipMethod, _SHIP_METHOD, prefix="shm", check=_check_method)

_ASSIGNMENT = (
    ref("ship_method_id", required=True, index=False),
    ref("buyer_id"),
    ref("client_id", index=False),
    ref("supplier_id", index=False),
    ref("ship_from_id", index=False),
)
ASSIGNMENT = Shape("ship method assignment", ship_method_assignment_service_pb2.ShipMethodAssignment, _ASSIGNMENT, prefix="sma")

_RATE_TABLE = (
    ref("ship_method_id", required=True, immutable=True, index=False),
    ref("zone_id", required=True, immutable=True),
    currency(),
    rate_rows(),
    money("handling", finer=True),
    lead_time("min_lead_time"),
    lead_time("max_lead_time"),
    flag("tax_included"),
)
RATE_TABLE = Shape("rate table", rate_table_service_pb2.RateTable, _RATE_TABLE, prefix="rtt", check=_check_table)

_GROUPING_RULE = (
    ref("client_id", immutable=True),
    integer("priority", 0, 1_000_000),
    document("match", check_match),
    enum("grouping", grouping_rule_service_pb2.Grouping, "GROUPING_"),
)
GROUPING_RULE = Shape("grouping rule", grouping_rule_service_pb2.GroupingRule, _GROUPING_RULE, prefix="grp")
