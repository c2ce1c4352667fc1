"""Everything that keeps an order from being submitted is told, not only the first."""

from dataclasses import replace

from services.order.domain.model import Policy
from services.order.domain.readiness import Facts, reasons
from services.order.domain.worksheet import Estimate, Method, Worksheet
from tests.unit.order.builders import line, order

FACTS = Facts(True, True, Policy(), {"anvil"})
GROUND = Method("ground", "Ground", "swift", 9_000_000, 0, 0)
SHEET = Worksheet(estimates=(Estimate("e1", "", "", (("l1", 1),), (GROUND,), "supplier", selected_method_id="ground"),))


def names(*found: object) -> list[str]:
    return [r.reason for r in reasons(*found)]  # type: ignore[arg-type]


def test_a_complete_order_has_no_reason() -> None:
    assert names(order(), [line()], SHEET, FACTS) == []


def test_all_reasons_come_at_once() -> None:
    bad = order(calculated_version=0, shipping_address=None)
    facts = replace(FACTS, buyer_active=False, orderable_products=set())
    assert names(bad, [line()], Worksheet(), facts) == [
        "BUYER_INACTIVE",
        "PRODUCT_INACTIVE",
        "SHIPPING_ADDRESS_MISSING",
        "SHIP_METHOD_MISSING",
        "ORDER_NOT_CALCULATED",
    ]


def test_an_order_without_lines_is_empty() -> None:
    assert names(order(), [], Worksheet(), FACTS) == ["ORDER_EMPTY"]


def test_overridden_shipping_needs_no_method() -> None:
    assert names(order(shipping_cost_override=5), [line()], Worksheet(), FACTS) == []


def test_services_and_pick_up_need_no_address() -> None:
    nowhere = order(shipping_address=None, shipping_cost_override=0)
    assert names(nowhere, [line(shippable=False), line("l2", pickup_location_id="dock")], Worksheet(), FACTS) == []


def test_estimates_of_an_older_content_are_stale() -> None:
    assert "SHIP_ESTIMATE_STALE" in names(order(estimated_version=0), [line()], SHEET, FACTS)


def test_an_estimate_without_a_choice_names_its_lines() -> None:
    open_choice = Worksheet(estimates=(replace(SHEET.estimates[0], selected_method_id=""),))
    (found,) = reasons(order(), [line()], open_choice, FACTS)
    assert (found.reason, found.subject) == ("SHIP_METHOD_MISSING", "line_items[l1]")
