"""Where a sale is taxed: goods where they are handed over, the rest where the buyer is billed."""

import pytest

from services.order.domain.checkout.taxation import Places
from services.order.domain.checkout.worksheet import Assignment, Estimate
from tests.unit.order.builders import line, order

SHIP = {"city": "Oakland", "country": "US"}
BILL = {"city": "Lyon", "country": "FR"}
THERE = {"city": "Reno", "country": "US"}
DOCK = {"id": "dock", "city": "Salem", "country": "US"}
PLAN = [Assignment("l1", "anvil", 1, ship_from_id="dock", ship_from=DOCK)]


@pytest.mark.parametrize("shipping", [SHIP, None])
@pytest.mark.parametrize("billing", [BILL, None])
@pytest.mark.parametrize("own", [THERE, None])
@pytest.mark.parametrize(
    ("kind", "ranked"),
    [
        ({}, ("own", "shipping")),
        ({"shippable": False}, ("billing", "own", "shipping")),
        ({"pickup_location_id": "dock"}, ("location",)),
        ({"pickup_location_id": "elsewhere"}, ()),
    ],
)
def test_a_line_is_taxed_at_the_first_place_that_is_known(shipping, billing, own, kind, ranked) -> None:
    known = {"own": own, "shipping": shipping, "billing": billing, "location": DOCK}
    expected = next((known[name] for name in ranked if known[name] is not None), None)
    sold = line(shipping_address=own, **kind)
    places = Places(order(shipping_address=shipping, billing_address=billing), [sold], PLAN)
    assert places.of_line(sold) == expected
    assert places.of_estimate(Estimate("e1", "", "", (("l1", 1),), (), "line")) == expected
