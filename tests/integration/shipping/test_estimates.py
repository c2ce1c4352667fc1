import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.decimal_pb2 import Decimal

from libs.errors import Kind, WaybillError
from tests.integration.shipping.conftest import NOW
from tests.integration.shipping.setup import small_setup, usd
from tests.support.principals import buyer, seller
from tests.support.problems import about
from waybill.shipping.v1 import carrier_service_pb2 as carriers
from waybill.shipping.v1 import grouping_rule_service_pb2 as rules
from waybill.shipping.v1 import rate_table_service_pb2 as tables
from waybill.shipping.v1 import ship_method_assignment_service_pb2 as assignments
from waybill.shipping.v1 import ship_method_service_pb2 as methods
from waybill.shipping.v1 import shipping_service_pb2 as pb
from waybill.shipping.v1 import shipping_service_pb2_grpc as pb_grpc
from waybill.type.v1.address_pb2 import Address

LA = Address(lines=["1 Main St"], city="Los Angeles", region="CA", postal_code="90012", country="US")
BERLIN = Address(lines=["Weg 1"], city="Berlin", postal_code="10115", country="DE")


def item(line="l1", quantity=1, **more):
    weight = more.pop("weight", "1")
    more = {"product_id": "p1", "ship_from_id": "w1", **more}
    return pb.ShippingItem(line_item_id=line, quantity=quantity, weight_kg=Decimal(value=weight), **more)


async def estimate(served, items, **more):
    stub = served.service_stub(pb_grpc.ShippingServiceStub, "order", buyer())
    asked = {"buyer_id": "acme", "client_id": "shop", "currency": "USD", "ship_to": LA, **more}
    return await stub.EstimateShipping(pb.EstimateShippingRequest(items=items, **asked))


def offered(found):
    return [m.id for m in found.ship_methods]


async def add_rule(me, grouping, id, **more):
    await me.rules.CreateGroupingRule(
        rules.CreateGroupingRuleRequest(grouping_rule=rules.GroupingRule(id=id, grouping=grouping, **more))
    )


async def test_an_order_is_grouped_and_every_group_is_offered_its_methods(served):
    await small_setup(served)
    found = await estimate(
        served,
        [
            item("l1", 2, supplier_id="bolt", ship_from_id="b1", weight="0.5"),
            item("l2", 4, supplier_id="bolt", ship_from_id="b1", weight="20"),
            item("l3", 1, ship_from_id="w1"),
            item("l4", 1, ship_from_id="w1", pickup_location_id="store"),
        ],
    )
    bolt, own, picked = found.ship_estimates
    assert [(i.line_item_id, i.quantity) for i in bolt.items] == [("l1", 2), ("l2", 4)]
    assert (bolt.supplier_id, bolt.ship_from_id, bolt.grouping, bolt.weight_kg.value) == ("bolt", "b1", "ship_from", "81")
    assert offered(bolt) == ["ground"]
    assert bolt.ship_methods[0].cost == usd(64, 75)
    assert offered(own) == ["ground", "next-day"]
    assert [m.cost for m in own.ship_methods] == [usd(5), usd(21, 50)]
    ground = own.ship_methods[0]
    assert (ground.name, ground.carrier_id, ground.pickup, dict(ground.xp)) == (
        "Ground",
        "ups",
        False,
        {"code": "03", "green": True},
    )
    assert (ground.min_lead_time.seconds, ground.max_lead_time.seconds) == (2 * 86_400, 5 * 86_400)
    assert (picked.grouping, offered(picked), picked.ship_methods[0].cost) == ("pickup", ["counter"], usd(0))
    assert picked.ship_methods[0].pickup
    assert list(found.problems) == []
    assert found.rate_time.ToDatetime(tzinfo=NOW.tzinfo) == NOW


async def test_a_method_includes_its_tax_where_its_rate_table_says_so(served):
    me = await small_setup(served)
    change = tables.RateTable(id="ground-us", tax_included=True)
    asked = tables.UpdateRateTableRequest(rate_table=change, update_mask=FieldMask(paths=["tax_included"]))
    await me.tables.UpdateRateTable(asked)
    found = await estimate(served, [item("l1"), item("l2", pickup_location_id="store")])
    offered_to = {m.id: m.tax_included for e in found.ship_estimates for m in e.ship_methods}
    assert offered_to == {"ground": True, "next-day": False, "counter": False}


async def test_the_same_group_has_the_same_id_in_the_next_estimate(served):
    await small_setup(served)
    first = await estimate(served, [item("l1"), item("l2", ship_from_id="w2")])
    again = await estimate(served, [item("l9", 7)])
    assert first.ship_estimates[0].id == again.ship_estimates[0].id
    assert first.ship_estimates[1].id != again.ship_estimates[0].id


async def test_the_channels_rules_group_its_orders_and_default_rules_the_others(served):
    me = await small_setup(served)
    await add_rule(me, rules.GROUPING_ORDER, "default", match=rules.GroupingMatch())
    await add_rule(me, rules.GROUPING_LINE, "big", client_id="shop", priority=1, match=rules.GroupingMatch(product_ids=["big"]))
    await add_rule(me, rules.GROUPING_SUPPLIER, "rest", client_id="shop", priority=2)
    items = [
        item("l1", product_id="big"),
        item("l2", product_id="big"),
        item("l3", supplier_id="bolt", ship_from_id="b1"),
        item("l4", supplier_id="bolt", ship_from_id="b2"),
    ]

    async def groups(client):
        found = await estimate(served, items, client_id=client)
        return [(e.grouping, [i.line_item_id for i in e.items]) for e in found.ship_estimates]

    assert await groups("shop") == [("line", ["l1"]), ("line", ["l2"]), ("supplier", ["l3", "l4"])]
    assert await groups("other") == [("order", ["l1", "l2", "l3", "l4"])]
    await me.rules.DeleteGroupingRule(rules.DeleteGroupingRuleRequest(grouping_rule_id="default"))
    assert len(await groups("other")) == 3


async def test_a_method_is_offered_to_those_whom_it_is_assigned_to(served):
    me = await small_setup(served)

    async def assign(**to):
        made = await me.assignments.CreateShipMethodAssignment(
            assignments.CreateShipMethodAssignmentRequest(
                ship_method_assignment=assignments.ShipMethodAssignment(ship_method_id="next-day", **to)
            )
        )
        return made.ship_method_assignment.id

    async def unassign(id):
        await me.assignments.DeleteShipMethodAssignment(
            assignments.DeleteShipMethodAssignmentRequest(ship_method_assignment_id=id)
        )

    async def seen(**more):
        found = await estimate(served, [item(supplier_id="bolt", ship_from_id="b1")], **more)
        return "next-day" in offered(found.ship_estimates[0])

    await unassign("all-next-day")
    assert not await seen()
    for to, yes, no in [
        ({"buyer_id": "acme"}, {}, {"buyer_id": "umbrella"}),
        ({"client_id": "shop"}, {}, {"client_id": "app"}),
        ({"buyer_id": "acme", "client_id": "shop"}, {}, {"client_id": "app"}),
    ]:
        id = await assign(**to)
        assert await seen(**yes)
        assert not await seen(**no)
        await unassign(id)
    for to, wanted in [
        ({"supplier_id": "bolt"}, True),
        ({"supplier_id": "nut"}, False),
        ({"ship_from_id": "b1"}, True),
        ({"supplier_id": "bolt", "ship_from_id": "b2"}, False),
    ]:
        id = await assign(**to)
        assert await seen() is wanted
        await unassign(id)


async def test_inactive_methods_and_the_methods_of_an_inactive_carrier_are_offered_to_nobody(served):
    me = await small_setup(served)
    await me.methods.UpdateShipMethod(
        methods.UpdateShipMethodRequest(ship_method=methods.ShipMethod(id="ground"), update_mask=FieldMask(paths=["active"]))
    )
    found = await estimate(served, [item()])
    assert offered(found.ship_estimates[0]) == ["next-day"]
    await me.carriers.UpdateCarrier(
        carriers.UpdateCarrierRequest(carrier=carriers.Carrier(id="ups"), update_mask=FieldMask(paths=["active"]))
    )
    found = await estimate(served, [item(), item("l2", pickup_location_id="store")])
    assert [offered(e) for e in found.ship_estimates] == [[], ["counter"]]


async def test_lines_that_no_method_serves_are_problems_and_stay_in_the_estimates(served):
    await small_setup(served)
    items = [item("l1"), item("l2", ship_to=BERLIN), item("l3", 9, ship_to=BERLIN)]
    found = await estimate(served, items)
    assert [len(e.items) for e in found.ship_estimates] == [1, 2]
    assert [(p.subject, p.reason) for p in found.problems] == [
        ("line_items[l2]", "NO_SHIP_METHOD"),
        ("line_items[l3]", "NO_SHIP_METHOD"),
    ]
    request = pb.EstimateShippingRequest(currency="USD", items=[item()])
    alone = await served.service_stub(pb_grpc.ShippingServiceStub, "order", buyer()).EstimateShipping(request)
    assert [p.reason for p in alone.problems] == ["SHIP_TO_MISSING"]


async def test_the_same_address_of_two_books_is_one_destination(served):
    await small_setup(served)
    copy = Address()
    copy.CopyFrom(LA)
    copy.id = "home"
    found = await estimate(served, [item("l1"), item("l2", ship_to=copy)])
    assert len(found.ship_estimates) == 1


async def test_only_the_order_service_may_ask(served):
    request = pb.EstimateShippingRequest(currency="USD")
    for stub, reason in (
        (served.stub(pb_grpc.ShippingServiceStub, seller()), "SERVICE_ONLY"),
        (served.service_stub(pb_grpc.ShippingServiceStub, "pricing", buyer()), "SERVICE_NOT_ADMITTED"),
    ):
        with pytest.raises(WaybillError) as refused:
            await stub.EstimateShipping(request)
        assert (refused.value.kind, refused.value.reason) == (Kind.DENIED, reason)


async def test_everything_that_is_wrong_with_a_request_is_reported_at_once(served):
    with pytest.raises(WaybillError) as refused:
        await estimate(
            served,
            [item("", 0), item("a b", -1, weight="x"), item(weight="-1"), item(weight="1e-20")],
            currency="XXZ",
            buyer_id="no good",
        )
    assert [(f.field, f.reason) for f in refused.value.fields] == [
        ("buyer_id", "ID_INVALID"),
        ("currency", "FIELD_INVALID"),
        ("items[0].line_item_id", "FIELD_REQUIRED"),
        ("items[0].quantity", "VALUE_OUT_OF_RANGE"),
        ("items[1].line_item_id", "ID_INVALID"),
        ("items[1].quantity", "VALUE_OUT_OF_RANGE"),
        ("items[1].weight_kg", "FIELD_INVALID"),
        ("items[2].weight_kg", "VALUE_OUT_OF_RANGE"),
        ("items[3].weight_kg", "FIELD_INVALID"),
    ]
    with pytest.raises(WaybillError) as refused:
        await estimate(served, [item() for _ in range(10_001)])
    assert refused.value.reason == "TOO_MANY_ITEMS"


async def test_several_ways_to_ship_an_order_are_estimated_at_once_each_by_itself(served):
    await small_setup(served)
    ways = [
        [item("l1"), item("l2")],
        [item("l1", ship_from_id="w2"), item("l2")],
        [item("l1", weight="60"), item("l2", ship_from_id="w2")],
    ]
    before = served.statements
    found = await estimate(served, ways[0], alternatives=[pb.ShippingPlan(items=items) for items in ways[1:]])
    counted = served.statements - before
    alone = [await estimate(served, items) for items in ways]
    assert served.statements - before - counted == 3 * counted
    together = [found, *found.alternatives]
    assert [(list(w.ship_estimates), list(w.problems)) for w in together] == [
        (list(w.ship_estimates), list(w.problems)) for w in alone
    ]
    assert [len(w.ship_estimates) for w in together] == [1, 2, 2]
    unknown = await estimate(served, ways[0], alternatives=[pb.ShippingPlan(items=ways[1])], ship_to=None)
    assert (len(unknown.problems), len(unknown.alternatives[0].problems)) == (2, 2)


async def test_ways_to_ship_are_bounded_and_their_faults_named(served):
    for alternatives, fields in (
        ([[item()]] * 8, [("alternatives", "TOO_MANY_ITEMS")]),
        ([[item()], [item(quantity=0)]], [("alternatives[1].items[0].quantity", "VALUE_OUT_OF_RANGE")]),
        ([[item()] * 5_000] * 2, [("items", "TOO_MANY_ITEMS")]),
    ):
        with pytest.raises(WaybillError) as refused:
            await estimate(served, [item()], alternatives=[pb.ShippingPlan(items=items) for items in alternatives])
        assert [(f.field, f.reason) for f in refused.value.fields] == fields


async def test_the_number_of_statements_is_the_same_for_one_item_and_for_a_thousand(served):
    await small_setup(served)
    counts = []
    for size in (1, 1_000):
        before = served.statements
        found = await estimate(served, [item(f"l{i}", ship_from_id=f"w{i % 50}") for i in range(size)])
        assert sum(len(e.items) for e in found.ship_estimates) == size
        counts.append(served.statements - before)
    assert counts[0] == counts[1] == 3


async def test_methods_that_were_switched_off_or_taken_away_are_named_for_all_estimates_at_once(served):
    me = await small_setup(served)
    stub = served.service_stub(pb_grpc.ShippingServiceStub, "order", buyer())

    async def off(*selected):
        made = [pb.Selection(ship_estimate_id=f"e{i}", ship_method_id=m, ship_from_id="w1") for i, m in enumerate(selected)]
        answer = await stub.CheckSelections(pb.CheckSelectionsRequest(buyer_id="acme", client_id="shop", selections=made))
        return [(about(p), p.reason) for p in answer.problems]

    assert await off("ground", "next-day", "ground") == []
    assert await off("ground", "nowhere") == [("e1", "SHIP_METHOD_UNAVAILABLE")]
    mask = FieldMask(paths=["active"])
    change = methods.ShipMethod(id="ground", active=False)
    await me.methods.UpdateShipMethod(methods.UpdateShipMethodRequest(ship_method=change, update_mask=mask))
    assert await off("ground", "next-day", "ground") == [(e, "SHIP_METHOD_UNAVAILABLE") for e in ("e0", "e2")]
    change = carriers.Carrier(id="ups", active=False)
    await me.carriers.UpdateCarrier(carriers.UpdateCarrierRequest(carrier=change, update_mask=mask))
    assert len(await off("ground", "next-day")) == 2
    assert await off() == []
