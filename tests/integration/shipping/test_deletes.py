"""Parts of the set-up are deleted while nothing uses them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from libs.db import Database
from libs.errors import Kind, WaybillError
from libs.resource.database import methods as deleting
from services.shipping.adapters.db.references import SqlReferences
from tests.integration.shipping.setup import Admin, admin, small_setup
from tests.support.principals import seller
from waybill.shipping.v1 import carrier_service_pb2 as carriers
from waybill.shipping.v1 import grouping_rule_service_pb2 as rules
from waybill.shipping.v1 import rate_table_service_pb2 as tables
from waybill.shipping.v1 import ship_method_assignment_service_pb2 as assignments
from waybill.shipping.v1 import ship_method_service_pb2 as methods
from waybill.shipping.v1 import zone_service_pb2 as zones

BLOCKED = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%carriers%'")


async def carrier_goes(me: Admin, id: str = "ups") -> None:
    await me.carriers.DeleteCarrier(carriers.DeleteCarrierRequest(carrier_id=id))


async def zone_goes(me: Admin) -> None:
    await me.zones.DeleteZone(zones.DeleteZoneRequest(zone_id="us"))


async def method_goes(me: Admin, id: str = "ground") -> None:
    await me.methods.DeleteShipMethod(methods.DeleteShipMethodRequest(ship_method_id=id))


async def table_goes(me: Admin, id: str) -> None:
    await me.tables.DeleteRateTable(tables.DeleteRateTableRequest(rate_table_id=id))


async def assignment_goes(me: Admin, id: str) -> None:
    await me.assignments.DeleteShipMethodAssignment(assignments.DeleteShipMethodAssignmentRequest(ship_method_assignment_id=id))


async def used_by(call) -> str:
    with pytest.raises(WaybillError) as caught:
        await call
    assert (caught.value.kind, caught.value.reason) == (Kind.PRECONDITION, "RESOURCE_IN_USE")
    assert [rule.type for rule in caught.value.rules] == ["RESOURCE_IN_USE"] * len(caught.value.rules)
    return caught.value.metadata["used_by"]


async def test_what_is_used_is_named_with_all_that_uses_it(served):
    me = await small_setup(served)

    assert await used_by(carrier_goes(me)) == "ship method: 2 (ground, next-day)"
    assert await used_by(zone_goes(me)) == "rate table: 2 (ground-us, next-day-us)"
    assert await used_by(method_goes(me)) == "rate table: 1 (ground-us); ship method assignment: 1 (all-ground)"


async def test_of_many_that_use_it_some_are_named_and_all_counted(served):
    me = await small_setup(served)
    more = [methods.ShipMethod(id=f"m{i}", name="More", carrier_id="ups") for i in range(6)]
    await me.methods.BatchCreateShipMethods(methods.BatchCreateShipMethodsRequest(ship_methods=more))

    assert await used_by(carrier_goes(me)) == "ship method: 8 (ground, m0, m1, m2, m3, ...)"


async def test_a_set_up_is_taken_apart_from_its_ends(served):
    me = await small_setup(served)
    rule = rules.GroupingRule(id="r", grouping=rules.GROUPING_ORDER)
    await me.rules.CreateGroupingRule(rules.CreateGroupingRuleRequest(grouping_rule=rule, request_id="made"))

    for id in ("ground", "next-day"):
        await table_goes(me, f"{id}-us")
        await assignment_goes(me, f"all-{id}")
        await method_goes(me, id)
    await zone_goes(me)
    await carrier_goes(me)
    await me.rules.DeleteGroupingRule(rules.DeleteGroupingRuleRequest(grouping_rule_id="r", etag="1"))

    assert [m.id for m in (await me.methods.ListShipMethods(methods.ListShipMethodsRequest())).ship_methods] == ["counter"]
    assert not (await me.carriers.ListCarriers(carriers.ListCarriersRequest())).carriers


async def test_a_taken_id_is_named_beside_what_else_is_wrong(served):
    me = await small_setup(served)
    await assignment_goes(me, "all-ground")
    wrong = assignments.ShipMethodAssignment(id="all-ground", ship_method_id="nothing")
    with pytest.raises(WaybillError) as caught:
        await me.assignments.CreateShipMethodAssignment(
            assignments.CreateShipMethodAssignmentRequest(ship_method_assignment=wrong)
        )
    assert sorted((f.field, f.reason) for f in caught.value.fields) == [
        ("ship_method_assignment.id", "ID_OF_DELETED"),
        ("ship_method_assignment.ship_method_id", "SHIP_METHOD_NOT_FOUND"),
    ]


async def test_only_shipping_administrators_delete(served):
    await small_setup(served)
    other = admin(served, seller("ProductAdmin"))
    for call in (carrier_goes(other), zone_goes(other), method_goes(other), table_goes(other, "ground-us")):
        with pytest.raises(WaybillError) as refused:
            await call
        assert refused.value.metadata == {"role": "ShippingAdmin"}


async def meet(settings, patched: pytest.MonkeyPatch, owner: Any, name: str, first: Any, second: Any) -> list[Any]:
    """What two calls answer, the second one begun while the first stands in its transaction, after a step of it.

    On PostgreSQL the first goes on when the second waits for it. SQLite has one writer.
    """
    step, reached, go_on = getattr(owner, name), asyncio.Event(), asyncio.Event()

    async def waiting(*given: Any) -> Any:
        answer = await step(*given)
        reached.set()
        await go_on.wait()
        return answer

    patched.setattr(owner, name, waiting)
    one = asyncio.ensure_future(first)
    await reached.wait()
    other = asyncio.ensure_future(second)
    database = await Database.open(settings.database_url, settings.database_schema)
    async with asyncio.timeout(30):
        while database.dialect == "postgresql" and not other.done():
            async with database.reading() as tx:
                if (await tx.execute(BLOCKED)).scalar():
                    break
    await database.close()
    go_on.set()
    return await asyncio.gather(one, other, return_exceptions=True)


async def test_who_refers_to_what_is_being_deleted_waits_and_finds_it_gone(served, settings, monkeypatch):
    me = admin(served)
    await me.carriers.CreateCarrier(carriers.CreateCarrierRequest(carrier=carriers.Carrier(id="dhl", name="DHL")))
    method = methods.ShipMethod(id="express", name="Express", carrier_id="dhl")
    creating = me.methods.CreateShipMethod(methods.CreateShipMethodRequest(ship_method=method))

    gone, refused = await meet(settings, monkeypatch, deleting, "uses_of", carrier_goes(me, "dhl"), creating)

    assert gone is None
    assert refused.reason == "CARRIER_NOT_FOUND"


async def test_a_delete_waits_for_who_refers_to_it_and_is_refused(served, settings, monkeypatch):
    me = admin(served)
    await me.carriers.CreateCarrier(carriers.CreateCarrierRequest(carrier=carriers.Carrier(id="dhl", name="DHL")))
    method = methods.ShipMethod(id="express", name="Express", carrier_id="dhl")
    creating = me.methods.CreateShipMethod(methods.CreateShipMethodRequest(ship_method=method))

    made, refused = await meet(settings, monkeypatch, SqlReferences, "carriers", creating, carrier_goes(me, "dhl"))

    assert made.ship_method.id == "express"
    assert refused.metadata["used_by"] == "ship method: 1 (express)"
