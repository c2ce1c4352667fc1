"""Whatever is ordered: totals are sums of stored parts, no part contradicts another, a calculation depends on its input alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.money import minor_unit, round_half_up
from services.order.domain.checkout.amounts import totals, with_own_tax
from tests.unit.money.sales import Basket, Sale, baskets, sales

pytestmark = pytest.mark.timeout(7_200)
"""Of the 10,000 examples of the nightly profile."""


@given(sale=sales())
def test_totals_are_the_sums_of_parts_and_no_part_is_below_zero(sale: Sale) -> None:
    order = sale.order
    assert order.subtotal == sum(p.subtotal for p in sale.lines)
    assert order.discount == sum(p.discount for p in sale.lines)
    assert order.shipping_cost == sum(s.cost - s.discount for s in sale.shipments)
    assert order.tax == sum(p.tax for p in (*sale.lines, *sale.shipments, *order.fees))
    assert order.included_tax == sum(p.included_tax for p in (*sale.lines, *sale.shipments))
    assert order.total == order.subtotal - order.discount + order.shipping_cost + order.tax + order.fee_total + order.gratuity
    for p in sale.lines:
        assert 0 <= p.discount <= p.subtotal
        assert 0 <= p.included_tax <= p.subtotal - p.discount
    for s in sale.shipments:
        assert 0 <= s.discount <= s.cost
        assert 0 <= s.included_tax <= s.cost - s.discount
    assert min(p.tax for p in (*sale.lines, *sale.shipments, *order.fees)) >= 0


@given(sale=sales())
def test_what_is_set_for_the_whole_order_is_what_it_comes_to(sale: Sale) -> None:
    order = sale.order
    if order.tax_override is not None:
        assert order.tax == order.tax_override
    if order.shipping_cost_override is not None and (sale.shipments or not order.shipping_cost_override):
        exempted = sum(s.exempted_tax for s in sale.shipments)
        assert order.shipping_cost == order.shipping_cost_override - exempted


@given(sale=sales())
def test_every_amount_is_one_that_the_currency_has(sale: Sale) -> None:
    unit = minor_unit(sale.order.currency)
    parts = [(p.subtotal, p.discount, p.tax, p.included_tax) for p in sale.lines]
    parts += [(s.cost, s.discount, s.tax, s.included_tax) for s in sale.shipments]
    parts += [(f.amount, f.tax, 0, 0) for f in sale.order.fees]
    assert all(amount % unit == 0 for part in parts for amount in part)


@given(basket=baskets())
def test_a_line_is_its_unit_price_by_its_quantity_and_what_is_added_once(basket: Basket) -> None:
    unit = minor_unit(basket.currency)
    for line, p in zip(basket.lines, basket.priced().lines, strict=True):
        assert p.subtotal == round_half_up(p.price.unit * line.quantity + p.price.line, unit)
        assert p.discount == line.discount_override


@given(basket=baskets())
def test_an_exempt_buyer_pays_no_tax_on_top_and_none_within(basket: Basket) -> None:
    for line, p in zip(basket.lines, basket.priced().lines, strict=True):
        if basket.exempt(line.tax_class):
            assert (p.tax, p.included_tax) == (0, 0)
        else:
            assert not (p.tax and p.included_tax)


@given(basket=baskets(), data=st.data())
def test_a_calculation_does_not_depend_on_the_order_of_lines(basket: Basket, data: st.DataObject) -> None:
    shuffled = replace(basket, lines=tuple(data.draw(st.permutations(basket.lines))))
    assert {p.id: p for p in shuffled.priced().lines} == {p.id: p for p in basket.priced().lines}


@given(sale=sales())
def test_a_calculation_of_what_was_calculated_changes_nothing(sale: Sale) -> None:
    again = with_own_tax(sale.order, sale.lines, sale.shipments, sale.order.fees)
    assert again == (sale.lines, sale.shipments, sale.order.fees)
    assert totals(*again).total + sale.order.gratuity == sale.order.total
