"""The status table, and the status as a function of quantities."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pytest

from libs.errors import WaybillError
from services.fulfillment.domain.supplier_orders.status import (
    FORMER,
    INITIAL,
    TRANSITIONS,
    SupplierOrderStatus,
    Trigger,
    derived,
    move,
)


@dataclass(frozen=True)
class Units:
    quantity: int
    shipped: int = 0
    canceled: int = 0


def test_every_status_can_be_reached() -> None:
    reached = set(INITIAL)
    while True:
        more = {t for (s, _), t in TRANSITIONS.items() if s in reached and t != FORMER} - reached
        if not more:
            break
        reached |= {SupplierOrderStatus(t) for t in more}
    assert reached == set(SupplierOrderStatus)


def test_every_status_but_the_final_ones_has_a_way_out() -> None:
    final = {s for s in SupplierOrderStatus if not any(a == s and t != s for (a, _), t in TRANSITIONS.items())}
    assert final == {SupplierOrderStatus.REJECTED, SupplierOrderStatus.CANCELED}


@pytest.mark.parametrize(("status", "trigger"), list(product(SupplierOrderStatus, Trigger)))
def test_a_move_is_in_the_table_or_refused(status: SupplierOrderStatus, trigger: Trigger) -> None:
    target = TRANSITIONS.get((status, trigger))
    if target == FORMER:
        return
    if target is not None:
        assert move("PO1-1", status, trigger) is target
        return
    with pytest.raises(WaybillError) as refused:
        move("PO1-1", status, trigger)
    assert refused.value.reason == "SUPPLIER_ORDER_STATUS_CONFLICT"
    assert refused.value.metadata == {"supplier_order": "PO1-1", "status": status.value}


@pytest.mark.parametrize(
    ("lines", "accepted", "expected"),
    [
        ([Units(2)], False, "OPEN"),
        ([Units(2)], True, "ACCEPTED"),
        ([Units(2, shipped=1)], True, "ACCEPTED"),
        ([Units(2, shipped=2), Units(1)], True, "ACCEPTED"),
        ([Units(2, shipped=2), Units(1, shipped=1)], True, "COMPLETED"),
        ([Units(2, shipped=1, canceled=1)], True, "COMPLETED"),
        ([Units(2, canceled=2)], True, "CANCELED"),
        ([Units(3, shipped=3)], False, "COMPLETED"),
    ],
)
def test_status_is_a_function_of_quantities(lines: list[Units], accepted: bool, expected: str) -> None:
    assert derived(lines, accepted) == expected
