"""What promotions take off an order, in which order, and which of them are on it together."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pricing.application.promotions.promote import Promoted
from services.pricing.domain.promotions.combination import MAX_PROMOTIONS, Candidate, Origin
from services.pricing.domain.promotions.conditions import Shopper, Standing
from services.pricing.domain.promotions.promotion import DropReason, Promotion, Target
from services.pricing.domain.promotions.taking import Freight, GoodsLine
from tests.unit.pricing.judging import CENT, NOW, drops, judged, line, off, promotion

LINE, ORDER, SHIPPING = Target.LINE, Target.ORDER, Target.SHIPPING
HOUR = timedelta(hours=1)


async def test_lines_come_before_the_order_and_the_lower_priority_first_absent_last() -> None:
    given_ = [
        promotion("order", ORDER, 100, priority=0),
        promotion("none", LINE, 100),
        promotion("b", LINE, 100, priority=2),
        promotion("a", LINE, 100, priority=2),
        promotion("first", LINE, 100, priority=1),
    ]
    found = await judged(given_, [line("l", 1_000)])
    assert list(off(found)) == ["first", "a", "b", "none", "order"]


async def test_each_takes_off_what_those_before_it_have_left_and_never_more() -> None:
    found = await judged([promotion("a", LINE, 700), promotion("b", ORDER, 500), promotion("c", ORDER, 1)], [line("l", 1_000)])
    assert off(found) == {"a": {0: 700}, "b": {0: 300}, "c": {}}


async def test_one_that_others_have_left_nothing_stays_on_the_order_without_an_amount() -> None:
    found = await judged([promotion("a", LINE, 1_000), promotion("b", ORDER, 500)], [line("l", 1_000)])
    assert ([each.amount for each in found.applied], drops(found)) == ([1_000 * CENT, 0], {})


async def test_what_the_order_gets_is_borne_by_what_each_line_has_left() -> None:
    lines = [line("a", 100, left=0, overridden=True), line("b", 300), line("c", 100)]
    assert off(await judged([promotion("o", ORDER, 200)], lines)) == {"o": {1: 150, 2: 50}}


async def test_a_discount_set_by_hand_stands_in_for_promotions_of_its_line_and_not_for_those_of_the_order() -> None:
    lines = [line("a", 100, left=60 * CENT, overridden=True), line("b", 100)]
    found = await judged([promotion("l", LINE, 10), promotion("o", ORDER, 150)], lines)
    assert off(found) == {"l": {1: 10}, "o": {0: 60, 1: 90}}


async def test_shipping_is_borne_by_each_estimate_and_never_by_goods() -> None:
    freights = [Freight("e1", 300 * CENT), Freight("e2", 100 * CENT)]
    assert off(await judged([promotion("s", SHIPPING, 1_000)], [line("l", 1_000)], freights)) == {"s": {0: 300, 1: 100}}


@pytest.mark.parametrize(("target", "expected"), [(LINE, {1: 100}), (ORDER, {1: 100}), (SHIPPING, {0: 50})])
async def test_a_suppliers_promotion_is_borne_by_what_it_sells_alone(target: Target, expected: dict[int, int]) -> None:
    lines = [line("a", 100, supplier_id="other"), line("b", 100, supplier_id="s"), line("c", 100)]
    freights = [Freight("e1", 50 * CENT, "s"), Freight("e2", 50 * CENT)]
    assert off(await judged([promotion("p", target, 1_000, supplier_id="s")], lines, freights)) == {"p": expected}


@pytest.mark.parametrize(
    ("item_order", "expected"),
    [
        ("", ["new", "old"]),
        ("create_time", ["new", "old"]),
        ("create_time desc", ["same", "young"]),
        ("unit_price", ["old", "same"]),
        ("unit_price desc", ["new", "young"]),
        ("subtotal desc", ["new", "old"]),
        ("quantity", ["new", "same"]),
        ("quantity desc", ["old", "young"]),
    ],
)
async def test_a_limit_of_lines_takes_them_in_its_order(item_order: str, expected: list[str]) -> None:
    lines = [
        line("new", 900, 1, create_time=NOW - 2 * HOUR),
        line("old", 800, 8, create_time=NOW - HOUR),
        line("same", 200, 1, create_time=NOW),
        line("young", 500, 2, create_time=NOW),
    ]
    found = await judged([promotion("p", LINE, 10, item_limit_per_order=2, item_order=item_order)], lines)
    assert sorted(lines[place].id for place in off(found)["p"]) == expected


async def test_a_limit_of_units_takes_the_last_line_as_far_as_it_goes() -> None:
    lines = [line("a", 300, 3), line("b", 300, 3), line("c", 300, 3)]
    found = await judged([promotion("p", LINE, 100, quantity_limit_per_order=5)], lines)
    assert off(found) == {"p": {0: 100, 1: 67}}


async def test_a_line_that_nothing_comes_off_counts_towards_no_limit() -> None:
    lines = [line("a", 100), line("b", 100), line("c", 100)]
    first = promotion("first", LINE, "a only", priority=0)
    limited = promotion("second", LINE, 50, item_limit_per_order=1)
    found = await judged([limited, first], lines, by_line={"a only": {"a": 100 * CENT}})
    assert off(found) == {"first": {0: 100}, "second": {1: 50}}


async def test_a_promotion_of_lines_holds_for_those_that_it_fits() -> None:
    chosen = promotion("p", LINE, 10, eligible_expression="some")
    found = await judged([chosen], [line("a", 100), line("b", 100)], by_line={"some": {"b": True}})
    assert off(found) == {"p": {1: 10}}


@pytest.mark.parametrize("target", list(Target))
@pytest.mark.parametrize(
    ("condition", "value", "reason"),
    [
        ("0", "1000000", "NOT_ELIGIBLE"),
        ("There is no 'tier'.", "1000000", "EXPRESSION_ERROR"),
        ("1", "There is no 'tier'.", "EXPRESSION_ERROR"),
        ("1", "0", "VALUE_NOT_POSITIVE"),
        ("1", "-1000000", "VALUE_NOT_POSITIVE"),
        ("1", "4999", "VALUE_NOT_POSITIVE"),
    ],
)
async def test_one_that_gives_nothing_is_dropped_with_its_reason(target: Target, condition: str, value: str, reason: str) -> None:
    refused = promotion("p", target, value, eligible_expression=condition)
    found = await judged([refused], [line("l", 100)], [Freight("e", 100 * CENT)])
    assert (off(found), drops(found)) == ({}, {"p": reason})
    assert found.dropped[0].drop.detail == ("There is no 'tier'." if reason == "EXPRESSION_ERROR" else "")


async def test_an_order_without_lines_and_shipping_gets_nothing_from_any_promotion() -> None:
    found = await judged([promotion(target, target, 10) for target in Target], [])
    assert drops(found) == {"LINE": "NOT_ELIGIBLE", "ORDER": "VALUE_NOT_POSITIVE", "SHIPPING": "VALUE_NOT_POSITIVE"}


@pytest.mark.parametrize(
    ("fields", "standing", "shopper", "reason"),
    [
        ({"active": False}, Standing(), Shopper(), "NOT_ACTIVE"),
        ({"start_time": NOW + HOUR}, Standing(), Shopper(), "NOT_YET_VALID"),
        ({"start_time": NOW}, Standing(), Shopper(), ""),
        ({"end_time": NOW}, Standing(), Shopper(), "EXPIRED"),
        ({"end_time": NOW + HOUR}, Standing(), Shopper(), ""),
        ({"all_buyers": False}, Standing(), Shopper(), "BUYER_NOT_ALLOWED"),
        ({"all_buyers": False}, Standing(assigned=True), Shopper(), ""),
        ({"api_client_ids": ("web",)}, Standing(), Shopper("app"), "CHANNEL_NOT_ALLOWED"),
        ({"api_client_ids": ("web",)}, Standing(), Shopper("web"), ""),
        ({"redemption_limit_per_user": 1}, Standing(), Shopper(guest=True), "SIGN_IN_REQUIRED"),
        ({"redemption_limit_per_user": 2}, Standing(uses_of_user=1), Shopper(), ""),
        ({"redemption_limit_per_user": 2}, Standing(uses_of_user=2), Shopper(), "LIMIT_OF_USER_REACHED"),
        ({"redemption_limit": 2}, Standing(uses=1), Shopper(guest=True), ""),
        ({"redemption_limit": 2}, Standing(uses=2), Shopper(), "LIMIT_REACHED"),
        ({"end_time": NOW, "redemption_limit_per_user": 1}, Standing(), Shopper(guest=True), "EXPIRED"),
    ],
)
async def test_each_condition_drops_it(fields: dict[str, Any], standing: Standing, shopper: Shopper, reason: str) -> None:
    found = await judged([promotion("p", ORDER, 10, **fields)], [line("l", 100)], shopper=shopper, standing={"p": standing})
    assert drops(found).get("p", "") == reason


def test_what_a_shopper_must_not_know_looks_like_a_code_that_nobody_made() -> None:
    open_ = {reason for reason in DropReason if reason.shown is reason}
    secret = {"NOT_ACTIVE", "NOT_YET_VALID", "EXPIRED", "BUYER_NOT_ALLOWED", "CHANNEL_NOT_ALLOWED"}
    assert {reason.value for reason in DropReason} - {reason.value for reason in open_} == secret
    assert {reason.shown for reason in DropReason if reason not in open_} == {DropReason.NOT_FOUND}


S, E, A = Origin.STANDING, Origin.ENTERED, Origin.AUTOMATIC


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ([("alone", E, False), ("auto", A, True)], ["alone"]),
        ([("alone", A, False), ("code", E, True)], ["code"]),
        ([("b", A, False), ("a", A, False)], ["a"]),
        ([("a", A, True), ("b", A, False), ("c", A, True)], ["a", "c"]),
        ([("on", S, True), ("new", E, False)], ["on"]),
        ([("on", S, False), ("new", E, True)], ["on"]),
        ([("on", S, True), ("new", E, True), ("auto", A, True)], ["auto", "new", "on"]),
        ([("same", A, True), ("same", S, True), ("new", E, False)], ["same"]),
    ],
)
async def test_which_stay_where_one_cannot_be_combined(given_: list[tuple[str, Origin, bool]], kept: list[str]) -> None:
    candidates = [Candidate(promotion(id, ORDER, 1, can_combine=combines), origin) for id, origin, combines in given_]
    found = await judged(candidates, [line("l", 100)])
    assert sorted(off(found)) == kept
    assert set(drops(found).values()) <= {"CANNOT_COMBINE"}


async def test_one_that_does_not_fit_keeps_no_other_away() -> None:
    alone = promotion("alone", ORDER, 10, can_combine=False, eligible_expression="0")
    found = await judged([alone, promotion("p", ORDER, 10)], [line("l", 100)])
    assert (list(off(found)), drops(found)) == (["p"], {"alone": "NOT_ELIGIBLE"})


async def test_no_more_promotions_are_on_an_order_than_it_may_have() -> None:
    found = await judged([promotion(f"{i:03}", ORDER, 1) for i in range(MAX_PROMOTIONS + 2)], [line("l", 10_000)])
    assert (len(found.applied), drops(found)) == (MAX_PROMOTIONS, {"100": "TOO_MANY", "101": "TOO_MANY"})


_CENTS = st.integers(0, 5_000)
_SUPPLIERS = st.sampled_from(["", "s1", "s2"])


@st.composite
def goods(draw: st.DrawFn) -> GoodsLine:
    quantity, subtotal, by_hand = draw(st.integers(1, 9)), draw(_CENTS), draw(st.booleans())
    left = draw(st.integers(0, subtotal)) if by_hand else subtotal
    id, added = draw(st.uuids()).hex, NOW - draw(st.integers(0, 3)) * HOUR
    fields = {"supplier_id": draw(_SUPPLIERS), "overridden": by_hand, "create_time": added, "left": left * CENT}
    return line(id, subtotal, quantity, **fields)


@st.composite
def offers(draw: st.DrawFn) -> Candidate:
    target = draw(st.sampled_from(Target))
    fields: dict[str, Any] = {
        "supplier_id": draw(_SUPPLIERS),
        "priority": draw(st.none() | st.integers(0, 2)),
        "can_combine": draw(st.integers(0, 9)) > 0,
    }
    if target is LINE and draw(st.booleans()):
        name = draw(st.sampled_from(["quantity_limit_per_order", "item_limit_per_order"]))
        fields |= {name: draw(st.integers(1, 9)), "item_order": draw(st.sampled_from(["", "subtotal desc", "quantity"]))}
    value = draw(st.integers(-10, 4_000 * CENT))
    return Candidate(promotion(draw(st.uuids()).hex, target, str(value), **fields), draw(st.sampled_from(Origin)))


freights_ = st.builds(lambda id, cents, owner: Freight(id.hex, cents * CENT, owner), st.uuids(), _CENTS, _SUPPLIERS)


def by_id(found: Promoted, lines: list[GoodsLine], freights: list[Freight]) -> dict[tuple[str, str], int]:
    ids = {False: sorted(each.id for each in lines), True: sorted(each.id for each in freights)}
    return {
        (each.candidate.promotion.id, ids[each.candidate.promotion.target is SHIPPING][place]): amount
        for each in found.applied
        for place, amount in each.parts
    }


@given(st.lists(offers(), max_size=8), st.lists(goods(), max_size=8), st.lists(freights_, max_size=4), st.randoms())
async def test_whatever_is_given_nothing_is_below_zero_or_above_its_base_and_no_order_of_it_matters(
    candidates: list[Candidate], lines: list[GoodsLine], freights: list[Freight], order: random.Random
) -> None:
    found = await judged(candidates, lines, freights)
    parts = by_id(found, lines, freights)
    left = {each.id: each.left for each in (*lines, *freights)}
    owners = {each.id: each.supplier_id for each in (*lines, *freights)}
    owned = {each.promotion.id: each.promotion.supplier_id for each in candidates}
    assert all(amount > 0 and amount % CENT == 0 for amount in parts.values())
    assert all(sum(amount for (_, part), amount in parts.items() if part == id) <= most for id, most in left.items())
    assert all(owned[promotion_id] in ("", owners[part]) for promotion_id, part in parts)
    for each in found.applied:
        assert each.amount == sum(amount for (id, _), amount in parts.items() if id == each.candidate.promotion.id)
        assert each.candidate.promotion.target is LINE or each.amount <= _value(each.candidate.promotion)

    # In any order the same, and again the same with what is on the order now.
    again = [
        Candidate(each.promotion, S if each.origin is not A else A)
        for each in candidates
        if each.origin is A or each.promotion.id in off(found)
    ]
    for shuffled in (again, lines, freights):
        order.shuffle(shuffled)  # type: ignore[arg-type]
    assert by_id(await judged(again, lines, freights), lines, freights) == parts
    order.shuffle(candidates)
    assert by_id(await judged(candidates, lines, freights), lines, freights) == parts


def _value(offered: Promotion) -> int:
    return int(offered.value_expression) + CENT // 2


async def test_others_have_their_turn_between_promotions() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await judged([promotion(f"p{i}", LINE, 1) for i in range(20)], [line("l", 100)])
    task.cancel()
    assert turns >= 40
