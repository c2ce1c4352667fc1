"""A worksheet as its readers see it."""

from __future__ import annotations

import pytest

from libs.auth import PartyKind, Principal
from libs.protoconv import money_micros, money_out
from services.order.application.checkout.worksheets import Sheet
from services.order.rpc.checkout.convert_worksheet import worksheet_out
from tests.unit.order.builders import line, order
from tests.unit.order.test_worksheet_rows import SHEET

SOLD = Sheet(order(), (line(),), SHEET)


def reader(kind: PartyKind) -> Principal:
    return Principal("someone", "party", kind, frozenset(), "shop")


def test_the_seller_sees_where_every_unit_comes_from() -> None:
    made = worksheet_out(SOLD, reader(PartyKind.SELLER))
    (planned,), (estimate,) = made.sourcing_plan, made.ship_estimates
    assert (planned.line_item_id, planned.quantity, planned.ship_from_id, planned.inventory_record_id) == ("l1", 2, "dock", "rec")
    assert (planned.ship_from.city, estimate.ship_from_id) == ("Reno", "dock")


@pytest.mark.parametrize("kind", [PartyKind.BUYER, PartyKind.SUPPLIER])
def test_others_see_all_but_the_plan_and_the_origins(kind: PartyKind) -> None:
    theirs, whole = worksheet_out(SOLD, reader(kind)), worksheet_out(SOLD, reader(PartyKind.SELLER))
    whole.ClearField("sourcing_plan")
    whole.ship_estimates[0].ClearField("ship_from_id")
    assert theirs == whole
    assert "dock" not in str(theirs)


def test_parts_show_their_discounts_and_what_gave_each() -> None:
    made = worksheet_out(SOLD, reader(PartyKind.BUYER)).calculation
    shown = [("override", "", "", 30_000), ("promotion", "spring", "SPRING-10", 15_000), ("promotion", "daily", "", 5_000)]
    for part in (made.lines[0], made.shipments[0]):
        given = [
            (d.WhichOneof("source"), d.promotion.promotion_id, d.promotion.code, money_micros(d.amount)) for d in part.discounts
        ]
        assert given == shown
        assert part.discount == money_out(50_000, "USD")
    assert (list(made.shipments[1].discounts), made.shipments[1].discount) == ([], money_out(0, "USD"))
