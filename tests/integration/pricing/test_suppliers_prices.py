"""Prices that suppliers set for their own products, above the floors that the seller sets."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import Kind, WaybillError
from tests.integration.pricing.world import World, line, schedule, usd
from tests.support.principals import buyer, seller, supplier
from waybill.pricing.v1 import price_floor_service_pb2 as floors_pb
from waybill.pricing.v1 import price_schedule_service_pb2 as pb

BOLT = supplier("PriceScheduleAdmin")
NUT = supplier("PriceScheduleAdmin", party="nut", user="nora")


@pytest.fixture
def market(world: World) -> World:
    """Bolt and Nut have a product each, and may set prices."""
    world.catalog.owners = {"lamp": "bolt", "lantern": "bolt", "gear": "nut"}
    world.catalog.pricing = {"bolt", "nut"}
    return world


async def create(world: World, *made: pb.PriceSchedule, by=BOLT, request_id: str = "") -> list[pb.PriceSchedule]:
    request = pb.BatchCreatePriceSchedulesRequest(price_schedules=made, request_id=request_id)
    return list((await world.schedules(by).BatchCreatePriceSchedules(request)).price_schedules)


async def update(world: World, changed: pb.PriceSchedule, *paths: str, by=BOLT) -> pb.PriceSchedule:
    request = pb.UpdatePriceScheduleRequest(price_schedule=changed, update_mask=FieldMask(paths=paths))
    return (await world.schedules(by).UpdatePriceSchedule(request)).price_schedule


async def assign(world: World, *made: tuple[str, str], by=BOLT, buyer_id: str = "", request_id: str = "") -> None:
    given = [pb.PriceAssignment(product_id=p, buyer_id=buyer_id, price_schedule_id=s) for p, s in made]
    await world.schedules(by).AssignPriceSchedules(pb.AssignPriceSchedulesRequest(assignments=given, request_id=request_id))


async def unassign(world: World, *products: str, by=BOLT) -> None:
    given = [pb.PriceAssignmentKey(product_id=p) for p in products]
    await world.schedules(by).UnassignPriceSchedules(pb.UnassignPriceSchedulesRequest(assignments=given))


async def assigned(world: World, by=None) -> list[tuple[str, str, str]]:
    page = await world.schedules(by).ListPriceAssignments(pb.ListPriceAssignmentsRequest())
    return [(a.product_id, a.buyer_id, a.price_schedule_id) for a in page.assignments]


async def listed(world: World, by=None) -> list[tuple[str, str]]:
    page = await world.schedules(by).ListPriceSchedules(pb.ListPriceSchedulesRequest(order_by="id"))
    return [(s.id, s.owner_supplier_id) for s in page.price_schedules]


async def floors_of(world: World, *products: str, by=BOLT) -> list[tuple[str, str, int]]:
    answer = await world.floors(by).BatchGetPriceFloors(floors_pb.BatchGetPriceFloorsRequest(product_ids=products))
    return [(f.product_id, f.currency, f.unit_price.units) for f in answer.price_floors]


async def set_floor(world: World, id: str, price: str) -> None:
    floor = floors_pb.PriceFloor(id=id, unit_price=usd(price))
    await world.floors().UpdatePriceFloor(floors_pb.UpdatePriceFloorRequest(price_floor=floor))


async def costs(world: World, product: str, quantity: int = 1, **asked: Any) -> tuple[int, str]:
    answer = await world.calculate(line("a", product, quantity), **asked)
    assert not answer.problems
    return answer.lines[0].unit_price.units, answer.lines[0].price_schedule_id


async def refused(call: Any) -> WaybillError:
    with pytest.raises(WaybillError) as error:
        await call
    return error.value


async def violations(call: Any) -> list[tuple[str, str]]:
    return sorted((f.field, f.reason) for f in (await refused(call)).fields)


async def test_a_supplier_sets_no_price_before_the_seller_lets_it(market: World):
    market.catalog.pricing = set()
    await market.add(schedule("list", "10"))
    for call in (create(market, schedule("mine", "9")), assign(market, ("lamp", "list"))):
        error = await refused(call)
        assert (error.kind, error.reason) == (Kind.PRECONDITION, "PRICES_NOT_ADMITTED")
        assert error.metadata == {"supplier": "bolt"}
    market.catalog.pricing = {"bolt"}
    await create(market, schedule("mine", "9"))
    market.catalog.pricing = set()
    assert (await refused(update(market, schedule("mine", "8"), "price_breaks"))).reason == "PRICES_NOT_ADMITTED"
    await market.schedules(BOLT).DeletePriceSchedule(pb.DeletePriceScheduleRequest(price_schedule_id="mine"))
    assert await listed(market) == [("list", "")]


async def test_a_supplier_prices_its_product_in_place_of_the_sellers_default_and_below_what_buyers_have_agreed(market: World):
    await market.add(schedule("list", "10"), schedule("agreed", "7"))
    await market.assign(("lamp", "", "list"), ("lamp", "acme", "agreed"))
    (made,) = await create(market, schedule("mine", "9"), request_id="once")
    assert await create(market, schedule("mine", "9"), request_id="once") == [made]
    assert made.owner_supplier_id == "bolt"
    await assign(market, ("lamp", "mine"), request_id="two")
    await assign(market, ("lamp", "mine"), request_id="two")

    assert await costs(market, "lamp", buyer_id="globex") == (9, "mine")
    assert await costs(market, "lamp") == (7, "agreed")
    assert await assigned(market, BOLT) == [("lamp", "", "mine")]
    asked = pb.BatchGetPriceAssignmentsRequest(product_ids=["lamp"])
    assert len((await market.schedules(BOLT).BatchGetPriceAssignments(asked)).assignments) == 1
    assert await listed(market, BOLT) == [("mine", "bolt")]
    assert await listed(market) == [("agreed", ""), ("list", ""), ("mine", "bolt")]
    await unassign(market, "lamp", by=NUT)
    await unassign(market, "lamp")
    assert await assigned(market) == [("lamp", "acme", "agreed")]
    await market.assign(("lamp", "", "list"))
    await unassign(market, "lamp")
    assert ("lamp", "", "list") in await assigned(market)


async def test_what_is_not_a_suppliers_own_is_not_there_for_it(market: World):
    await market.add(schedule("list", "10"))
    await create(market, schedule("mine", "9"))
    await create(market, schedule("theirs", "9"), by=NUT)
    for id in ("list", "theirs", "nothing"):
        reading = market.schedules(BOLT).GetPriceSchedule(pb.GetPriceScheduleRequest(price_schedule_id=id))
        deleting = market.schedules(BOLT).DeletePriceSchedule(pb.DeletePriceScheduleRequest(price_schedule_id=id))
        for call in (reading, deleting, update(market, schedule(id, "1"), "price_breaks")):
            error = await refused(call)
            assert (error.kind, error.metadata) == (Kind.MISSING, {"resource": "price schedule", "id": id})
        assert await violations(assign(market, ("lamp", id))) == [
            ("assignments[0].price_schedule_id", "PRICE_SCHEDULE_NOT_FOUND")
        ]
    assert await violations(assign(market, ("lamp", "mine"), ("gear", "mine"), ("nothing", "theirs"))) == [
        ("assignments[1].product_id", "PRODUCT_NOT_OWNED"),
        ("assignments[2].price_schedule_id", "PRICE_SCHEDULE_NOT_FOUND"),
        ("assignments[2].product_id", "PRODUCT_NOT_OWNED"),
    ]
    assert await violations(assign(market, ("lamp", "mine"), buyer_id="acme")) == [
        ("assignments[0].buyer_id", "FIELD_NOT_ADMITTED")
    ]
    assert (await refused(create(market, schedule("theirs", "9")))).reason == "RESOURCE_EXISTS"
    assert await assigned(market) == []


@pytest.mark.parametrize(("by", "named"), [(BOLT, "nut"), (seller(), "bolt")])
async def test_the_owner_of_a_schedule_is_who_makes_it(market: World, by, named: str):
    wrong = [schedule("a", "1"), schedule("b", "1", owner_supplier_id=named)]
    assert await violations(create(market, *wrong, by=by)) == [("price_schedules[1].owner_supplier_id", "FIELD_INVALID")]
    await create(market, schedule("a", "1"), by=by)
    changed = schedule("a", "1", owner_supplier_id=named)
    assert await violations(update(market, changed, "owner_supplier_id", by=by)) == [
        ("price_schedule.owner_supplier_id", "FIELD_INVALID")
    ]


async def test_no_price_of_a_supplier_goes_below_the_floor_and_all_that_would_are_named(market: World):
    await market.floor(("lamp", "5"), ("lantern", "6"))
    await market.floor(("lamp", "50"), currency="EUR")
    await create(
        market, schedule("low", (10, "4", "3"), (1, "7", "5.5")), schedule("high", "6"), schedule("free", "1", currency="CAD")
    )
    error = await refused(assign(market, ("lamp", "low"), ("lantern", "low")))
    assert [(f.field, f.reason, f.description) for f in error.fields] == [
        (
            f"assignments[{i}].price_schedule_id",
            "PRICE_BELOW_FLOOR",
            f"3 is below the floor of product {product!r}, which is {floor} USD",
        )
        for i, product, floor in ((0, "lamp", 5), (1, "lantern", 6))
    ]
    await assign(market, ("lamp", "free"), ("lantern", "high"))
    await assign(market, ("lamp", "high"))
    worse = schedule("high", (10, "4", "3"), (1, "7", "5.5"))
    wanted = [
        ("price_schedule.price_breaks[0].price", "PRICE_BELOW_FLOOR"),
        ("price_schedule.price_breaks[0].sale_price", "PRICE_BELOW_FLOOR"),
        ("price_schedule.price_breaks[1].sale_price", "PRICE_BELOW_FLOOR"),
    ]
    assert await violations(update(market, worse, "price_breaks")) == wanted
    assert await violations(update(market, worse, "price_breaks", by=seller())) == wanted
    assert await violations(assign(market, ("lamp", "low"), by=seller(), buyer_id="acme")) == [
        ("assignments[0].price_schedule_id", "PRICE_BELOW_FLOOR")
    ]
    assert (await update(market, schedule("high", (10, "6"), (1, "7")), "price_breaks")).price_breaks[0].quantity == 1
    await market.add(schedule("own", "1"))
    await market.assign(("lamp", "", "own"))
    assert await costs(market, "lamp") == (1, "own")


async def test_a_floor_that_is_raised_holds_at_once_and_the_schedule_stays_as_it_is(market: World):
    (id,) = await market.floor(("lamp", "5"))
    await create(market, schedule("mine", (1, "8", "6"), (10, "5")))
    await assign(market, ("lamp", "mine"), ("lantern", "mine"))
    await set_floor(market, id, "7")

    assert await costs(market, "lamp") == (7, "mine")
    assert await costs(market, "lamp", 10) == (7, "mine")
    assert await costs(market, "lantern", 10) == (5, "mine")
    assert (await update(market, schedule("mine", "1", use_cumulative_quantity=True), "use_cumulative_quantity")).name == "mine"
    assert await violations(update(market, schedule("mine", "6.99"), "price_breaks")) == [
        ("price_schedule.price_breaks[0].price", "PRICE_BELOW_FLOOR")
    ]
    await set_floor(market, id, "5.5")
    assert await costs(market, "lamp") == (6, "mine")
    await market.floors().DeletePriceFloor(floors_pb.DeletePriceFloorRequest(price_floor_id=id))
    assert await costs(market, "lamp", 10) == (5, "mine")


async def test_a_product_has_one_floor_in_a_currency(market: World):
    await market.floor(("lamp", "5"))
    twice = [
        floors_pb.PriceFloor(product_id=p, currency=c, unit_price=usd("1", c))
        for p, c in (("lamp", "EUR"), ("lamp", "USD"), ("gear", "USD"), ("gear", "USD"))
    ]
    twice.append(floors_pb.PriceFloor(product_id="no product", currency="USD", unit_price=usd("-1", "EUR")))
    request = floors_pb.BatchCreatePriceFloorsRequest(price_floors=twice)
    assert await violations(market.floors().BatchCreatePriceFloors(request)) == [
        ("price_floors[1].product_id", "PRICE_FLOOR_EXISTS"),
        ("price_floors[3].product_id", "PRICE_FLOOR_EXISTS"),
        ("price_floors[4].product_id", "ID_INVALID"),
        ("price_floors[4].unit_price", "AMOUNT_NEGATIVE"),
        ("price_floors[4].unit_price", "CURRENCY_MISMATCH"),
    ]
    page = await market.floors().ListPriceFloors(floors_pb.ListPriceFloorsRequest(filter='product_id = "lamp"'))
    assert [(f.product_id, f.unit_price.units) for f in page.price_floors] == [("lamp", 5)]


async def test_a_floor_is_read_by_its_id_by_those_of_the_seller_alone(market: World):
    async def got(id: str, by=None) -> floors_pb.PriceFloor:
        return (await market.floors(by).GetPriceFloor(floors_pb.GetPriceFloorRequest(price_floor_id=id))).price_floor

    made = floors_pb.PriceFloor(id="least", product_id="lamp", currency="USD", unit_price=usd("5"))
    created = await market.floors().CreatePriceFloor(floors_pb.CreatePriceFloorRequest(price_floor=made))
    for by in (None, seller("PriceScheduleReader")):
        assert await got("least", by) == created.price_floor
    await set_floor(market, "least", "5.5")
    raised = await got("least")
    assert (raised.product_id, raised.currency, raised.unit_price) == ("lamp", "USD", usd("5.5"))
    assert raised.etag != created.price_floor.etag
    for by, id, why in (
        (None, "nothing", (Kind.MISSING, "RESOURCE_NOT_FOUND")),
        (BOLT, "least", (Kind.DENIED, "PARTY_NOT_ADMITTED")),
        (buyer(), "least", (Kind.DENIED, "PARTY_NOT_ADMITTED")),
        (seller("PriceFloorless"), "least", (Kind.DENIED, "ROLE_MISSING")),
    ):
        error = await refused(got(id, by))
        assert (error.kind, error.reason) == why
    await market.floors().DeletePriceFloor(floors_pb.DeletePriceFloorRequest(price_floor_id="least"))
    assert (await refused(got("least"))).reason == "RESOURCE_NOT_FOUND"


async def test_a_supplier_reads_the_floors_of_its_own_products(market: World):
    await market.floor(("lamp", "5"), ("gear", "6"))
    assert await floors_of(market, "lamp", "gear", "nothing") == [("lamp", "USD", 5)]
    assert await floors_of(market, "lamp", "gear", by=NUT) == [("gear", "USD", 6)]
    assert len(await floors_of(market, "lamp", "gear", by=seller())) == 2
    listing = market.floors(BOLT).ListPriceFloors(floors_pb.ListPriceFloorsRequest())
    assert (await refused(listing)).reason == "PARTY_NOT_ADMITTED"


async def test_a_supplier_changes_no_price_of_what_is_not_its_own_any_more(market: World):
    await create(market, schedule("mine", "9"))
    await assign(market, ("lamp", "mine"), ("lantern", "mine"))
    market.catalog.owners["lamp"] = "nut"
    error = await refused(update(market, schedule("mine", "1"), "price_breaks"))
    assert (error.kind, error.reason) == (Kind.PRECONDITION, "PRICE_SCHEDULE_SHARED")
    assert error.metadata == {"price_schedule": "mine", "product": "lamp"}
    await unassign(market, "lamp")
    assert await costs(market, "lamp") == (9, "mine")
    await update(market, schedule("mine", "8"), "price_breaks", by=seller())
    assert await costs(market, "lamp") == (8, "mine")


async def test_a_thousand_prices_of_a_supplier_ask_the_catalog_once_and_cost_as_many_statements_as_one(market: World):
    many = [f"p{i}" for i in range(1_000)]
    market.catalog.owners |= dict.fromkeys([*many, "one"], "bolt")
    await create(market, schedule("one", "9"), schedule("many", "9"))

    async def cost(act: Any) -> tuple[int, int]:
        before, asked = market.app.statements(), len(market.catalog.asked)
        await act
        return market.app.statements() - before, len(market.catalog.asked) - asked

    (statements, asked) = await cost(assign(market, ("one", "one")))
    assert await cost(assign(market, *((id, "many") for id in many))) == (statements, 1)
    assert asked == 1
    changed = await cost(update(market, schedule("one", "8"), "price_breaks"))
    assert await cost(update(market, schedule("many", "8"), "price_breaks")) == changed
    assert changed[1] == 1
    mixed = [(id if i % 100 else f"other{i}", "many") for i, id in enumerate(many)]
    assert await violations(assign(market, *mixed)) == sorted(
        (f"assignments[{i}].product_id", "PRODUCT_NOT_OWNED") for i in range(0, 1_000, 100)
    )


async def test_nothing_is_done_while_the_catalog_does_not_answer(market: World):
    await create(market, schedule("mine", "9"))
    market.catalog.away = True
    for call in (assign(market, ("lamp", "mine")), update(market, schedule("mine", "8"), "price_breaks")):
        error = await refused(call)
        assert (error.kind, error.reason) == (Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
    assert await assigned(market) == []
    assert await listed(market) == [("mine", "bolt")]
