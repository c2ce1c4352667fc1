"""The money of an order from its prices to the last cent taken or given back: prices, suppliers, parcels, payments, together.

`pytest -m hypothesis --hypothesis-profile nightly tests/unit/money` tries 10,000 lives of orders.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from libs.money import minor_unit, round_half_up
from services.fulfillment.domain.supplier_orders.costs import commission, cost, payable
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder
from services.fulfillment.domain.supplier_orders.worth import canceled, given_up, shipped
from services.order.domain.progress.capture import due_for_shipped
from services.payment.domain.payments.transaction import TransactionType
from services.payment.domain.payments.units import cost as in_units
from tests.unit.money.goods import Goods
from tests.unit.money.purse import MEANS, POINTS, Purse, Tender
from tests.unit.money.sales import PRODUCTS, SUPPLIERS, Sale, sales
from tests.unit.order import builders

pytestmark = pytest.mark.timeout(7_200)
"""Of the 10,000 examples of the nightly profile."""
TENDERS = st.lists(st.builds(Tender, st.sampled_from(MEANS), st.integers(0, 24)), min_size=1, max_size=4)
STOCK = st.fixed_dictionaries({(product, supplier): st.integers(0, 6) for product in PRODUCTS for supplier in SUPPLIERS})
ROUNDING = 20
"""Minor units by which what has shipped may be worth less after moves: less than two for each amount of four lines."""
WHICH, UNITS = st.integers(0, 5), st.integers(1, 7)


class MoneyOfAnOrder(RuleBasedStateMachine):
    """An order that opens; its units move between suppliers and ship in any pieces until all has or the rest is canceled."""

    @initialize(
        sale=sales(), on_hand=STOCK, counted=st.booleans(), forwarded=st.booleans(), tenders=TENDERS, canceled=st.booleans()
    )
    def the_order_opens(
        self, sale: Sale, on_hand: Any, counted: bool, forwarded: bool, tenders: list[Tender], canceled: bool
    ) -> None:
        self.sale, self.order, self.unit = sale, sale.order, minor_unit(sale.order.currency)
        self.goods = Goods(sale, on_hand, counted, forwarded)
        self.purse = Purse(tenders, self.order.total, self.order.currency, self.unit)
        self.ends_by_cancel = canceled
        self.owed, self.peak = self.order.total, 0
        self.capture()

    @property
    def worth(self) -> int:
        """What is due for what has shipped."""
        units = self.goods.units_shipped
        lines = [builders.line(id, max(n, 1), quantity_shipped=n) for id, n in units.items()]
        return due_for_shipped(self.order, lines, [shipped(o) for o in self.goods.orders])

    @rule()
    def forward(self) -> None:
        self.goods.forward()

    @rule(which=WHICH)
    def reject(self, which: int) -> None:
        self.goods.reject(which)

    @rule(which=WHICH, to=st.sampled_from(SUPPLIERS), units=st.lists(st.integers(0, 7), min_size=4, max_size=4))
    def move_units(self, which: int, to: str, units: list[int]) -> None:
        self.goods.move(which, to, units)

    @rule(which=WHICH, line=WHICH, units=UNITS, leaves=st.booleans())
    def pack(self, which: int, line: int, units: int, leaves: bool) -> None:
        self.goods.pack(which, line, units, leaves)

    @precondition(lambda self: self.goods.parcels)
    @rule(which=WHICH)
    def send(self, which: int) -> None:
        self.goods.send(which)

    @rule()
    def capture(self) -> None:
        """Asked again and again, it charges nothing twice."""
        # What has shipped of a line is rounded anew when units of it leave: its net, discount and tax.
        assert self.worth >= self.peak - ROUNDING * self.unit
        self.peak = max(self.peak, self.worth)
        self.purse.capture(self.worth)

    @rule()
    def answer(self) -> None:
        self.purse.arrive()

    @invariant()
    def supplier_orders_add_up_to_the_order(self) -> None:
        orders, order = self.goods.orders, self.order
        assert sum(o.total for o in orders) + self.sale.with_seller == order.total
        for name in ("subtotal", "discount", "shipping_cost", "tax", "included_tax"):
            of_fees = order.fee_tax if name == "tax" else 0
            assert sum(getattr(o, name) for o in orders) + of_fees == getattr(order, name), name
        for p in self.sale.lines:
            mine = [line for o in orders for line in o.lines if line.line_item_id == p.line_item_id]
            for name in ("subtotal", "discount", "tax", "included_tax"):
                assert sum(getattr(line, name) for line in mine) == getattr(p, name), name

    @invariant()
    def no_part_contradicts_another(self) -> None:
        for o in self.goods.orders:
            assert (o.subtotal, o.discount) == (sum(x.subtotal for x in o.lines), sum(x.discount for x in o.lines))
            assert min(o.shipping_cost, o.tax) >= 0
            for line in o.lines:
                assert 0 <= line.discount <= line.subtotal
                assert 0 <= line.included_tax <= line.subtotal - line.discount
                assert line.tax >= 0
            assert all(0 <= s.included_tax <= s.cost and s.tax >= 0 for s in o.selections)

    @invariant()
    def what_ships_and_what_does_not_are_the_whole(self) -> None:
        orders = self.goods.orders
        assert all(0 <= shipped(o) <= o.total for o in orders)
        lost = given_up(orders)
        assert self.goods.shipped + lost.total == sum(o.total for o in orders)
        assert 0 <= lost.discount <= lost.subtotal
        assert 0 <= lost.included_tax <= lost.subtotal - lost.discount + lost.shipping_cost

    @invariant()
    def suppliers_are_paid_for_the_units_that_they_keep(self) -> None:
        for o in self.goods.orders:
            self._check_costs(o)

    def _check_costs(self, o: SupplierOrder) -> None:
        costs = self.sale.costs
        known = [x for x in o.lines if x.unit_cost is not None]
        assert all(x.unit_cost == costs[x.line_item_id][o.supplier_id] for x in known)
        due, whole = payable(o), cost(o)
        if not known:
            assert due is whole is commission(o) is None
            return
        assert due is not None
        assert whole is not None
        assert whole == sum(round_half_up((x.unit_cost or 0) * x.quantity, self.unit) for x in known)
        exact = sum((x.unit_cost or 0) * (x.quantity - x.canceled) for x in known)
        assert abs(due - exact) <= len(known) * self.unit
        if not any(x.canceled for x in known):
            net = sum(x.subtotal - x.discount - x.included_tax for x in known)
            assert due == whole
            assert commission(o) == net - whole

    @invariant()
    def payments_stand_for_what_is_owed_and_cards_take_what_has_shipped(self) -> None:
        assert self.purse.due == self.owed
        others = sum(p.due for p in self.purse.others)
        assert self.purse.captured + self.purse.asked == max(0, self.peak - others)

    @invariant()
    def points_drawn_and_given_back_add_up(self) -> None:
        for p in self.purse.others:
            if p.spending_account_id in POINTS:
                digits, rate = POINTS[p.spending_account_id]
                assert p.debited_units == in_units(p.resolved_amount or 0, rate, digits)
                assert p.debited_units == self.purse.units(p, TransactionType.RESERVE) or not p.resolved_amount
                back = self.purse.units(p, TransactionType.REFUND, TransactionType.VOID)
                assert p.refunded_units == back
                assert (p.debited_units == back) if p.refunded == p.resolved_amount else (back <= p.debited_units)

    def teardown(self) -> None:
        if not hasattr(self, "purse"):
            return
        lost = self.goods.cancel() if self.ends_by_cancel else self._ship_the_rest()
        if lost is None:
            self.owed = 0
            self.purse.cancel()
        else:
            self.owed -= lost
            self.purse.lower(self.owed)
            self.purse.capture(self.worth)
        self.purse.arrive()
        self.points_drawn_and_given_back_add_up()
        self.suppliers_are_paid_for_the_units_that_they_keep()
        self._check_the_end()

    def _ship_the_rest(self) -> int:
        self.goods.ship_the_rest()
        assert not self.goods.open
        self.capture()
        return 0

    def _check_the_end(self) -> None:
        """What has shipped is taken, and with what was given back it is the total."""
        total = self.order.total
        assert not self.goods.open
        for o in self.goods.orders:
            assert shipped(o) + canceled(o).total == o.total
        kept = self.worth
        assert kept == self.owed == self.purse.due == self.purse.taken
        assert not self.purse.missing(kept)
        assert self.purse.taken + self.purse.given_back == total
        assert all(self.purse.is_over(p) and not self.purse.held(p) for p in self.purse.payments.values())


TestMoneyOfAnOrder: Any = MoneyOfAnOrder.TestCase
