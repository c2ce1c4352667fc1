"""Rules beside the calculation: tax ties, stored breaks, assignments, limits, whose prices."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.errors import Violations, WaybillError
from libs.money import MICRO
from libs.postal import MAX_PREFIX, postal
from services.pricing.application.access import quoted
from services.pricing.application.calculation.priced_groups import Customer
from services.pricing.domain.calculation.calculate import Shipment, calculate
from services.pricing.domain.calculation.line import LARGEST, Line
from services.pricing.domain.schedules.assignment import Assignment, Key, check_keys, check_schedules
from services.pricing.domain.schedules.schedule import Break, misordered
from services.pricing.domain.tax.rates import Destination, Rate, Rates, check
from tests.support.principals import buyer, seller, supplier

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(("written", "given_"), [("951", "95113"), ("SW1A", "sw1a 1aa"), ("1011", "10 11-AB"), ("", "")])
def test_postal_codes_compare_without_case_spaces_and_hyphens(written: str, given_: str) -> None:
    rates = Rates([Rate("GB", "", postal(written), "standard", Decimal("0.2"))])
    assert rates.rate(Destination("GB", "", given_), "standard") == Decimal("0.2")


def test_regions_compare_without_case() -> None:
    rates = Rates([Rate("US", "CA", "", "standard", Decimal("0.07"))])
    assert rates.rate(Destination("US", " ca "), "") == Decimal("0.07")
    assert rates.rate(Destination("US", "c"), "") == 0


@given(st.permutations(["a", "b", "late", "z"]))
def test_among_equal_rates_the_one_that_began_last_holds_whatever_their_order(order: list[str]) -> None:
    plain = Rate("US", "CA", "", "standard", Decimal("0.01"))
    known = {
        "a": replace(plain, id="a", start=NOW - DAY, rate=Decimal("0.02")),
        "b": replace(plain, id="b"),
        "late": replace(plain, id="late", start=NOW, rate=Decimal("0.03")),
        "z": replace(plain, id="z", start=NOW, rate=Decimal("0.04")),
    }
    rates = Rates(known[id] for id in order)
    assert rates.rate(Destination("US", "CA"), "standard") == Decimal("0.03")


codes = st.text("0123456789AZ -az", max_size=30)


@given(codes, codes)
def test_every_prefix_that_holds_a_postal_code_is_looked_for(code: str, prefix: str) -> None:
    kept = postal(prefix)[:MAX_PREFIX]
    if postal(code).startswith(kept):
        assert kept in Destination("US", "", code).prefixes()


@pytest.mark.parametrize(("start", "end", "refused"), [(0, 1, 0), (1, 1, 1), (2, 1, 1), (None, 1, 0), (1, None, 0)])
def test_a_rate_ends_after_it_begins(start: int | None, end: int | None, refused: int) -> None:
    found = Violations()
    times = [None if days is None else NOW + days * DAY for days in (start, end)]
    check(found, "tax_rate", *times)
    assert [(v.field, v.reason) for v in found.items] == [("tax_rate.end_time", "TAX_TIMES_REVERSED")] * refused


@pytest.mark.parametrize(
    ("breaks", "wrong"),
    [
        ([Break(1, 0)], False),
        ([Break(1, 5), Break(2, 4, 3)], False),
        ([], True),
        ([Break(0, 5)], True),
        ([Break(2, 5), Break(1, 4)], True),
        ([Break(1, 5), Break(1, 4)], True),
        ([Break(1, -1)], True),
        ([Break(1, 1, -1)], True),
    ],
)
def test_stored_breaks_that_cannot_be_are_seen(breaks: list[Break], wrong: bool) -> None:
    assert misordered(breaks) is wrong


def test_everything_that_is_wrong_with_assignments_is_reported() -> None:
    found = Violations()
    check_keys(found, [Key("p", ""), Key("", "a b"), Key("p", "acme"), Key("p", "")])
    check_schedules(found, [Assignment(Key("p", ""), "known"), Assignment(Key("q", ""), "lost")], {"known"})
    assert [(v.field, v.reason) for v in found.items] == [
        ("assignments[1].product_id", "FIELD_REQUIRED"),
        ("assignments[1].buyer_id", "ID_INVALID"),
        ("assignments[3]", "DUPLICATE_ITEM"),
        ("assignments[1].price_schedule_id", "PRICE_SCHEDULE_NOT_FOUND"),
    ]


def test_a_group_comes_with_its_buyer_and_makes_another_assignment() -> None:
    found = Violations()
    check_keys(
        found, [Key("p", "acme"), Key("p", "acme", "g"), Key("p", "", "g"), Key("p", "acme", "a b"), Key("p", "acme", "g")]
    )
    assert [(v.field, v.reason) for v in found.items] == [
        ("assignments[2].buyer_id", "FIELD_REQUIRED"),
        ("assignments[3].user_group_id", "ID_INVALID"),
        ("assignments[4]", "DUPLICATE_ITEM"),
    ]


def test_a_group_is_more_specific_than_a_buyer_and_a_buyer_than_everyone() -> None:
    assert [key.level for key in (Key("p", ""), Key("p", "acme"), Key("p", "acme", "g"))] == [0, 1, 2]


def test_a_thousand_assignments_are_enough() -> None:
    found = Violations()
    check_keys(found, [Key(f"p{i}", "") for i in range(1_001)])
    assert [(v.field, v.reason) for v in found.items] == [("assignments", "TOO_MANY_ITEMS")]


def test_lines_that_take_an_order_beyond_the_largest_amount_are_named_and_the_others_stay() -> None:
    lines = [
        Line("half", "p", 1, unit_price_override=LARGEST // 2),
        Line("huge", "p", 1_000_000, unit_price_override=LARGEST),
        Line("rest", "p", 1, unit_price_override=LARGEST // 2),
        Line("more", "p", 1, unit_price_override=MICRO),
    ]
    made = calculate("USD", lines, [Shipment("e", LARGEST), Shipment("f", MICRO)], None, {}, Rates(()), NOW)
    assert [line.id for line in made.lines] == ["half", "rest"]
    assert [(p.line_id, p.reason) for p in made.problems] == [
        ("huge", "AMOUNT_TOO_LARGE"),
        ("more", "AMOUNT_TOO_LARGE"),
        ("", "AMOUNT_TOO_LARGE"),
    ]


@given(st.lists(st.tuples(st.integers(0, LARGEST), st.integers(1, 1_000_000)), max_size=10), st.integers(0, 10_000))
def test_what_is_priced_always_fits(items: list[tuple[int, int]], points: int) -> None:
    lines = [Line(str(i), "p", quantity, unit_price_override=price) for i, (price, quantity) in enumerate(items)]
    rates = Rates([Rate("US", "", "", "standard", Decimal(points) / 10_000)])
    made = calculate("USD", lines, (), Destination("US"), {}, rates, NOW)
    assert sum(line.subtotal + line.tax for line in made.lines) <= LARGEST
    assert len(made.lines) + len(made.problems) == len(lines)


def test_the_seller_may_ask_for_any_buyers_prices_and_a_buyer_for_his_own() -> None:
    assert quoted(seller(), "acme", "bob") == Customer("acme", "bob")
    assert quoted(seller(), "", "") == Customer()
    assert quoted(buyer(), "", "") == quoted(buyer(), "acme", "anna") == Customer("acme", "anna")


@pytest.mark.parametrize("caller", [buyer(party="globex"), supplier()])
def test_anothers_prices_are_not_there(caller: object) -> None:
    with pytest.raises(WaybillError) as refused:
        quoted(caller, "acme", "")  # type: ignore[arg-type]
    assert refused.value.reason == "RESOURCE_NOT_FOUND"


def test_a_supplier_may_ask_for_default_prices() -> None:
    assert quoted(supplier(), "", "").buyer_id == ""
