from typing import Any

import pytest

from libs.errors import Violations
from services.catalog.domain.products.product import MEASURES, StoredProduct, broken_rules, check

SOUND = {
    "default_supplier_id": "bolt",
    "supplier_ids": ["nut"],
    "quantity_multiplier": 1,
    "weight_kg": "1.5",
    "length_cm": "0",
    "width_cm": "0",
    "height_cm": "0",
    "texts": {"id": "anvil", "name": "Anvil, 20 kg", "description": ""},
    "words": frozenset({"anvil", "20", "kg"}),
    "xp": {"color": "red", "size": 1},
    "values": frozenset({("color", "red")}),
}


def stored(row: dict[str, Any]) -> StoredProduct:
    measures = [row[name] for name in MEASURES]
    fulfilled = (row["default_supplier_id"], row["supplier_ids"], row["quantity_multiplier"])
    found = (row["texts"], row["words"], row["xp"], row["values"])
    return StoredProduct("anvil", *fulfilled, measures, *found, {"color": "color"}, {"size": "size"})


@pytest.mark.parametrize(
    ("default", "others", "refused"),
    [("bolt", ["nut"], False), ("bolt", ["nut", "bolt"], True), ("", ["nut"], False), ("", [], False)],
)
def test_the_default_supplier_stands_once(default: str, others: list[str], refused: bool) -> None:
    found = Violations()
    check(found, "products[3]", default, others)
    wanted = [("products[3].supplier_ids", "DEFAULT_SUPPLIER_REPEATED")] if refused else []
    assert [(v.field, v.reason) for v in found.items] == wanted


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"supplier_ids": ["bolt"]}, "suppliers_stand_once"),
        ({"supplier_ids": ["nut", "nut"]}, "suppliers_stand_once"),
        ({"quantity_multiplier": 0}, "multiplier_is_positive"),
        ({"words": frozenset({"anvil", "20"})}, "product_is_found_by_its_words"),
        ({"words": frozenset({"anvil", "20", "kg", "more"})}, "product_is_found_by_its_words"),
        ({"xp": {"color": "blue"}}, "product_is_counted_by_its_values"),
        ({"values": frozenset()}, "product_is_counted_by_its_values"),
        ({"values": frozenset({("color", "red"), ("size", "2")})}, "product_is_counted_by_its_values"),
        ({"height_cm": "-0.1"}, "measures_are_not_negative"),
    ],
)
def test_a_broken_product_names_its_rule(change: dict[str, object], rule: str) -> None:
    assert broken_rules(stored(SOUND)) == []
    assert broken_rules(stored({**SOUND, **change})) == [rule]


def test_a_product_may_have_values_of_a_facet_that_are_still_being_collected() -> None:
    assert broken_rules(stored({**SOUND, "values": frozenset({("color", "red"), ("size", "1")})})) == []
