"""Orders that are calculated with the promotions that they ask for."""

from __future__ import annotations

from typing import Any

import pytest

from libs.errors import WaybillError
from libs.protoconv import money_micros
from tests.integration.pricing.test_promotions import assign, create, promotion
from tests.integration.pricing.world import World, line, rate, usd
from waybill.pricing.v1 import order_pricing_service_pb2 as pb
from waybill.pricing.v1.promotion_expression_pb2 import PromotionItem
from waybill.pricing.v1.promotion_pb2 import PROMOTION_TARGET_LINE, PROMOTION_TARGET_SHIPPING

EVERYBODY = {"all_buyers": True, "can_combine": True}


def asking(*lines: str, codes: Any = (), ids: Any = (), automatic: bool = False, **fields: Any) -> pb.OrderPromotions:
    items = [pb.PromotionLine(item=PromotionItem(id=id, product_id="anvil", category_ids=["heavy"])) for id in lines]
    return pb.OrderPromotions(codes=codes, promotion_ids=ids, automatic=automatic, client_id="shop", lines=items, **fields)


def applied(answer: pb.CalculateOrderResponse) -> list[tuple[str, str, int]]:
    """Cents."""
    return [(p.promotion_id, p.code, money_micros(p.amount) // 10_000) for p in answer.applied_promotions]


def dropped(answer: pb.CalculateOrderResponse) -> list[tuple[str, str, str]]:
    def reason(one: pb.DroppedPromotion) -> str:
        return pb.PromotionDropReason.Name(one.reason).removeprefix("PROMOTION_DROP_REASON_")

    return [(p.promotion_id, p.code, reason(p)) for p in answer.dropped_promotions]


async def test_an_order_is_made_cheaper_by_what_it_asks_for_and_taxed_on_the_rest(world: World) -> None:
    await world.price("anvil", "10")
    await world.tax(rate("0.1"), rate("0.1", tax_class="shipping"))
    heavy = {"target": PROMOTION_TARGET_LINE, "eligible_expression": "'heavy' in item.category_ids && item.quantity > 1"}
    await create(
        world,
        promotion("heavy", **EVERYBODY, **heavy, value_expression="percent(item.subtotal, '10')"),
        promotion("five", **EVERYBODY, eligible_expression="order.subtotal == money('30') && order.client_id == 'shop'"),
        promotion("free", **EVERYBODY, auto_apply=True, target=PROMOTION_TARGET_SHIPPING, value_expression="order.shipping_cost"),
        promotion("mine", can_combine=True, value_expression="money('1')"),
        promotion("foreign", can_combine=True),
        promotion("silent", can_combine=True, code="", auto_apply=True),
        promotion("unasked", can_combine=True, code="", auto_apply=True),
    )
    await assign(world, ("mine", "acme", ""))
    answer = await world.calculate(
        *(line("l1", quantity=2), line("l2")),
        shipments=[pb.PricingShipment(ship_estimate_id="e", cost=usd("4"))],
        promotions=asking("l1", "l2", codes=["Heavy", "five", "none", "foreign"], ids=["mine", "gone", "silent"], automatic=True),
    )
    assert applied(answer) == [("heavy", "HEAVY", 200), ("five", "FIVE", 500), ("mine", "MINE", 100), ("free", "", 400)]
    assert dropped(answer) == [
        ("", "NONE", "NOT_FOUND"),
        ("gone", "", "NOT_FOUND"),
        ("silent", "", "BUYER_NOT_ALLOWED"),
        ("foreign", "FOREIGN", "BUYER_NOT_ALLOWED"),
    ]
    assert [money_micros(x.discount) // 10_000 for x in (*answer.lines, *answer.shipments)] == [200 + 321 + 64, 179 + 36, 400]
    assert [d.promotion.code for d in answer.lines[0].discounts] == ["HEAVY", "FIVE", "MINE"]
    assert [money_micros(x.tax) // 10_000 for x in (*answer.lines, *answer.shipments)] == [142, 79, 0]


async def test_an_order_without_a_price_loses_no_code_by_it(world: World) -> None:
    await create(world, promotion("five", **EVERYBODY))
    answer = await world.calculate(line("l1"), promotions=asking("l1", codes=["five", "none"]))
    assert [p.reason for p in answer.problems] == ["PRICE_MISSING"]
    assert (applied(answer), dropped(answer)) == ([], [])


async def test_a_marketplace_without_promotions_is_asked_by_one_statement_and_no_number_of_them_takes_more_than_two(
    world: World,
) -> None:
    await world.price("anvil", "10")
    lines = [line(f"l{i}") for i in range(20)]
    asked = asking(*(f"l{i}" for i in range(20)), automatic=True)

    async def statements(**fields: Any) -> int:
        before = world.served.statements
        await world.calculate(*lines, **fields)
        return int(world.served.statements - before)

    plain = await statements()
    assert await statements(promotions=asked) == plain + 1
    await create(world, *(promotion(f"p{i}", **EVERYBODY, auto_apply=True) for i in range(30)))
    assert await statements(promotions=asked) == plain + 2
    assert await statements() == plain


async def test_a_line_that_promotions_know_nothing_of_is_refused(world: World) -> None:
    with pytest.raises(WaybillError) as refused:
        await world.calculate(line("l1"), line("l2"), promotions=asking("l1", codes=["x"] * 101))
    assert {(f.field, f.reason) for f in refused.value.fields} == {
        ("promotions.codes", "TOO_MANY_ITEMS"),
        ("promotions.lines", "FIELD_INVALID"),
    }
