"""Promotions that orders use as they are submitted: judged again, counted, given back, never more than may."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa

from libs.errors import WaybillError
from libs.invariants import Finding
from services.pricing.adapters.db.promotions.use_store import SqlUseStore
from services.pricing.adapters.db.tables import REDEMPTIONS, USES
from tests.integration.pricing.redeeming import ADA, BOB, Tried, confirm, redeemed, release, reserve, uses, void
from tests.integration.pricing.test_promoted_orders import EVERYBODY, applied, asking, dropped
from tests.integration.pricing.test_promotions import create, promotion, update
from tests.integration.pricing.test_reservations import Order, expiring
from tests.integration.pricing.world import World, line, rate, usd
from tests.support.undone import undone_once
from waybill.pricing.v1 import order_pricing_service_pb2 as order_pb
from waybill.pricing.v1 import promotion_service_pb2 as promotions_pb
from waybill.pricing.v1 import redemption_service_pb2 as pb
from waybill.pricing.v1.promotion_pb2 import PROMOTION_TARGET_LINE, PROMOTION_TARGET_SHIPPING, Promotion


async def shown(world: World, id: str) -> int:
    found = await world.promotions().GetPromotion(promotions_pb.GetPromotionRequest(promotion_id=id))
    return int(found.promotion.redemption_count)


async def test_an_order_uses_its_promotions_from_its_submission_until_it_is_canceled(shop: World) -> None:
    await create(shop, promotion("five", **EVERYBODY), promotion("one", **EVERYBODY, value_expression="money('1')"))
    both = ("five", "5"), ("one", "1")
    for _ in range(2):
        assert await reserve(shop, 1, *both) == ("RESERVED", [])
        assert await uses(shop) == {(id, of): (1, 0) for id in ("five", "one") for of in ("", "acme:ada")}
    assert await reserve(shop, 2, ("five", "5"), user_id=BOB) == ("RESERVED", [])
    for _ in range(2):
        assert await confirm(shop, 1) == "CONFIRMED"
    assert await uses(shop) == {
        **{(id, "acme:ada"): (0, 1) for id in ("five", "one")},
        ("five", ""): (1, 1),
        ("one", ""): (0, 1),
        ("five", "acme:bob"): (1, 0),
    }
    assert (await shown(shop, "five"), await shown(shop, "one")) == (1, 1)
    listed = await shop.promotions().ListPromotions(promotions_pb.ListPromotionsRequest())
    assert [p.redemption_count for p in listed.promotions] == [1, 1]
    renamed = await update(shop, Promotion(id="five", name="Five"), "name")
    assert (renamed.redemption_count, renamed.etag) == (1, "2")
    for _ in range(2):
        assert await release(shop, 2) == "RELEASED"
        await void(shop, 1)
    assert (await uses(shop), await redeemed(shop), await shown(shop, "five")) == ({}, 0, 0)


async def test_a_step_that_a_deadlock_undid_counts_once(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await create(shop, promotion("five", **EVERYBODY))
    calls = undone_once(monkeypatch, SqlUseStore, "count")
    assert await reserve(shop, 1, ("five", "5")) == ("RESERVED", [])
    assert calls == ["count", "count"]
    assert await uses(shop) == {("five", ""): (1, 0), ("five", "acme:ada"): (1, 0)}


async def test_a_void_that_comes_before_the_confirm_leaves_it_nothing_to_do(shop: World) -> None:
    await create(shop, promotion("five", **EVERYBODY))
    await reserve(shop, 1, ("five", "5"))
    await void(shop, 1)
    assert await confirm(shop, 1) == "VOIDED"
    assert await reserve(shop, 1, ("five", "5")) == ("VOIDED", [("order", "ATTEMPT_RELEASED", False)])
    assert (await uses(shop), await redeemed(shop)) == ({}, 0)


async def test_what_is_not_as_it_was_shown_is_named_and_nothing_is_taken(shop: World) -> None:
    of_lines = {"target": PROMOTION_TARGET_LINE, "value_expression": "money('2')"}
    await create(
        shop,
        promotion("five", **EVERYBODY),
        promotion("ended", **{**EVERYBODY, "active": False}),
        promotion("unasked", **EVERYBODY, auto_apply=False),
        promotion("lines", **EVERYBODY, **of_lines),
        promotion("new", **EVERYBODY, auto_apply=True),
    )
    entered = asking("l1", ids=["five", "ended", "gone"], codes=["lines"], automatic=True)
    many = [("five", "4"), ("ended", "5"), ("gone", "5"), ("unasked", "5")]
    assert await reserve(shop, 1, *many, promotions=entered) == (
        "UNSPECIFIED",
        [(f"promotions[{id}]", "PROMOTION_CHANGED", False) for id, _ in many],
    )
    other = [pb.ExpectedPrice(line_item_id="l1", unit_price=usd("10"), promotion_discount=usd("1"))]
    assert await reserve(shop, 1, ("lines", "2"), expected_prices=other) == (
        "UNSPECIFIED",
        [("line_items[l1]", "PROMOTION_CHANGED", False)],
    )
    moved = [pb.ExpectedPrice(line_item_id="l1", unit_price=usd("9"))]
    assert await reserve(shop, 1, ("five", "4"), expected_prices=moved) == (
        "UNSPECIFIED",
        [("line_items[l1]", "PRICE_CHANGED", False)],
    )
    assert (await uses(shop), await redeemed(shop), await shop.reservations()) == ({}, 0, {})


async def test_a_repeat_is_reserved_though_its_promotion_has_changed_since(shop: World) -> None:
    await create(shop, promotion("five", **EVERYBODY, redemption_limit=1, redemption_limit_per_user=1))
    assert await reserve(shop, 1, ("five", "5")) == ("RESERVED", [])
    assert await reserve(shop, 1, ("five", "5")) == ("RESERVED", [])
    await update(shop, Promotion(id="five", value_expression="money('6')"), "value_expression")
    assert await reserve(shop, 1, ("five", "5")) == ("RESERVED", [])
    assert await uses(shop) == {("five", ""): (1, 0), ("five", "acme:ada"): (1, 0)}


async def test_what_was_calculated_is_reserved_as_it_is_with_codes_and_by_itself(shop: World) -> None:
    """What a promotion by itself gives depends on the codes that were entered, and its own is none of them."""
    await shop.tax(rate("0.1"), rate("0.1", tax_class="shipping"))
    own = "'CODE' in order.promotion_codes && !('SELF' in order.promotion_codes)"
    free = {"target": PROMOTION_TARGET_SHIPPING, "value_expression": "order.shipping_cost"}
    await create(
        shop,
        promotion("code", **EVERYBODY, target=PROMOTION_TARGET_LINE, value_expression="percent(item.subtotal, '10')"),
        promotion("self", **EVERYBODY, auto_apply=True, eligible_expression=own, value_expression="money('3')", priority=1),
        promotion("free", **EVERYBODY, **free),
        promotion("late", **EVERYBODY, value_expression="money('100')", priority=9),
        promotion("last", **EVERYBODY, value_expression="money('1')", priority=10),
    )
    shipping = [order_pb.PricingShipment(ship_estimate_id="e", cost=usd("4"))]
    codes = ["code", "free", "late", "last"]
    made = await shop.calculate(line("l1"), shipments=shipping, promotions=asking("l1", codes=codes, automatic=True), user_id=ADA)
    assert applied(made)[-2:] == [("last", "LAST", 0), ("free", "FREE", 400)]
    fields = {
        "promotions": asking("l1", ids=codes),
        "shipments": shipping,
        "expected_prices": [pb.ExpectedPrice(line_item_id="l1", unit_price=usd("10"), promotion_discount=made.lines[0].discount)],
        "expected_promotions": [
            pb.ExpectedPromotion(promotion_id=p.promotion_id, amount=p.amount) for p in made.applied_promotions
        ],
    }
    assert await reserve(shop, 1, **fields) == ("RESERVED", [])
    assert {id for id, _ in await uses(shop)} == {"code", "self", "free", "late"}, "what takes nothing off is not used"


async def test_a_promotion_that_was_used_up_is_not_put_on_another_order(shop: World) -> None:
    await create(
        shop, promotion("once", **EVERYBODY, redemption_limit=1), promotion("each", **EVERYBODY, redemption_limit_per_user=1)
    )

    async def calculated(**fields: Any) -> tuple[Any, Any]:
        answer = await shop.calculate(line("l1"), promotions=asking("l1", codes=["once", "each"]), **fields)
        return [id for id, _, _ in applied(answer)], [(id, reason) for id, _, reason in dropped(answer)]

    assert await reserve(shop, 1, ("once", "5"), ("each", "5")) == ("RESERVED", [])
    assert await calculated(user_id=ADA) == (["each", "once"], []), "what is held may be given back"
    await confirm(shop, 1)
    assert await calculated(user_id=BOB) == (["each"], [("once", "LIMIT_REACHED")])
    assert await calculated(user_id=ADA) == ([], [("each", "LIMIT_OF_USER_REACHED"), ("once", "LIMIT_REACHED")])
    assert await calculated(user_id=ADA, buyer_id="globex") == (["each"], [("once", "LIMIT_REACHED")])
    await void(shop, 1)
    assert await calculated(user_id=ADA) == (["each", "once"], [])


@pytest.mark.parametrize("validate_only", [False, True])
async def test_what_others_hold_is_contended_and_what_they_have_used_is_not(shop: World, validate_only: bool) -> None:
    await create(
        shop, promotion("once", **EVERYBODY, redemption_limit=1), promotion("each", **EVERYBODY, redemption_limit_per_user=1)
    )
    both = ("once", "5"), ("each", "5")
    assert await reserve(shop, 1, *both) == ("RESERVED", [])

    def full(contended: bool) -> Tried:
        each = ("promotions[each]", "PROMOTION_LIMIT_OF_USER_REACHED", contended)
        return "UNSPECIFIED", [each, ("promotions[once]", "PROMOTION_LIMIT_REACHED", contended)]

    assert await reserve(shop, 2, *both, validate_only=validate_only) == full(contended=True)
    await confirm(shop, 1)
    state, found = await reserve(shop, 2, *both, validate_only=validate_only)
    assert (state, sorted(found)) == full(contended=False)
    await void(shop, 1)
    taken = "UNSPECIFIED" if validate_only else "RESERVED"
    assert await reserve(shop, 2, *both, validate_only=validate_only) == (taken, [])
    assert await redeemed(shop) == (0 if validate_only else 2)


async def test_guests_use_what_is_not_counted_by_user(shop: World) -> None:
    await create(shop, promotion("five", **EVERYBODY), promotion("each", **EVERYBODY, redemption_limit_per_user=1))
    assert await reserve(shop, 1, ("five", "5"), guest=True, user_id="guest-1") == ("RESERVED", [])
    assert await uses(shop) == {("five", ""): (1, 0)}
    changed = [("promotions[each]", "PROMOTION_CHANGED", False)]
    assert await reserve(shop, 2, ("each", "5"), guest=True) == ("UNSPECIFIED", changed)
    assert await confirm(shop, 1) == "CONFIRMED"


async def test_a_reservation_past_its_time_gives_its_uses_back_or_makes_them_permanent(shop: World) -> None:
    await create(shop, promotion("five", **EVERYBODY))
    for attempt in (1, 2):
        await reserve(shop, 1, ("five", "5"), attempt=attempt)
    shop.clock.advance(timedelta(minutes=4))
    assert await expiring(shop, Order(a1="REFUSED", a2="ACCEPTED")).once() == 2
    assert await uses(shop) == {("five", ""): (0, 1), ("five", "acme:ada"): (0, 1)}


async def test_a_promotion_may_be_deleted_while_orders_use_it(shop: World) -> None:
    await create(shop, promotion("five", **EVERYBODY))
    await reserve(shop, 1, ("five", "5"))
    await shop.promotions().DeletePromotion(promotions_pb.DeletePromotionRequest(promotion_id="five"))
    assert await confirm(shop, 1) == "CONFIRMED"
    await void(shop, 1)
    assert await uses(shop) == {}


async def test_no_number_of_promotions_takes_another_statement(shop: World) -> None:
    few = await create(shop, *(promotion(f"p{i}", **EVERYBODY, value_expression="money('0.01')") for i in range(100)))

    async def statements(order: int, ids: list[str]) -> list[int]:
        expected = [pb.ExpectedPromotion(promotion_id=id, amount=usd("0.01")) for id in ids]
        off = usd(f"{len(ids) / 100:.2f}")
        prices = [pb.ExpectedPrice(line_item_id="l1", unit_price=usd("10"), promotion_discount=off)]
        fields = {"promotions": asking("l1", ids=ids), "expected_promotions": expected, "expected_prices": prices}
        counts = [shop.served.statements]
        for step in (reserve(shop, order, **fields), confirm(shop, order), void(shop, order)):
            await step
            counts.append(shop.served.statements)
        return [int(after - before) for before, after in pairwise(counts)]

    ids = [p.id for p in few]
    assert await statements(1, ids[:1]) == await statements(2, ids)


async def test_what_does_not_fit_together_is_refused_field_by_field(shop: World) -> None:
    amounts = ("five", "5"), ("five", "1.005"), ("", "1")
    expected = [pb.ExpectedPromotion(promotion_id=id, amount=usd(amount)) for id, amount in amounts]
    with pytest.raises(WaybillError) as refused:
        await reserve(shop, 1, promotions=asking("l1", ids=["five", "other"]), expected_promotions=expected)
    assert {(f.field, f.reason) for f in refused.value.fields} >= {
        ("expected_promotions[1].promotion_id", "DUPLICATE_ITEM"),
        ("expected_promotions[2].promotion_id", "FIELD_REQUIRED"),
        ("promotions.promotion_ids", "FIELD_INVALID"),
    }
    with pytest.raises(WaybillError) as unseen:
        await reserve(shop, 1, ("five", "5"), promotions=None)
    assert [(f.field, f.reason) for f in unseen.value.fields] == [("expected_promotions", "FIELD_INVALID")]


@pytest.mark.parametrize(
    ("broken", "rules"),
    [
        (sa.update(USES).where(USES.c.user_key == "").values(confirmed=7), {"uses_are_counted"}),
        (sa.update(USES).where(USES.c.user_key != "").values(reserved=-1), {"uses_are_counted"}),
        (sa.delete(USES), {"uses_are_counted"}),
        (sa.delete(REDEMPTIONS), {"uses_are_counted"}),
        (sa.update(REDEMPTIONS).values(user_key="acme:bob"), {"uses_are_counted"}),
        (sa.update(REDEMPTIONS).values(attempt=2), {"uses_are_counted", "redemption_is_of_a_standing_attempt"}),
    ],
)
async def test_the_inspection_finds_uses_that_nobody_has_counted(shop: World, broken: Any, rules: set[str]) -> None:
    await create(shop, promotion("five", **EVERYBODY))
    await reserve(shop, 1, ("five", "5"))
    shop.broken = True
    async with shop.database.transaction() as tx:
        await tx.execute(broken)
    assert {r.rule async for r in shop.app.inspected() if isinstance(r, Finding)} == rules
