import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import Kind, WaybillError
from services import roles
from tests.integration.shipping.setup import admin, days, row, small_setup, usd
from tests.support.principals import buyer, refusal_of, seller, supplier
from waybill.shipping.v1 import carrier_service_pb2 as carriers
from waybill.shipping.v1 import grouping_rule_service_pb2 as rules
from waybill.shipping.v1 import rate_table_service_pb2 as tables
from waybill.shipping.v1 import ship_method_assignment_service_pb2 as assignments
from waybill.shipping.v1 import ship_method_service_pb2 as methods
from waybill.shipping.v1 import zone_service_pb2 as zones


def found_in(refused):
    return [(f.field, f.reason) for f in refused.value.fields]


def carrier(**more):
    return carriers.Carrier(**{"name": "DHL", "active": True, **more})


def rate_table(**more):
    values = {"ship_method_id": "ground", "zone_id": "us", "currency": "EUR", "rows": [row(None, usd(5, currency="EUR"))]}
    return tables.RateTable(**{**values, **more})


async def test_every_kind_of_resource_is_read_as_it_was_written(served):
    me = await small_setup(served)
    zone = zones.Zone(
        id="west",
        name="West",
        destinations=[zones.ZoneDestination(country="US", region="CA", postal_prefix="90"), zones.ZoneDestination(country="CA")],
    )
    zone.xp.update({"team": {"lead": "Ann"}})
    made = (await me.zones.CreateZone(zones.CreateZoneRequest(zone=zone))).zone
    assert (made.etag, made.destinations, made.xp) == ("1", zone.destinations, zone.xp)
    assert (await me.zones.GetZone(zones.GetZoneRequest(zone_id="west"))).zone == made

    wanted = rate_table(
        rows=[row("0.5", usd(5, 99, "EUR")), row(None, usd(0, 0, "EUR"), usd(1, 25, "EUR"))],
        handling=usd(0, 50, "EUR"),
        min_lead_time=days(0),
        max_lead_time=days(3),
    )
    table = (await me.tables.CreateRateTable(tables.CreateRateTableRequest(rate_table=wanted))).rate_table
    assert table.id.startswith("rtt_")
    assert (list(table.rows), table.handling) == (list(wanted.rows), wanted.handling)
    assert (table.min_lead_time, table.max_lead_time) == (wanted.min_lead_time, wanted.max_lead_time)
    assert (await me.tables.GetRateTable(tables.GetRateTableRequest(rate_table_id=table.id))).rate_table == table

    rule = rules.GroupingRule(
        client_id="shop",
        priority=7,
        match=rules.GroupingMatch(supplier_ids=["a", "b"], product_ids=["p"]),
        grouping=rules.GROUPING_SUPPLIER,
    )
    kept = (await me.rules.CreateGroupingRule(rules.CreateGroupingRuleRequest(grouping_rule=rule))).grouping_rule
    assert (kept.match, kept.grouping, kept.priority) == (rule.match, rule.grouping, 7)
    got = await me.rules.GetGroupingRule(rules.GetGroupingRuleRequest(grouping_rule_id=kept.id))
    assert got.grouping_rule == kept

    method = (await me.methods.GetShipMethod(methods.GetShipMethodRequest(ship_method_id="counter"))).ship_method
    assert (method.pickup, method.carrier_id, method.HasField("min_lead_time")) == (True, "", False)
    one = await me.assignments.GetShipMethodAssignment(
        assignments.GetShipMethodAssignmentRequest(ship_method_assignment_id="all-ground")
    )
    assert one.ship_method_assignment.ship_method_id == "ground"


async def test_an_update_changes_the_fields_of_its_mask_and_a_stale_etag_is_refused(served):
    me = await small_setup(served)
    change = tables.RateTable(id="ground-us", etag="1", rows=[row("30", usd(6))], currency="JPY")
    changed = await me.tables.UpdateRateTable(
        tables.UpdateRateTableRequest(rate_table=change, update_mask=FieldMask(paths=["rows"]))
    )
    assert (changed.rate_table.etag, changed.rate_table.currency) == ("2", "USD")
    assert list(changed.rate_table.rows) == [row("30", usd(6))]
    with pytest.raises(WaybillError) as refused:
        await me.tables.UpdateRateTable(tables.UpdateRateTableRequest(rate_table=change))
    assert (refused.value.kind, refused.value.reason) == (Kind.STALE, "ETAG_MISMATCH")
    method = methods.ShipMethod(id="ground")
    method.xp.update({"green": None, "legs": 2})
    merged = await me.methods.UpdateShipMethod(methods.UpdateShipMethodRequest(ship_method=method))
    assert dict(merged.ship_method.xp) == {"code": "03", "legs": 2}


async def test_identities_do_not_change(served):
    me = await small_setup(served)
    with pytest.raises(WaybillError) as refused:
        await me.tables.UpdateRateTable(
            tables.UpdateRateTableRequest(
                rate_table=tables.RateTable(id="ground-us", ship_method_id="next-day", zone_id="x", currency="EUR")
            )
        )
    assert found_in(refused) == [
        ("rate_table.ship_method_id", "FIELD_INVALID"),
        ("rate_table.zone_id", "FIELD_INVALID"),
        ("rate_table.currency", "FIELD_INVALID"),
    ]
    with pytest.raises(WaybillError) as refused:
        await me.methods.UpdateShipMethod(
            methods.UpdateShipMethodRequest(ship_method=methods.ShipMethod(id="ground", pickup=True))
        )
    assert found_in(refused) == [("ship_method.pickup", "FIELD_INVALID")]


async def test_unknown_references_and_twins_are_refused_together(served):
    me = await small_setup(served)
    with pytest.raises(WaybillError) as refused:
        await me.tables.BatchCreateRateTables(
            tables.BatchCreateRateTablesRequest(
                rate_tables=[
                    rate_table(ship_method_id="rocket"),
                    rate_table(zone_id="moon"),
                    rate_table(),
                    rate_table(),
                    rate_table(currency="USD", rows=[row(None, usd(1))]),
                    rate_table(ship_method_id="no\0good", currency="CHF", rows=[row(None, usd(1, 0, "CHF"))]),
                ]
            )
        )
    assert set(found_in(refused)) == {
        ("rate_tables[0].ship_method_id", "SHIP_METHOD_NOT_FOUND"),
        ("rate_tables[1].zone_id", "ZONE_NOT_FOUND"),
        ("rate_tables[3]", "RATE_TABLE_EXISTS"),
        ("rate_tables[4]", "RATE_TABLE_EXISTS"),
        ("rate_tables[5].ship_method_id", "ID_INVALID"),
    }
    assert len((await me.tables.ListRateTables(tables.ListRateTablesRequest())).rate_tables) == 2

    with pytest.raises(WaybillError) as refused:
        await me.methods.CreateShipMethod(
            methods.CreateShipMethodRequest(ship_method=methods.ShipMethod(name="X", carrier_id="nobody"))
        )
    assert found_in(refused) == [("ship_method.carrier_id", "CARRIER_NOT_FOUND")]
    with pytest.raises(WaybillError) as refused:
        await me.assignments.BatchCreateShipMethodAssignments(
            assignments.BatchCreateShipMethodAssignmentsRequest(
                ship_method_assignments=[
                    assignments.ShipMethodAssignment(ship_method_id="ground"),
                    assignments.ShipMethodAssignment(ship_method_id="rocket"),
                ]
            )
        )
    assert found_in(refused) == [
        ("ship_method_assignments[1].ship_method_id", "SHIP_METHOD_NOT_FOUND"),
        ("ship_method_assignments[0]", "ASSIGNMENT_EXISTS"),
    ]


async def test_every_violation_of_a_rate_table_is_reported_at_once(served):
    me = await small_setup(served)
    wrong = tables.RateTable(
        id="no good",
        currency="USD",
        min_lead_time=Duration(seconds=1, nanos=5),
        handling=usd(-1),
        rows=[
            row(None, usd(1)),
            row("2", usd(1, currency="EUR")),
            row("2", usd(1), usd(-1)),
            tables.RateRow(),
            row("1e-13", usd(1)),
        ],
    )
    with pytest.raises(WaybillError) as refused:
        await me.tables.CreateRateTable(tables.CreateRateTableRequest(rate_table=wrong))
    assert refused.value.reason == "INVALID_REQUEST"
    assert set(found_in(refused)) == {
        ("rate_table.id", "ID_INVALID"),
        ("rate_table.ship_method_id", "FIELD_REQUIRED"),
        ("rate_table.zone_id", "FIELD_REQUIRED"),
        ("rate_table.rows[0].up_to_weight_kg", "RATE_ROWS_UNORDERED"),
        ("rate_table.rows[1].price", "CURRENCY_MISMATCH"),
        ("rate_table.rows[2].up_to_weight_kg", "RATE_ROWS_UNORDERED"),
        ("rate_table.rows[2].per_kg", "AMOUNT_NEGATIVE"),
        ("rate_table.rows[3].up_to_weight_kg", "RATE_ROWS_UNORDERED"),
        ("rate_table.rows[3].price", "FIELD_REQUIRED"),
        ("rate_table.rows[4].up_to_weight_kg", "FIELD_INVALID"),
        ("rate_table.rows[4].up_to_weight_kg", "RATE_ROWS_UNORDERED"),
        ("rate_table.handling", "AMOUNT_NEGATIVE"),
        ("rate_table.min_lead_time", "VALUE_OUT_OF_RANGE"),
        ("rate_table.max_lead_time", "FIELD_REQUIRED"),
    }
    assert len((await me.tables.ListRateTables(tables.ListRateTablesRequest())).rate_tables) == 2


async def test_wrong_zones_methods_and_rules_are_refused(served):
    me = await small_setup(served)
    with pytest.raises(WaybillError) as refused:
        await me.zones.CreateZone(
            zones.CreateZoneRequest(
                zone=zones.Zone(
                    name="Z",
                    destinations=[
                        zones.ZoneDestination(),
                        zones.ZoneDestination(region="CA"),
                        zones.ZoneDestination(country="us"),
                        zones.ZoneDestination(country="DE", postal_prefix="ß" * 20),
                    ],
                )
            )
        )
    assert found_in(refused) == [
        ("zone.destinations[1].country", "FIELD_REQUIRED"),
        ("zone.destinations[2].country", "FIELD_INVALID"),
        ("zone.destinations[3].postal_prefix", "VALUE_OUT_OF_RANGE"),
    ]
    with pytest.raises(WaybillError) as refused:
        await me.zones.CreateZone(zones.CreateZoneRequest(zone=zones.Zone(name="Z")))
    assert found_in(refused) == [("zone.destinations", "FIELD_REQUIRED")]
    with pytest.raises(WaybillError) as refused:
        await me.methods.CreateShipMethod(
            methods.CreateShipMethodRequest(
                ship_method=methods.ShipMethod(name="M", min_lead_time=days(3), max_lead_time=days(2))
            )
        )
    assert found_in(refused) == [("ship_method.max_lead_time", "VALUE_OUT_OF_RANGE")]
    with pytest.raises(WaybillError) as refused:
        await me.rules.CreateGroupingRule(
            rules.CreateGroupingRuleRequest(
                grouping_rule=rules.GroupingRule(
                    priority=-1, match=rules.GroupingMatch(supplier_ids=["a", "a"], product_ids=["b c"])
                )
            )
        )
    assert found_in(refused) == [
        ("grouping_rule.priority", "VALUE_OUT_OF_RANGE"),
        ("grouping_rule.match.supplier_ids[1]", "DUPLICATE_ITEM"),
        ("grouping_rule.match.product_ids[0]", "ID_INVALID"),
        ("grouping_rule.grouping", "FIELD_REQUIRED"),
    ]


async def test_only_the_sellers_shipping_administrators_get_anything(served):
    await small_setup(served)
    calls = [
        (lambda a: a.carriers.CreateCarrier(carriers.CreateCarrierRequest(carrier=carrier()))),
        (lambda a: a.carriers.GetCarrier(carriers.GetCarrierRequest(carrier_id="ups"))),
        (lambda a: a.zones.ListZones(zones.ListZonesRequest())),
        (lambda a: a.methods.UpdateShipMethod(methods.UpdateShipMethodRequest())),
        (lambda a: a.tables.BatchCreateRateTables(tables.BatchCreateRateTablesRequest())),
        (lambda a: a.rules.DeleteGroupingRule(rules.DeleteGroupingRuleRequest(grouping_rule_id="x"))),
        (lambda a: a.assignments.ListShipMethodAssignments(assignments.ListShipMethodAssignmentsRequest())),
    ]
    strangers = (seller(roles.PRODUCT_ADMIN), buyer(roles.SHIPPING_ADMIN), supplier(roles.FULL_ACCESS))
    for stranger in strangers:
        for call in calls:
            with pytest.raises(WaybillError) as refused:
                await call(admin(served, stranger))
            assert (refused.value.reason, refused.value.metadata) == refusal_of(stranger, "ShippingAdmin")
    assert await calls[1](admin(served, seller(roles.SHIPPING_ADMIN)))


async def test_a_repeated_request_has_one_effect(served):
    me = admin(served)
    request = carriers.CreateCarrierRequest(carrier=carrier(), request_id="once")
    first = await me.carriers.CreateCarrier(request)
    assert await me.carriers.CreateCarrier(request) == first
    assert len((await me.carriers.ListCarriers(carriers.ListCarriersRequest())).carriers) == 1
    other = carriers.CreateCarrierRequest(carrier=carrier(name="Other"), request_id="once")
    with pytest.raises(WaybillError) as refused:
        await me.carriers.CreateCarrier(other)
    assert refused.value.reason == "REQUEST_ID_REUSED"
    again = carriers.CreateCarrierRequest(carrier=carrier(id=first.carrier.id))
    with pytest.raises(WaybillError) as refused:
        await me.carriers.CreateCarrier(again)
    assert (refused.value.kind, refused.value.reason) == (Kind.EXISTS, "RESOURCE_EXISTS")


async def test_assignments_and_rules_are_deleted_once(served):
    me = await small_setup(served)
    request = assignments.DeleteShipMethodAssignmentRequest(ship_method_assignment_id="all-ground", request_id="gone")
    await me.assignments.DeleteShipMethodAssignment(request)
    await me.assignments.DeleteShipMethodAssignment(request)
    request.request_id = ""
    with pytest.raises(WaybillError) as refused:
        await me.assignments.DeleteShipMethodAssignment(request)
    assert (refused.value.kind, refused.value.reason) == (Kind.MISSING, "RESOURCE_NOT_FOUND")


async def test_lists_are_filtered_ordered_and_paged(served):
    me = admin(served)
    await me.carriers.BatchCreateCarriers(
        carriers.BatchCreateCarriersRequest(
            carriers=[carrier(id=f"c{i}", name=f"Carrier {i}", active=i % 2 == 0) for i in range(7)]
        )
    )
    seen, token = [], ""
    while True:
        page = await me.carriers.ListCarriers(
            carriers.ListCarriersRequest(page_size=2, page_token=token, filter="active = true", order_by="name desc")
        )
        seen += [c.id for c in page.carriers]
        token = page.next_page_token
        if not token:
            break
    assert seen == ["c6", "c4", "c2", "c0"]
    with pytest.raises(WaybillError) as refused:
        await me.carriers.ListCarriers(carriers.ListCarriersRequest(filter="colour = red"))
    assert refused.value.reason == "FILTER_INVALID"


async def test_a_batch_takes_a_constant_number_of_statements(served):
    me = await small_setup(served)
    counts = []
    for size in (1, 1_000):
        before = served.statements
        await me.assignments.BatchCreateShipMethodAssignments(
            assignments.BatchCreateShipMethodAssignmentsRequest(
                ship_method_assignments=[
                    assignments.ShipMethodAssignment(ship_method_id="ground", buyer_id=f"b{size}-{i}") for i in range(size)
                ]
            )
        )
        counts.append(served.statements - before)
    assert counts[0] == counts[1]
    page = await me.assignments.ListShipMethodAssignments(
        assignments.ListShipMethodAssignmentsRequest(page_size=1_000, filter='ship_method_id = "ground"')
    )
    assert len(page.ship_method_assignments) == 1_000
    assert page.next_page_token


async def test_zones_and_grouping_rules_are_made_together_listed_and_changed_by_their_masks(served):
    me = await small_setup(served)
    wanted = [zones.Zone(id=id, name=id, destinations=[zones.ZoneDestination(country=id)]) for id in ("CA", "MX")]
    made = (await me.zones.BatchCreateZones(zones.BatchCreateZonesRequest(zones=wanted))).zones
    assert [(z.id, z.etag) for z in made] == [("CA", "1"), ("MX", "1")]
    change = zones.UpdateZoneRequest(zone=zones.Zone(id="CA", name="North"), update_mask=FieldMask(paths=["name"]))
    north = (await me.zones.UpdateZone(change)).zone
    assert (north.name, north.etag, north.destinations) == ("North", "2", wanted[0].destinations)

    both = [rules.GroupingRule(id=id, client_id=id, grouping=rules.GROUPING_ORDER) for id in ("shop", "desk")]
    await me.rules.BatchCreateGroupingRules(rules.BatchCreateGroupingRulesRequest(grouping_rules=both))
    changed = rules.GroupingRule(id="desk", priority=3)
    mask = FieldMask(paths=["priority"])
    await me.rules.UpdateGroupingRule(rules.UpdateGroupingRuleRequest(grouping_rule=changed, update_mask=mask))
    listed = await me.rules.ListGroupingRules(rules.ListGroupingRulesRequest(order_by="id"))
    assert [(r.id, r.client_id, r.priority) for r in listed.grouping_rules if r.id in ("shop", "desk")] == [
        ("desk", "desk", 3),
        ("shop", "shop", 0),
    ]
