"""The figures of the trade story: what is shown is held against what was worked out."""

from __future__ import annotations

from decimal import Decimal

from services.host.demo.b2b import terms
from services.host.demo.b2b.figures import Figures
from waybill_client import money


def test_a_story_is_right_when_something_was_compared_and_all_of_it_is_the_same() -> None:
    figures = Figures()
    assert not figures.right
    assert figures.same("total", money("12.50", "EUR"), Decimal("12.5")) == "12.50 EUR"
    assert figures.right


def test_another_amount_another_unit_and_another_word_are_named_beside_what_they_should_be() -> None:
    figures = Figures()
    assert figures.same("total", money("12.50", "EUR"), Decimal("12.51")) == "[bold red]12.50 EUR, NOT 12.51 EUR[/bold red]"
    assert figures.same("points", money("5", "EUR"), Decimal(5), "PTS") == "[bold red]5.00 EUR, NOT 5 PTS[/bold red]"
    assert figures.holds("status", "OPEN", "COMPLETED") == "[bold red]OPEN, NOT COMPLETED[/bold red]"
    assert (figures.right, figures.wrong) == (False, ["total", "points", "status"])
    assert figures.made[0] == {"what": "total", "shown": "12.50 EUR", "expected": "12.51 EUR"}


def test_what_has_left_of_a_line_adds_up_to_the_line_and_brings_the_freight_with_the_first_unit() -> None:
    knives = terms.sold()[terms.KNIFE]
    assert (knives.subtotal, knives.included_tax, knives.freight) == (Decimal("734.95"), Decimal("117.34"), Decimal("9.60"))
    assert (knives.shipped(0), knives.shipped(1)) == (0, Decimal("61.25") + Decimal("9.60"))
    assert knives.shipped(12) == knives.total
    stones = terms.sold()[terms.STONE]
    assert (stones.included_tax, stones.tax, stones.shipped(5)) == (0, Decimal("29.97"), stones.total)
