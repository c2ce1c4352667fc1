"""How long suppliers have to answer, and what none of them took."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.fulfillment.domain.supplier_orders.actions.answer import accept
from services.fulfillment.domain.supplier_orders.actions.change import Change
from services.fulfillment.domain.supplier_orders.answer_time import overdue, timed, unclaimed
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder
from tests.unit.fulfillment.builders import NOW, confirmed, line, order_line, snapshot, taken

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def of(supplier: str = "bolt", **values: object) -> SupplierOrder:
    (order,) = confirmed(snapshot(order_line("l1", 2)), taken("l1", 2, supplier, "a")).created
    return replace(order, **values)


@pytest.mark.parametrize(
    ("order", "by"),
    [
        (of(), NOW + HOUR),
        (of(accept_by=NOW), NOW + HOUR),
        (of(""), None),
        (of(status=SupplierOrderStatus.ACCEPTED, accept_by=NOW), NOW),
        (of(status=SupplierOrderStatus.REJECTED, accept_by=NOW), NOW),
    ],
)
def test_whoever_has_not_answered_has_the_whole_time_from_a_change_on(order: SupplierOrder, by: object) -> None:
    assert timed(Change(changed=(order,)), HOUR, NOW).changed[0].accept_by == by
    assert timed(Change(created=(order,)), HOUR, NOW).created[0].accept_by == by
    assert timed(Change(created=(order,)), None, NOW).created == (order,)


@pytest.mark.parametrize(
    ("values", "late"),
    [
        ({"accept_by": NOW}, True),
        ({"accept_by": NOW + SECOND}, False),
        ({"accept_by": None}, False),
        ({"accept_by": NOW, "held": True}, False),
        *(({"accept_by": NOW, "status": s}, False) for s in SupplierOrderStatus if s != "OPEN"),
    ],
)
def test_only_what_is_open_and_not_held_is_overdue_and_at_its_time(values: dict[str, object], late: bool) -> None:
    assert overdue(of(**values), NOW) is late


def test_units_are_unclaimed_when_no_one_named_for_the_line_has_them() -> None:
    lines = of("").lines
    demand = {"l1": line("l1", 2, default_supplier_id="bolt", supplier_ids=("nut",))}
    assert unclaimed(lines, demand)
    sellers = {"l1": line("l1", 2, default_supplier_id="bolt", supplier_ids=("",))}
    assert not unclaimed(lines, sellers)
    assert unclaimed([replace(lines[0], allocations=())], sellers)
    assert not unclaimed([replace(lines[0], shipped=2)], demand)


def test_the_seller_accepts_what_joined_a_supplier_order_that_it_had_accepted() -> None:
    accepted = of("", status=SupplierOrderStatus.ACCEPTED, accept_time=NOW, unclaimed=True)
    after = accept(accepted, NOW + HOUR)
    assert (after.status, after.accept_time, after.unclaimed, after.version) == ("ACCEPTED", NOW, False, 2)
    assert accept(after, NOW + HOUR) is after
