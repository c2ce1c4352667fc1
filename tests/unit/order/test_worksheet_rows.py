"""What is kept of a worksheet is the worksheet, whichever version kept it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from services.order.adapters.db.checkout.worksheet_rows import worksheet_json, worksheet_of
from services.order.domain.checkout.worksheet import Assignment, Estimate, LinePart, Method, ShippingPart, Worksheet
from services.order.domain.discounts import Discount, Override, Promoted
from services.order.domain.price_steps import ByHand, Exempted, FromSchedule, MarkedUp, PriceStep
from tests.unit.order.builders import NOW

GIVEN = (Discount(Override(), 30_000), Discount(Promoted("spring", "SPRING-10"), 15_000), Discount(Promoted("daily"), 5_000))
STEPS = (
    PriceStep(FromSchedule("ps", 1, 2, True, True), 90_000),
    PriceStep(MarkedUp("size", "xl", "PERCENTAGE", "12.5"), 10_000),
    PriceStep(MarkedUp("engraving", "yes", "AMOUNT_TOTAL"), 0, 7_000),
    PriceStep(ByHand(True), 0),
    PriceStep(Exempted("C-1", "0.19"), -9_000, -7),
)
METHODS = (Method("ground", "Ground", "swift", 5, 1, 2), Method("air", "Air", "swift", 5, 1, 2, tax_included=True))
SHEET = Worksheet(
    plan=(Assignment("l1", "anvil", 2, "acme", "dock", "rec", {"city": "Reno"}),),
    estimates=(Estimate("e1", "acme", "dock", (("l1", 2),), METHODS, "line"),),
    estimate_time=NOW,
    lines=(LinePart("l1", 100_000, 207_000, GIVEN, 50_000, 15_000, Decimal("0.1"), "ps", True, True, 7_000, STEPS, True, 9_000),),
    shipments=(
        ShippingPart("e1", 80_000, 3_000, Decimal("0.1"), GIVEN),
        ShippingPart("e2", 80_000, 0, Decimal(0), (), True, 7_000, 5_000),
    ),
    price_time=NOW,
)


def kept(sheet: Worksheet) -> Any:
    """As it comes back from a database."""
    return json.loads(json.dumps(worksheet_json(sheet)))


def test_what_was_kept_is_read_as_it_was() -> None:
    assert worksheet_of(kept(SHEET)) == SHEET
    assert worksheet_of(kept(Worksheet())) == Worksheet()


def test_shipping_that_was_kept_before_it_had_discounts_has_none() -> None:
    stored = kept(SHEET)
    stored["shipments"] = [part[:4] for part in stored["shipments"]]
    read = worksheet_of(stored)
    assert [(s.cost, s.tax, s.discounts, s.net) for s in read.shipments] == [(80_000, 3_000, (), 80_000), (80_000, 0, (), 80_000)]
    assert read.lines == SHEET.lines


def test_a_line_that_was_kept_before_prices_had_steps_has_none() -> None:
    stored = kept(SHEET)
    stored["lines"] = [part[:10] for part in stored["lines"]]
    (read,) = worksheet_of(stored).lines
    assert (read.unit_price, read.price_schedule_id, read.on_sale) == (100_000, "ps", True)
    assert (read.line_mark_up, read.price_steps) == (0, ())


def test_what_was_kept_before_prices_could_include_their_tax_has_it_on_top() -> None:
    stored = kept(SHEET)
    stored["lines"] = [part[:12] for part in stored["lines"]]
    stored["lines"][0][11][0].pop()
    stored["shipments"] = [part[:5] for part in stored["shipments"]]
    stored["estimates"][0][4] = [method[:8] for method in stored["estimates"][0][4]]
    read = worksheet_of(stored)
    (line,) = read.lines
    assert (line.tax_included, line.included_tax, line.price_steps[0].source) == (False, 0, FromSchedule("ps", 1, 2, True))
    assert [(s.tax_included, s.included_tax, s.exempted_tax) for s in read.shipments] == [(False, 0, 0)] * 2
    assert [m.tax_included for m in read.estimates[0].methods] == [False, False]


def test_a_discount_of_a_kind_that_nobody_knows_is_not_read_as_another() -> None:
    stored = kept(SHEET)
    stored["lines"][0][3][0][0] = "unheard"
    with pytest.raises(KeyError, match="unheard"):
        worksheet_of(stored)
