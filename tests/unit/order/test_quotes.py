"""Prices of lines while an order is built: of what they are asked, and what is done with the answer."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from services.order.domain.building.choices import Chosen, Variant
from services.order.domain.building.drafts import LineDraft
from services.order.domain.checkout.quotes import LARGEST, Asked, Marked, Quote, asked_anew, asked_for, with_sums
from services.order.domain.checkout.worksheet import LinePart
from services.order.domain.choice import Choice, MarkUp
from services.order.domain.discounts import Discount, Override
from services.order.domain.model import Line, Problem
from services.order.domain.price_steps import FromSchedule, PriceStep
from tests.unit.order.builders import line, order
from waybill.order.v1 import reasons
from waybill.type.v1.reasons import ReasonName

UNIT = 10_000_000


def part(quantity: int, unit: int = UNIT, discount: int = 0) -> LinePart:
    """What pricing answers of a line."""
    discounts = (Discount(Override(), discount),) if discount else ()
    steps = (PriceStep(FromSchedule("list", 1, quantity, False), unit),)
    return LinePart("0", unit, unit * quantity, discounts, discount, 0, Decimal(0), "list", price_steps=steps)


def lines() -> tuple[Line, ...]:
    """Two of one product, with another between them."""
    return line("a", 2), line("b", 1, product_id="lamp", subtotal=7), line("c", 3)


def draft(id: str, **fields: Any) -> LineDraft:
    return LineDraft(id=id, **{"product_id": "", "quantity": 0, **fields})


def test_a_quote_is_of_the_lines_of_its_products_whatever_else_there_is() -> None:
    quote = Quote((Asked("anvil", 2), Asked("anvil", 3)))
    a, b, c = lines()
    assert quote.is_of((a, b, c))
    assert quote.is_of((a, replace(b, quantity=9), c))
    assert Quote().is_of((a, b, c))


@pytest.mark.parametrize(
    "fields", [{"quantity": 4}, {"unit_price_override": 1}, {"discount_override": 0}, {"product_id": "lamp"}], ids=str
)
def test_a_quote_is_not_of_lines_that_have_changed(fields: dict[str, Any]) -> None:
    a, b, c = lines()
    assert not Quote((Asked("anvil", 2), Asked("anvil", 3))).is_of((a, b, replace(c, **fields)))
    assert not Quote((Asked("anvil", 2), Asked("anvil", 3))).is_of((a, b, c, line("d")))


def test_lines_take_their_prices_and_others_keep_theirs() -> None:
    made, problems = Quote((Asked("anvil", 2), Asked("anvil", 3)), (part(2), part(3, discount=5))).taken(lines())
    assert problems == ()
    assert [(one.id, one.subtotal, one.discount) for one in made] == [("a", 2 * UNIT, 0), ("b", 7, 0), ("c", 3 * UNIT, 5)]
    assert made[1] == lines()[1]
    assert made[0].price_steps[0].unit == made[0].unit_price == UNIT


def test_a_line_without_a_price_loses_the_one_that_it_had_and_is_named() -> None:
    missing = Problem(ReasonName("PRICE_MISSING"), "pricing", "line_items[1]", "has no price")
    had, _ = Quote((Asked("anvil", 2), Asked("anvil", 3)), (part(2), part(3, discount=5))).taken(lines())
    made, problems = Quote((Asked("anvil", 2), Asked("anvil", 3)), (part(2), missing)).taken(had)
    assert problems == (replace(missing, subject="line_items[c]"),)
    assert made[2] == lines()[2]
    assert made[0] == had[0]


def test_what_the_lines_come_to_fits_the_largest_amount() -> None:
    rest = replace(lines()[1], subtotal=LARGEST - 2 * UNIT)
    made, problems = Quote((Asked("anvil", 2), Asked("anvil", 3)), (part(2), part(3))).taken((lines()[0], rest, lines()[2]))
    assert [(p.reason, p.subject) for p in problems] == [(reasons.VALUE_OUT_OF_RANGE, "line_items[c]")]
    assert sum(one.subtotal for one in made) == LARGEST


def test_a_change_asks_for_all_lines_of_the_products_whose_prices_it_may_decide() -> None:
    changed = [draft("c", quantity=5), draft("gone", quantity=1)]
    assert asked_anew(lines(), changed, ["quantity", "xp"]) == [Asked("anvil", 2), Asked("anvil", 5)]
    cleared = [replace(lines()[1], unit_price_override=5)]
    assert asked_anew(cleared, [draft("b", quantity=9)], ["unit_price_override"]) == [Asked("lamp", 1)]
    assert asked_anew(lines(), changed, ["xp", "comments", "shipping_address"]) == []


def test_a_new_line_is_asked_for_with_what_decides_its_price() -> None:
    given = draft("", product_id="anvil", quantity=2, unit_price_override=3, discount_override=1, comments="x")
    gift = Choice("box", "Box", "gift", "Gift", mark_up=MarkUp("AMOUNT_TOTAL", {"USD": 3}))
    chosen = [Choice("size", "Size", "l", "Large"), gift]
    made = Chosen(tuple(chosen), Variant("red", "Red", True, {}))
    assert asked_for(given, made) == Asked("anvil", 2, 3, 1, (Marked("box", "gift", gift.mark_up),), "red")


def test_the_order_has_the_sums_of_its_lines_and_what_was_calculated_beside_them() -> None:
    made = with_sums(order(shipping_cost=100, tax=10, gratuity=3), [line("a", subtotal=50, discount=5), line("b", subtotal=7)])
    assert (made.subtotal, made.discount, made.total) == (57, 5, 57 - 5 + 100 + 10 + 3)
