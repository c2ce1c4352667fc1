"""Stubs of an administrator, and a small set-up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.type.decimal_pb2 import Decimal
from google.type.money_pb2 import Money

from libs.auth import Principal
from tests.support.principals import seller
from tests.support.server import Served
from waybill.shipping.v1 import carrier_service_pb2 as carriers
from waybill.shipping.v1 import carrier_service_pb2_grpc as carriers_grpc
from waybill.shipping.v1 import grouping_rule_service_pb2_grpc as rules_grpc
from waybill.shipping.v1 import rate_table_service_pb2 as tables
from waybill.shipping.v1 import rate_table_service_pb2_grpc as tables_grpc
from waybill.shipping.v1 import ship_method_assignment_service_pb2 as assignments
from waybill.shipping.v1 import ship_method_assignment_service_pb2_grpc as assignments_grpc
from waybill.shipping.v1 import ship_method_service_pb2 as methods
from waybill.shipping.v1 import ship_method_service_pb2_grpc as methods_grpc
from waybill.shipping.v1 import zone_service_pb2 as zones
from waybill.shipping.v1 import zone_service_pb2_grpc as zones_grpc

DAY = 86_400


def usd(units: int, cents: int = 0, currency: str = "USD") -> Money:
    return Money(currency_code=currency, units=units, nanos=cents * 10_000_000)


def row(up_to: str | None, price: Money, per_kg: Money | None = None) -> tables.RateRow:
    return tables.RateRow(up_to_weight_kg=None if up_to is None else Decimal(value=up_to), price=price, per_kg=per_kg)


def days(count: int) -> Duration:
    return Duration(seconds=count * DAY)


@dataclass(slots=True)
class Admin:
    """Every set-up service, as one user."""

    carriers: Any
    zones: Any
    methods: Any
    assignments: Any
    tables: Any
    rules: Any


def admin(served: Served, principal: Principal | None = None) -> Admin:
    def stub(kind: Any) -> Any:
        return served.stub(kind, principal or seller())

    return Admin(
        stub(carriers_grpc.CarrierServiceStub),
        stub(zones_grpc.ZoneServiceStub),
        stub(methods_grpc.ShipMethodServiceStub),
        stub(assignments_grpc.ShipMethodAssignmentServiceStub),
        stub(tables_grpc.RateTableServiceStub),
        stub(rules_grpc.GroupingRuleServiceStub),
    )


async def small_setup(served: Served) -> Admin:
    """Ground and next-day (up to 50 kg) within the US, and a counter: all for everyone."""
    me = admin(served)
    await me.carriers.CreateCarrier(carriers.CreateCarrierRequest(carrier=carriers.Carrier(id="ups", name="UPS", active=True)))
    await me.zones.CreateZone(
        zones.CreateZoneRequest(zone=zones.Zone(id="us", name="USA", destinations=[zones.ZoneDestination(country="US")]))
    )
    ground = methods.ShipMethod(
        id="ground", name="Ground", carrier_id="ups", active=True, min_lead_time=days(2), max_lead_time=days(5)
    )
    ground.xp.update({"code": "03", "green": True})
    await me.methods.BatchCreateShipMethods(
        methods.BatchCreateShipMethodsRequest(
            ship_methods=[
                ground,
                methods.ShipMethod(
                    id="next-day", name="Next day", carrier_id="ups", active=True, min_lead_time=days(1), max_lead_time=days(1)
                ),
                methods.ShipMethod(id="counter", name="Counter", active=True, pickup=True),
            ]
        )
    )
    await me.tables.BatchCreateRateTables(
        tables.BatchCreateRateTablesRequest(
            rate_tables=[
                tables.RateTable(
                    id="ground-us",
                    ship_method_id="ground",
                    zone_id="us",
                    currency="USD",
                    rows=[row("1", usd(5)), row(None, usd(4), usd(0, 75))],
                ),
                tables.RateTable(
                    id="next-day-us",
                    ship_method_id="next-day",
                    zone_id="us",
                    currency="USD",
                    rows=[row("50", usd(20))],
                    handling=usd(1, 50),
                ),
            ]
        )
    )
    await me.assignments.BatchCreateShipMethodAssignments(
        assignments.BatchCreateShipMethodAssignmentsRequest(
            ship_method_assignments=[
                assignments.ShipMethodAssignment(id=f"all-{id}", ship_method_id=id) for id in ("ground", "next-day", "counter")
            ]
        )
    )
    return me
