"""Expressions of promotions over the messages of an order, and from what they come to to an order that is calculated with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from libs.expr import Environment, Expression, Result
from services.pricing.application.promotions.promote import Promoted, promote
from services.pricing.contract.promotion_judge import ExpressionJudge
from services.pricing.domain.calculation import discounts
from services.pricing.domain.calculation.calculate import Calculation, Shipment, calculate
from services.pricing.domain.calculation.discounts import Discount, Override
from services.pricing.domain.calculation.line import Line
from services.pricing.domain.promotions.calculated import Placed, basis_of, discounted
from services.pricing.domain.promotions.combination import Candidate, Origin
from services.pricing.domain.promotions.conditions import Shopper
from services.pricing.domain.promotions.promotion import Promotion, Target
from services.pricing.domain.tax.exemptions import NONE, Exemptions
from services.pricing.domain.tax.rates import Destination, Rate, Rates
from tests.expressions.messages import Item, Order, item, order
from tests.unit.pricing.judging import CENT, NOW, drops, off, promotion

HERE = Destination("US", "CA", "95113")
ORDERS, LINES = Environment({"order": Order}), Environment({"order": Order, "item": Item}, line_variable="item")


def parse(text: str, target: Target, result: Result) -> Expression:
    return (LINES if target is Target.LINE else ORDERS).check(text, result)


def seen(supplier_id: str, items: Sequence[Any]) -> Any:
    """The order of a supplier, or all of it."""
    own = [each for each in items if supplier_id in ("", each.supplier_id)]
    return order(items=own, subtotal=sum(each.subtotal for each in own))


async def judged(*promotions: Promotion, dollars: Sequence[int] = (30, 10), suppliers: Sequence[str] = ("a", "b")) -> Promoted:
    """Over lines l1, l2, ... of so many dollars, one unit each, with an estimate of 9.00."""
    lines = [Line(f"l{i}", "p", 1, unit_price_override=each * 100 * CENT) for i, each in enumerate(dollars, 1)]
    shipments = [Shipment("e", 900 * CENT)]
    made = calculate("USD", lines, shipments, None, {}, Rates(()), NOW)
    placed = {line.id: Placed(NOW, supplier) for line, supplier in zip(lines, suppliers, strict=True)}
    basis = basis_of("USD", made, lines, placed, {})
    items = [
        item(quantity=1, id=line.id, subtotal=line.subtotal, unit_price=line.unit_price, supplier_id=line.supplier_id)
        for line in basis.lines
    ]
    judge = ExpressionJudge(parse, lambda supplier_id: seen(supplier_id, items), items)
    return await promote([Candidate(each, Origin.ENTERED) for each in promotions], Shopper(), {}, basis, judge, NOW)


async def test_expressions_decide_which_lines_become_cheaper_and_by_how_much() -> None:
    of_lines = promotion("p", Target.LINE, "percent(item.subtotal, '10')", eligible_expression="item.subtotal > money('20')")
    of_order = promotion("q", Target.ORDER, "money('1')", eligible_expression="order.subtotal >= money('40')")
    of_freight = promotion("r", Target.SHIPPING, "order.shipping_cost")
    found = await judged(of_lines, of_order, of_freight)
    assert off(found) == {"p": {0: 300}, "q": {0: 73, 1: 27}, "r": {0: 900}}


async def test_a_condition_without_the_line_goes_through_all_lines_and_holds_for_all_or_none() -> None:
    anywhere = promotion("p", Target.LINE, "money('2')", eligible_expression="order.items.exists(i, i.subtotal > money('20'))")
    assert off(await judged(anywhere, dollars=[30, 1])) == {"p": {0: 200, 1: 100}}
    assert drops(await judged(anywhere, dollars=[20, 1])) == {"p": "NOT_ELIGIBLE"}


async def test_a_suppliers_promotion_sees_the_order_that_the_supplier_gets() -> None:
    half = promotion("p", Target.ORDER, "percent(order.subtotal, '50')", supplier_id="b")
    assert off(await judged(half)) == {"p": {1: 500}}


@pytest.mark.parametrize("target", list(Target))
@pytest.mark.parametrize("condition", ["order.xp.tier == 'gold'", "order.was_never_a_field"])
async def test_one_that_has_no_value_or_cannot_be_read_any_more_is_dropped_with_what_its_owner_has_to_know(
    target: Target, condition: str
) -> None:
    found = await judged(promotion("p", target, "money('1')", eligible_expression=condition))
    assert drops(found) == {"p": "EXPRESSION_ERROR"}
    assert found.dropped[0].drop.detail


def calculated(wanted: Sequence[Line], shipments: Sequence[Shipment], rates: Rates, exemptions: Exemptions = NONE) -> Calculation:
    return calculate("USD", wanted, shipments, HERE, {}, rates, NOW, exemptions=exemptions)


async def test_an_order_is_calculated_with_what_promotions_take_off_and_taxed_on_the_rest() -> None:
    rates = Rates([Rate("US", "", "", tax_class, Decimal("0.1")) for tax_class in ("standard", "shipping")])
    lines = [
        Line("b", "p", 2, unit_price_override=500 * CENT, discount_override=200 * CENT),
        Line("a", "p", 1, unit_price_override=1_000 * CENT),
        Line("c", "p", 1, unit_price_override=1_000 * CENT, discount_override=0),
    ]
    shipments = [Shipment("e", 500 * CENT)]
    before = calculated(lines, shipments, rates)
    basis = basis_of("USD", before, lines, {line.id: Placed(NOW) for line in lines}, {"e": "s"})
    given = [
        promotion("l", Target.LINE, "money('4')", code="LINES"),
        promotion("o", Target.ORDER, "money('12')", code="SECRET"),
        promotion("s", Target.SHIPPING, "money('7')", supplier_id="s"),
    ]
    items = [item(id=line.id) for line in basis.lines]
    judge = ExpressionJudge(parse, lambda _: order(), items)
    found = await promote(
        [Candidate(each, Origin.AUTOMATIC if each.id == "o" else Origin.ENTERED) for each in given],
        Shopper(),
        {},
        basis,
        judge,
        NOW,
    )
    taken = [(each.candidate, each.parts) for each in found.applied]
    made = calculated(*discounted(lines, shipments, basis, taken), rates)

    by_hand, by_line, by_order = Override(), discounts.Promoted("l", "LINES"), discounts.Promoted("o")
    assert {line.id: line.discounts for line in made.lines} == {
        "a": (Discount(by_line, 400 * CENT), Discount(by_order, 300 * CENT)),
        "b": (Discount(by_hand, 200 * CENT), Discount(by_order, 400 * CENT)),
        "c": (Discount(by_order, 500 * CENT),),
    }
    assert [line.tax for line in made.lines] == [40 * CENT, 30 * CENT, 50 * CENT]
    assert made.shipments[0].discounts == (Discount(discounts.Promoted("s"), 500 * CENT),)
    assert made.shipments[0].tax == 0
    # What is worked out is what is taken off: nothing is cut by the calculation.
    assert sum(line.discount for line in made.lines) == sum(each.amount for each in found.applied[:2]) + 200 * CENT
    assert [replace(line, discounts=(), tax=0) for line in made.lines] == [
        replace(line, discounts=(), tax=0) for line in before.lines
    ]
