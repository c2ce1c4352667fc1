"""Promotions as they are made, changed and assigned."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.struct_pb2 import Struct

from libs.errors import Kind, WaybillError
from libs.protoconv import time_out
from tests.integration.pricing.world import World
from tests.support.principals import buyer, supplier
from waybill.pricing.v1 import promotion_service_pb2 as pb
from waybill.pricing.v1.promotion_expression_pb2 import PromotionItem, PromotionOrder
from waybill.pricing.v1.promotion_pb2 import PROMOTION_TARGET_LINE, PROMOTION_TARGET_ORDER, PROMOTION_TARGET_SHIPPING, Promotion

BOLT = supplier("PromotionAdmin")
NUT = supplier("PromotionAdmin", party="nut", user="nora")
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
ORDER = PROMOTION_TARGET_ORDER


def promotion(id: str, **fields: Any) -> Promotion:
    plain = {"code": id, "active": True, "target": ORDER, "value_expression": "money('5')"}
    return Promotion(id=id, **{**plain, **fields})


async def create(world: World, *made: Promotion, by: Any = None, request_id: str = "") -> list[Promotion]:
    request = pb.BatchCreatePromotionsRequest(promotions=made, request_id=request_id)
    return list((await world.promotions(by).BatchCreatePromotions(request)).promotions)


async def update(world: World, changed: Promotion, *paths: str, by: Any = None) -> Promotion:
    request = pb.UpdatePromotionRequest(promotion=changed, update_mask=FieldMask(paths=paths))
    answer: pb.UpdatePromotionResponse = await world.promotions(by).UpdatePromotion(request)
    return answer.promotion


async def listed(world: World, by: Any = None, **asked: Any) -> list[str]:
    page = await world.promotions(by).ListPromotions(pb.ListPromotionsRequest(**asked))
    return [p.id for p in page.promotions]


async def assign(world: World, *made: tuple[str, str, str], by: Any = None, request_id: str = "") -> None:
    request = pb.AssignPromotionsRequest(assignments=[assignment(*one) for one in made], request_id=request_id)
    await world.promotions(by).AssignPromotions(request)


async def unassign(world: World, *made: tuple[str, str, str], by: Any = None) -> None:
    await world.promotions(by).UnassignPromotions(pb.UnassignPromotionsRequest(assignments=[assignment(*one) for one in made]))


async def assigned(world: World, by: Any = None, **asked: Any) -> list[tuple[str, str, str]]:
    page = await world.promotions(by).ListPromotionAssignments(pb.ListPromotionAssignmentsRequest(**asked))
    return [(a.promotion_id, a.buyer_id, a.user_group_id) for a in page.assignments]


def assignment(promotion_id: str, buyer_id: str, user_group_id: str = "") -> pb.PromotionAssignment:
    return pb.PromotionAssignment(promotion_id=promotion_id, buyer_id=buyer_id, user_group_id=user_group_id)


async def refused(call: Any) -> WaybillError:
    with pytest.raises(WaybillError) as error:
        await call
    return error.value


async def rules(call: Any) -> set[tuple[str, str]]:
    return {(f.field, f.reason) for f in (await refused(call)).fields}


async def test_a_promotion_is_kept_with_all_that_it_says(world: World) -> None:
    xp = Struct()
    xp.update({"campaign": {"name": "spring", "cost": 3}})
    said = promotion(
        "spring",
        supplier_id="bolt",
        code="Spring-10",
        name="Ten off",
        description="Ten off lamps",
        fine_print="While stocks last",
        start_time=time_out(BEGIN),
        end_time=time_out(BEGIN + timedelta(days=30)),
        target=PROMOTION_TARGET_LINE,
        can_combine=True,
        auto_apply=True,
        priority=0,
        redemption_limit=100,
        redemption_limit_per_user=1,
        quantity_limit_per_order=5,
        item_order="unit_price desc",
        all_buyers=True,
        api_client_ids=["shop", "app"],
        xp=xp,
    )
    (made,) = await create(world, said)
    assert (made.code, made.etag, made.create_time.ToDatetime(UTC)) == ("SPRING-10", "1", world.clock.now())
    got = (await world.promotions().GetPromotion(pb.GetPromotionRequest(promotion_id="spring"))).promotion
    assert got == made
    for name in ("code", "etag", "create_time", "update_time"):
        made.ClearField(name)
        said.ClearField(name)
    assert made == said
    (plain,) = await create(world, promotion("", code="PLAIN", target=PROMOTION_TARGET_SHIPPING))
    limits = ("priority", "redemption_limit", "redemption_limit_per_user", "quantity_limit_per_order", "item_limit_per_order")
    assert plain.id
    assert not any(plain.HasField(name) for name in (*limits, "start_time", "end_time"))


async def test_a_change_sets_the_fields_of_its_mask_and_merges_the_owners_data(world: World) -> None:
    first, second = Struct(), Struct()
    first.update({"a": {"x": 1}})
    second.update({"a": {"y": 2}})
    await create(world, promotion("p", xp=first, priority=3, redemption_limit=5))
    made = await update(world, Promotion(id="p", name="New", xp=second, etag="1"), "name", "xp", "priority")
    assert (made.name, made.code, made.redemption_limit, made.etag) == ("New", "P", 5, "2")
    assert not made.HasField("priority")
    assert made.xp["a"] == {"x": 1, "y": 2}
    assert (await refused(update(world, Promotion(id="p", name="Old", etag="1"), "name"))).reason == "ETAG_MISMATCH"
    assert await rules(update(world, Promotion(id="p", supplier_id="nut"), "supplier_id")) == {
        ("promotion.supplier_id", "FIELD_INVALID")
    }
    assert await rules(update(world, Promotion(id="p", item_order="quantity"), "item_order")) == {
        ("promotion.item_order", "FIELD_INVALID")
    }


async def test_all_that_is_wrong_is_said_at_once(world: World) -> None:
    await create(world, promotion("taken"))
    made = [
        Promotion(
            id="a",
            code="A B",
            priority=-1,
            redemption_limit=0,
            item_order="price",
            api_client_ids=["shop", "shop"],
            start_time=time_out(BEGIN),
            end_time=time_out(BEGIN),
            fine_print="x" * 2_001,
        ),
        promotion("b", code="Taken", quantity_limit_per_order=0, item_limit_per_order=3),
        promotion("c", code="", eligible_expression="x" * 401),
        promotion("d", code="TWICE"),
        promotion("e", code="twice"),
        promotion("f", eligible_expression="item.quantity > 1 && order.total > 0", value_expression="order.currency"),
        promotion("g", target=PROMOTION_TARGET_LINE, eligible_expression="order.subtotal >", value_expression="12.5"),
    ]
    assert await rules(create(world, *made)) >= {
        ("promotions[0].code", "FIELD_INVALID"),
        ("promotions[0].priority", "VALUE_OUT_OF_RANGE"),
        ("promotions[0].redemption_limit", "VALUE_OUT_OF_RANGE"),
        ("promotions[0].item_order", "FIELD_INVALID"),
        ("promotions[0].api_client_ids[1]", "DUPLICATE_ITEM"),
        ("promotions[0].end_time", "PROMOTION_TIMES_REVERSED"),
        ("promotions[0].fine_print", "VALUE_OUT_OF_RANGE"),
        ("promotions[0].target", "FIELD_REQUIRED"),
        ("promotions[0].value_expression", "FIELD_REQUIRED"),
        ("promotions[1].code", "PROMOTION_CODE_TAKEN"),
        ("promotions[1].quantity_limit_per_order", "VALUE_OUT_OF_RANGE"),
        ("promotions[1].item_limit_per_order", "FIELD_INVALID"),
        ("promotions[2].code", "FIELD_REQUIRED"),
        ("promotions[2].eligible_expression", "VALUE_OUT_OF_RANGE"),
        ("promotions[4].code", "PROMOTION_CODE_TAKEN"),
        ("promotions[5].eligible_expression", "EXPRESSION_NAME_UNKNOWN"),
        ("promotions[5].value_expression", "EXPRESSION_TYPE_MISMATCH"),
        ("promotions[6].eligible_expression", "EXPRESSION_SYNTAX_INVALID"),
        ("promotions[6].value_expression", "EXPRESSION_NOT_ALLOWED"),
    }
    assert await listed(world) == ["taken"]


async def test_an_expression_is_checked_again_when_the_target_changes(world: World) -> None:
    lines = {"eligible_expression": "item.quantity > 1", "value_expression": "percent(item.subtotal, '10')"}
    await create(world, promotion("p", target=PROMOTION_TARGET_LINE, **lines))
    error = await refused(update(world, Promotion(id="p", target=ORDER), "target"))
    assert [(f.field, f.reason) for f in error.fields] == [
        ("promotion.eligible_expression", "EXPRESSION_NAME_UNKNOWN"),
        ("promotion.value_expression", "EXPRESSION_NAME_UNKNOWN"),
    ]
    assert error.fields[0].description.startswith("line 1, column 1: ")


async def test_expressions_are_tried_on_an_order_that_is_made_up(world: World) -> None:
    item = PromotionItem(product_id="lamp", quantity=3, subtotal=30_000_000)
    item.xp.update({"gift": True})
    order = PromotionOrder(currency="USD", subtotal=30_000_000, items=[item])
    asked = pb.TryExpressionRequest(
        target=PROMOTION_TARGET_LINE,
        eligible_expression="item.quantity >= 2 && order.xp.club == true",
        value_expression="percent(item.subtotal, '10')",
        order=order,
        item=item,
    )
    found = await world.promotions(BOLT).TryExpression(asked)
    assert (found.value.amount, found.value.WhichOneof("outcome")) == (3_000_000, "amount")
    assert (found.eligible.WhichOneof("outcome"), list(found.eligible.faults)) == ("error", [])
    assert list(found.eligible.names) == ["item.quantity", "order.xp.club"]
    parts = {p.text: p.value or p.error for p in found.eligible.parts}
    assert (parts["item.quantity >= 2"], parts["item.quantity"]) == ("true", "3")
    asked.order.xp.update({"club": True})
    assert (await world.promotions().TryExpression(asked)).eligible.holds
    asked.target = ORDER
    (fault,) = (await world.promotions().TryExpression(asked)).value.faults
    assert (fault.reason, fault.line, fault.column) == ("EXPRESSION_NAME_UNKNOWN", 1, 9)
    assert await listed(world) == []


async def test_what_is_tried_is_bounded(world: World) -> None:
    asked = pb.TryExpressionRequest(order=PromotionOrder(items=[PromotionItem()] * 201))
    assert await rules(world.promotions().TryExpression(asked)) == {
        ("target", "FIELD_REQUIRED"),
        ("order.items", "TOO_MANY_ITEMS"),
    }
    long = pb.TryExpressionRequest(target=ORDER, eligible_expression="true || " * 100_000 + "true")
    (fault,) = (await world.promotions().TryExpression(long)).eligible.faults
    assert fault.reason == "EXPRESSION_TOO_LARGE"
    assert not (await world.promotions().TryExpression(pb.TryExpressionRequest(target=ORDER))).HasField("value")


async def test_a_code_is_taken_while_its_promotion_is_active(world: World) -> None:
    await create(world, promotion("a", code="spring"), promotion("b", code="SPRING", supplier_id="bolt"))
    await create(world, promotion("c", code="Spring", active=False))
    taken = {("promotion.code", "PROMOTION_CODE_TAKEN")}
    assert await rules(update(world, Promotion(id="c", active=True), "active")) == taken
    await update(world, Promotion(id="a", active=False), "active")
    await update(world, Promotion(id="c", active=True), "active")
    assert await rules(update(world, Promotion(id="a", active=True), "active")) == taken
    assert (await update(world, Promotion(id="a", active=True, code="other"), "active", "code")).code == "OTHER"
    assert await listed(world, filter='code = "SPRING" AND active = true', order_by="id") == ["b", "c"]
    await create(world, *(promotion(id, code="", auto_apply=True) for id in ("d", "e")))


async def test_of_two_who_take_a_code_at_the_same_time_one_hears_that_it_is_taken(world: World) -> None:
    made = await asyncio.gather(*(create(world, promotion(id, code="SPRING")) for id in ("a", "b")), return_exceptions=True)
    (error,) = [one for one in made if isinstance(one, WaybillError)]
    assert error.reason == "PROMOTION_CODE_TAKEN"
    assert len(await listed(world)) == 1


async def test_a_request_is_done_once_and_a_deleted_id_stays_taken(world: World) -> None:
    first = await create(world, promotion("a"), request_id="r1")
    assert await create(world, promotion("a"), request_id="r1") == first
    await assign(world, ("a", "acme", ""))
    delete = pb.DeletePromotionRequest(promotion_id="a", request_id="r2")
    used = await refused(world.promotions().DeletePromotion(delete))
    assert (used.reason, used.metadata["used_by"]) == ("RESOURCE_IN_USE", "buyer: 1 (acme)")
    await unassign(world, ("a", "acme", ""))
    for _ in range(2):
        await world.promotions().DeletePromotion(delete)
    assert (await refused(world.promotions().GetPromotion(pb.GetPromotionRequest(promotion_id="a")))).kind is Kind.MISSING
    assert (await refused(create(world, promotion("a", code="other")))).reason == "ID_OF_DELETED"
    await create(world, promotion("b", code="a"))


async def test_a_supplier_keeps_its_own_and_sees_no_other(world: World) -> None:
    world.catalog.pricing = {"bolt"}
    await create(world, promotion("seller"), promotion("nuts", supplier_id="nut"))
    (own,) = await create(world, promotion("own", code="seller"), by=BOLT)
    assert own.supplier_id == "bolt"
    foreign = promotion("x", supplier_id="nut")
    assert await rules(create(world, foreign, by=BOLT)) == {("promotions[0].supplier_id", "FIELD_INVALID")}
    assert (await listed(world, BOLT), await listed(world, NUT), len(await listed(world))) == (["own"], ["nuts"], 3)
    for call in (
        world.promotions(BOLT).GetPromotion(pb.GetPromotionRequest(promotion_id="seller")),
        world.promotions(BOLT).DeletePromotion(pb.DeletePromotionRequest(promotion_id="nuts")),
        update(world, Promotion(id="nuts", name="mine"), "name", by=BOLT),
    ):
        assert (await refused(call)).kind is Kind.MISSING
    for call in (
        world.promotions(buyer("FullAccess")).ListPromotions(pb.ListPromotionsRequest()),
        world.promotions(buyer("PromotionReader")).GetPromotion(pb.GetPromotionRequest(promotion_id="own")),
    ):
        assert (await refused(call)).reason == "PARTY_NOT_ADMITTED"
    reader = supplier("PromotionReader")
    assert await listed(world, reader) == ["own"]
    assert (await refused(create(world, promotion("y"), by=reader))).reason == "ROLE_MISSING"


async def test_a_supplier_that_may_not_set_prices_has_no_active_promotion_of_its_own_making(world: World) -> None:
    assert (await refused(create(world, promotion("a"), by=BOLT))).reason == "PRICES_NOT_ADMITTED"
    await create(world, promotion("a", active=False), by=BOLT)
    assert (await refused(update(world, Promotion(id="a", active=True), "active", by=BOLT))).reason == "PRICES_NOT_ADMITTED"
    world.catalog.pricing = {"bolt"}
    await update(world, Promotion(id="a", active=True), "active", by=BOLT)
    world.catalog.pricing = set()
    assert (await refused(update(world, Promotion(id="a", name="n"), "name", by=BOLT))).reason == "PRICES_NOT_ADMITTED"
    assert not (await update(world, Promotion(id="a", active=False), "active", by=BOLT)).active


async def test_promotions_are_assigned_to_buyers_and_groups_of_their_users(world: World) -> None:
    world.catalog.pricing = {"bolt"}
    await create(world, promotion("a"), promotion("b"))
    await create(world, promotion("own"), by=BOLT)
    rows = [("a", "acme", ""), ("a", "acme", "managers"), ("b", "acme", "")]
    for _ in range(2):
        await assign(world, *reversed(rows))
    await assign(world, ("own", "acme", ""), by=BOLT)
    assert await assigned(world) == [*rows, ("own", "acme", "")]
    assert await assigned(world, filter='promotion_id = "a" AND user_group_id = "managers"') == [rows[1]]
    assert await assigned(world, BOLT) == [("own", "acme", "")]
    assert await rules(assign(world, ("own", "acme", ""), ("a", "acme", ""), by=BOLT)) == {
        ("assignments[1].promotion_id", "PROMOTION_NOT_FOUND")
    }
    await unassign(world, *rows, ("own", "acme", ""), by=BOLT)
    assert await assigned(world) == rows
    await unassign(world, rows[0], ("never", "acme", ""))
    assert await assigned(world) == rows[1:]
    found = await rules(assign(world, ("a", "", "g"), ("b", "acme", ""), ("b", "acme", ""), ("no id", "acme", "")))
    assert found == {
        ("assignments[0].buyer_id", "FIELD_REQUIRED"),
        ("assignments[2]", "DUPLICATE_ITEM"),
        ("assignments[3].promotion_id", "ID_INVALID"),
    }
    await assign(world, request_id="empty")


async def test_a_thousand_promotions_and_assignments_take_as_many_statements_as_one(world: World) -> None:
    counts = []
    for name, size in (("a", 1), ("b", 1_000)):
        before = world.served.statements
        await create(world, *(promotion(f"{name}{n}") for n in range(size)))
        await assign(world, *((f"{name}{n}", "acme", "") for n in range(size)))
        counts.append(world.served.statements - before)
    assert counts[0] == counts[1]
    over = [("a0", f"b{n}", "") for n in range(1_001)]
    assert await rules(assign(world, *over)) == {("assignments", "TOO_MANY_ITEMS")}
