"""Limits of uses, and what is not as it was shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.pricing.domain.calculation.discounts import Discount, Promoted
from services.pricing.domain.calculation.line import Line
from services.pricing.domain.promotions.conditions import Standing
from services.pricing.domain.promotions.promotion import DropReason
from services.pricing.domain.promotions.shown import Shown, changed_promotions
from services.pricing.domain.promotions.uses import Limits, full, user_key

ANVIL = Line("l1", "anvil", 1)


@pytest.mark.parametrize(
    ("limits", "standing", "found"),
    [
        (Limits(), Standing(uses=9, reserved=9, uses_of_user=9, reserved_of_user=9), []),
        (Limits(2, 2), Standing(uses=1, uses_of_user=1), []),
        (Limits(2), Standing(uses=2), [("LIMIT_REACHED", False)]),
        (Limits(2), Standing(uses=3), [("LIMIT_REACHED", False)]),
        (Limits(2), Standing(uses=1, reserved=1), [("LIMIT_REACHED", True)]),
        (Limits(of_user=1), Standing(uses=5, reserved=5, reserved_of_user=1), [("LIMIT_OF_USER_REACHED", True)]),
        (Limits(3, 1), Standing(uses=1, reserved=1, uses_of_user=1), [("LIMIT_OF_USER_REACHED", False)]),
        (Limits(1, 1), Standing(reserved=1, uses_of_user=1), [("LIMIT_REACHED", True), ("LIMIT_OF_USER_REACHED", False)]),
    ],
)
def test_each_limit_that_leaves_no_place_is_named_and_is_contended_where_uses_may_be_given_back(limits, standing, found) -> None:
    assert [(each.reason, each.contended) for each in full("p", limits, standing)] == found


def test_a_users_uses_are_his_at_his_buyer_and_nobodys_are_of_all() -> None:
    assert len({user_key("acme", "ada"), user_key("globex", "ada"), user_key("", "ada"), user_key("acme", "")}) == 4
    assert user_key("acme", "") == user_key("", "") == ""


def changed(shown: Shown, applied: dict[str, int], *off: int, **dropped: DropReason) -> list[tuple[str, str, str]]:
    line = replace(ANVIL, discounts=tuple(Discount(Promoted("p"), amount) for amount in off))
    return [(p.promotion_id, p.line_id, p.reason) for p in changed_promotions(shown, applied, dropped, [line])]


def test_promotions_hold_with_what_they_were_shown_to_take_off_and_lines_with_what_they_bear() -> None:
    assert changed(Shown(), {}) == []
    assert changed(Shown({"p": 5, "q": 0, "r": 2}, {"l1": 7}), {"p": 5, "q": 0, "r": 2}, 5, 2) == []
    assert changed(Shown({"p": 5}, {"l1": 5}), {"p": 4}, 4) == [("p", "", "PROMOTION_CHANGED")]
    assert changed(Shown({"p": 5}, {"l1": 5}), {"p": 5}, 4) == [("", "l1", "PROMOTION_CHANGED")]
    assert changed(Shown({"p": 5}), {"p": 5}, 5) == [("", "l1", "PROMOTION_CHANGED")]


def test_a_promotion_that_is_not_on_the_order_any_more_has_changed_or_is_used_up() -> None:
    shown = Shown({"gone": 0, "unfit": 1, "full": 2, "mine": 3})
    reasons = {"unfit": DropReason.NOT_ELIGIBLE, "full": DropReason.LIMIT_REACHED, "mine": DropReason.LIMIT_OF_USER_REACHED}
    assert changed(shown, {}, **reasons) == [
        ("gone", "", "PROMOTION_CHANGED"),
        ("unfit", "", "PROMOTION_CHANGED"),
        ("full", "", "PROMOTION_LIMIT_REACHED"),
        ("mine", "", "PROMOTION_LIMIT_OF_USER_REACHED"),
    ]
