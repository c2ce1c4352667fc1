"""What reports mean: recomputed, never added."""

from hypothesis import given
from hypothesis import strategies as st

from services.order.domain.progress.fulfillment import UnitCount, newer, open_units, progress
from services.order.domain.status import OrderStatus
from tests.unit.order.builders import NOW, line, order

OPEN = order(status=OrderStatus.OPEN, is_submitted=True)


def test_nothing_shipped_leaves_the_order_as_it_is() -> None:
    result = progress(OPEN, [line(quantity=3)], [UnitCount("l1", 3, 0, 0)], NOW)
    assert (result.order, result.changed_lines, result.completed, result.canceled) == (OPEN, (), False, False)


def test_units_of_several_supplier_orders_add_up_per_line() -> None:
    counts = [UnitCount("l1", 2, 2, 0), UnitCount("l1", 3, 1, 1)]
    (changed,) = progress(OPEN, [line(quantity=5)], counts, NOW).changed_lines
    assert (changed.quantity_shipped, changed.quantity_canceled, open_units(changed)) == (3, 1, 1)


def test_the_order_completes_with_its_last_open_unit() -> None:
    result = progress(OPEN, [line(quantity=5)], [UnitCount("l1", 5, 4, 1)], NOW)
    assert result.completed
    assert (result.order.status, result.order.complete_time) == (OrderStatus.COMPLETED, NOW)


def test_an_order_none_of_whose_units_shipped_ends_canceled() -> None:
    result = progress(OPEN, [line(quantity=5)], [UnitCount("l1", 5, 0, 5)], NOW)
    assert (result.canceled, result.order.status) == (True, OrderStatus.CANCELED)


def test_a_canceled_order_is_not_completed_by_a_late_report() -> None:
    gone = order(status=OrderStatus.CANCELED)
    assert progress(gone, [line(quantity=1)], [UnitCount("l1", 1, 1, 0)], NOW).order is gone


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=8))
def test_the_same_reports_twice_change_nothing_the_second_time(units: list[tuple[int, int]]) -> None:
    counts = [UnitCount("l1", shipped + canceled, shipped, canceled) for shipped, canceled in units]
    total = sum(s + c for s, c in units) + 1
    once = progress(OPEN, [line(quantity=total)], counts, NOW)
    twice = progress(once.order, once.lines, counts, NOW)
    assert twice.changed_lines == ()
    assert twice.order is once.order
    assert open_units(once.lines[0]) == 1


def test_an_older_or_equal_version_is_not_newer() -> None:
    known = {"a": 3}
    assert [newer(known, "a", v) for v in (2, 3, 4)] == [False, False, True]
    assert newer(known, "b", 1)
