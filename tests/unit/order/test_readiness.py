"""Everything that keeps an order from being submitted is reported, not only the first."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from services.order.domain.building.products import Article
from services.order.domain.checkout.worksheet import Estimate, Method, Worksheet
from services.order.domain.model import Problem
from services.order.domain.policy import Policy
from services.order.domain.submission.readiness import Facts, objections
from tests.unit.order.builders import NOW, line, order

ANVIL = line().product
FACTS = Facts(True, True, Policy(), {"anvil": Article(ANVIL)})
GROUND = Method("ground", "Ground", "swift", 9_000_000, 0, 0)
SHEET = Worksheet(estimates=(Estimate("e1", "", "", (("l1", 1),), (GROUND,), "supplier", selected_method_id="ground"),))


def names(*found: object) -> list[str]:
    return [r.reason for r in problems(*found)]


def problems(*found: object) -> list[Problem]:
    return objections(*found, NOW)  # type: ignore[arg-type]


def test_a_complete_order_has_no_reason() -> None:
    assert names(order(), [line()], SHEET, FACTS) == []


def test_all_reasons_come_at_once() -> None:
    bad = order(calculated_version=0, shipping_address=None)
    facts = replace(FACTS, buyer_active=False, products={})
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
    facts = replace(FACTS, products={"lamp": Article(line(shippable=False).product), "anvil": Article(ANVIL)})
    service = line(shippable=False, product_id="lamp")
    assert names(nowhere, [service, line("l2", pickup_location_id="dock")], Worksheet(), facts) == []


def test_estimates_of_an_older_content_are_stale() -> None:
    assert "SHIP_ESTIMATE_STALE" in names(order(estimated_version=0), [line()], SHEET, FACTS)


def test_an_estimate_without_a_choice_names_its_lines() -> None:
    open_choice = Worksheet(estimates=(replace(SHEET.estimates[0], selected_method_id=""),))
    (found,) = problems(order(), [line()], open_choice, FACTS)
    assert (found.reason, found.subject) == ("SHIP_METHOD_MISSING", "line_items[l1]")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"tax_class": "books"}, "tax_class"),
        ({"track_inventory": False}, "track_inventory"),
        ({"default_supplier_id": "globex", "supplier_ids": ("ajax",)}, "default_supplier_id, supplier_ids"),
        ({"ship_from_address_id": "dock"}, "ship_from_address_id"),
        ({"shippable": False}, "shippable"),
        ({"weight_kg": Decimal("0.1")}, "weight_kg"),
    ],
)
def test_a_product_that_is_another_than_the_order_was_worked_out_from_is_named_with_its_fields(fields, named) -> None:
    facts = replace(FACTS, products={"anvil": Article(replace(ANVIL, **fields))})
    (found,) = problems(order(), [line()], SHEET, facts)
    assert (found.reason, found.subject) == ("PRODUCT_CHANGED", "line_items[l1]")
    assert found.description == f"product anvil has changed: {named}"


def test_what_decides_nothing_of_a_product_may_change() -> None:
    remembered = replace(ANVIL, supplier_ids=("a", "b"), weight_kg=Decimal("1.50"), tax_class="", etag="1")
    present = replace(
        remembered, name="Other", supplier_ids=("b", "a"), weight_kg=Decimal("1.5"), tax_class="Standard", quantity_multiplier=2
    )
    sold = line(product=remembered)
    assert names(order(), [sold], SHEET, replace(FACTS, products={"anvil": Article(replace(present, etag="9"))})) == []


HOME = {"id": "home", "label": "Home", "last_name": "Lee", "city": "Oakland", "country": "US", "phone": "1"}


def test_addresses_of_the_book_are_asked_again() -> None:
    made = order(shipping_address_id="home", shipping_address=HOME, billing_address_id="office", billing_address={"city": "Reno"})
    lines = [line(), line("l2", shipping_address_id="gone", shipping_address=HOME)]
    sheet = replace(SHEET, estimates=(replace(SHEET.estimates[0], items=(("l1", 1), ("l2", 1))),))
    book = {"home": HOME | {"label": "House", "phone": "2"}, "office": {"id": "office", "city": "Las Vegas"}}
    facts = replace(FACTS, shipping_addresses=book, billing_addresses=book)
    assert [(r.reason, r.subject) for r in problems(made, lines, sheet, facts)] == [
        ("ADDRESS_CHANGED", "billing_address"),
        ("ADDRESS_NOT_FOUND", "line_items[l2]"),
    ]


def test_an_address_with_another_person_is_another_one() -> None:
    made = order(shipping_address_id="home", shipping_address=HOME)
    for changed in ({"first_name": "Ada"}, {"last_name": "Low"}):
        book = {"home": HOME | changed}
        assert [r.reason for r in problems(made, [line()], SHEET, replace(FACTS, shipping_addresses=book))] == ["ADDRESS_CHANGED"]


def test_an_address_is_shipped_to_and_billed_to_only_as_far_as_the_book_allows_that_purpose() -> None:
    to_home = order(shipping_address_id="home", shipping_address=HOME, billing_address_id="home", billing_address=HOME)
    book = {"home": HOME}
    for facts, subject in (
        (replace(FACTS, billing_addresses=book), "shipping_address"),
        (replace(FACTS, shipping_addresses=book), "billing_address"),
    ):
        assert [(r.reason, r.subject) for r in problems(to_home, [line()], SHEET, facts)] == [("ADDRESS_NOT_FOUND", subject)]


def test_a_one_time_address_is_refused_once_the_buyer_is_restricted_to_its_book() -> None:
    (found,) = problems(order(), [line()], SHEET, replace(FACTS, restrict_addresses=True))
    assert (found.reason, found.subject) == ("ADDRESS_RESTRICTED", "shipping_address")


def test_a_channel_that_is_off_and_a_buyer_with_another_currency_are_reported() -> None:
    facts = replace(FACTS, channel_active=False, currency="EUR")
    assert names(order(), [line()], SHEET, facts) == ["CHANNEL_INACTIVE", "CURRENCY_MISMATCH"]


def test_a_channel_that_is_closed_to_the_buyer_is_reported_unless_it_is_off_anyway() -> None:
    closed = replace(FACTS, channel_admits=False)
    assert names(order(), [line()], SHEET, closed) == ["CHANNEL_CLOSED_TO_BUYER"]
    assert names(order(), [line()], SHEET, replace(closed, channel_active=False)) == ["CHANNEL_INACTIVE"]


def test_a_freight_price_is_kept_as_long_as_the_channel_says() -> None:
    sheet = replace(SHEET, estimate_time=NOW - timedelta(hours=2))
    kept, over = (replace(FACTS, policy=Policy(estimate_valid_seconds=seconds)) for seconds in (7_200, 7_199))
    assert [names(order(), [line()], sheet, facts) for facts in (kept, over)] == [[], ["SHIP_ESTIMATE_STALE"]]
    assert names(order(shipping_cost_override=5), [line()], sheet, over) == []
