"""The plan that ships for least."""

from __future__ import annotations

import pytest

from services.order.domain.checkout.freight import Shippable, cheapest, kept
from services.order.domain.checkout.worksheet import Estimate, Method
from services.order.domain.model import Problem

UNSHIPPABLE = Shippable((), (Problem("NO_SHIP_METHOD", "shipping", "line_items[l1]", "no ship method serves it"),))


def plan(*groups: tuple[int, ...]) -> Shippable:
    """One that ships in these groups, each by methods of these costs."""
    methods = [tuple(Method(f"m{n}", "", "", cost, 1, 2) for n, cost in enumerate(costs)) for costs in groups]
    return Shippable(tuple(Estimate(f"e{n}", "", "", (("l1", 1),), offered, "line") for n, offered in enumerate(methods)))


@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        ([plan((9,))], 0),
        ([plan((5, 9), (5,)), plan((9,))], 1),
        ([plan((9,)), plan((20, 4), (5, 6))], 0),
        ([plan((9,)), plan((4,), (5,)), plan((8,))], 2),
        ([UNSHIPPABLE, plan((90,))], 1),
        ([plan((90,)), UNSHIPPABLE], 0),
        ([UNSHIPPABLE, UNSHIPPABLE], 0),
        ([Shippable()], 0),
    ],
)
def test_the_sum_of_the_cheapest_methods_decides_and_of_equal_ones_the_first(found: list[Shippable], chosen: int) -> None:
    assert cheapest(found) == chosen


LOWEST = ("priority", "lowest_freight")


@pytest.mark.parametrize(
    ("stages", "found", "chosen"),
    [
        (LOWEST, [plan((9,)), plan((5,))], 1),
        (("priority",), [plan((9,)), plan((5,))], 0),
        ((), [plan((9,)), plan((5,))], 0),
        (LOWEST, [UNSHIPPABLE, plan((90,))], 1),
        ((), [UNSHIPPABLE, plan((90,))], None),
        (LOWEST, [UNSHIPPABLE, UNSHIPPABLE], None),
        (LOWEST, [], None),
    ],
)
def test_an_estimate_keeps_the_first_plan_unless_the_freight_decides_and_none_that_cannot_be_shipped(
    stages: tuple[str, ...], found: list[Shippable], chosen: int | None
) -> None:
    assert kept(stages, found) == chosen
