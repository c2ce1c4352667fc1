"""What a change makes of a line: every path that a mask may name is one that the change applies."""

from __future__ import annotations

import pytest

from libs.errors import Violations
from services.order.application.building.changed_lines import CHOICES, PATHS, changed_line, rechosen_lines
from services.order.application.peers import OrderingContext
from services.order.domain.building.choices import Option, Range, Said, Spec, Variant
from services.order.domain.building.drafts import LineDraft
from services.order.domain.building.products import Article
from services.order.domain.model import OrderUser
from services.order.domain.policy import Policy
from tests.unit.order.builders import NOW, line

SIZE = Spec("size", "Size", True, defines_variant=True, options={"s": Option("Small"), "l": Option("Large")})
VARIANTS = {id: Variant(id, id, True, {"size": id}) for id in ("s", "l")}
ARTICLES = {"anvil": Article(line().product, Range((SIZE,), VARIANTS))}
GIVEN = LineDraft(
    id="l1",
    product_id="anvil",
    quantity=7,
    unit_price_override=3,
    discount_override=2,
    shipping_address={"city": "Reno"},
    pickup_location_id="dock",
    inventory_record_id="record",
    date_needed=NOW,
    cost_center="CC",
    shipping_account="SA",
    comments="by the back door",
    xp={"a": 1},
    variant_id="l",
    specs=(Said("size", "l"),),
)
CONTEXT = OrderingContext(
    "seller", True, True, "USD", False, OrderUser("ada"), True, True, True, True, Policy(), None, None, {}, {}
)


@pytest.mark.parametrize("path", sorted(PATHS - {"shipping_address_id"}))
def test_a_path_changes_its_field(path: str) -> None:
    found = Violations()
    context = CONTEXT if "address" in path else None
    made = changed_line(found, 0, GIVEN, {"l1": line()}, [path], context, ARTICLES, NOW)
    assert made is not None
    assert found.items == []
    if path in CHOICES:
        assert (made.variant_id, [choice.option_id for choice in made.choices]) == ("l", ["l"])
    else:
        assert getattr(made, path) == getattr(GIVEN, path)


def test_lines_without_a_draft_keep_what_they_have_chosen() -> None:
    lines = [line("l0"), line("l1"), line("l2")]
    made = rechosen_lines(lines, [GIVEN], ["variant_id"], ARTICLES)
    assert [one.variant_id for one in made] == ["", "l", ""]
    assert (made[0], made[2]) == (lines[0], lines[2])
