"""What the history of a buyer order says of units that no supplier took."""

from __future__ import annotations

from services.order.domain.progress.unclaimed import Claim, claim_change

LEFT = Claim(True, {"l1": 3, "l2": 1})


def test_units_that_nobody_takes_are_named_by_line_and_so_are_those_that_join_later() -> None:
    assert claim_change("PO1-2", None, LEFT) == (
        "supplier_order_unclaimed",
        {"supplier_order": "PO1-2", "units": {"l1": 3, "l2": 1}},
    )
    more = Claim(True, {"l1": 5, "l2": 1})
    assert claim_change("PO1-2", LEFT, more) == ("supplier_order_unclaimed", {"supplier_order": "PO1-2", "units": {"l1": 2}})


def test_units_that_join_what_the_seller_had_already_are_named_without_the_seller_s_own() -> None:
    found = claim_change("PO1-1", Claim(False, {"l1": 2}), Claim(True, {"l1": 2, "l2": 4}))
    assert found == ("supplier_order_unclaimed", {"supplier_order": "PO1-1", "units": {"l2": 4}})


def test_an_accepted_one_is_claimed() -> None:
    assert claim_change("PO1-2", LEFT, Claim(False, LEFT.units)) == ("supplier_order_claimed", {"supplier_order": "PO1-2"})


def test_nothing_is_said_of_what_is_as_it_was_or_was_never_unclaimed() -> None:
    claimed = Claim(False, {"l1": 3})
    assert claim_change("PO1-2", LEFT, LEFT) is None
    assert claim_change("PO1-2", LEFT, Claim(True, {"l1": 1})) is None
    assert claim_change("PO1-1", None, claimed) is None
    assert claim_change("PO1-1", claimed, claimed) is None


def test_an_event_names_a_hundred_lines_at_most() -> None:
    found = claim_change("PO1-2", None, Claim(True, {f"l{n}": 1 for n in range(101)}))
    assert found is not None
    units = found[1]["units"]
    assert isinstance(units, dict)
    assert list(units) == [f"l{n}" for n in range(100)]
