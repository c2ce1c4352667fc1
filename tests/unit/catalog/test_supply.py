"""What suppliers may set of products of their own."""

from __future__ import annotations

from libs.errors import Violations
from services.catalog.contract.resources import PRODUCT, UNSET
from services.catalog.domain.suppliers.supply import (
    OF_SUPPLIER,
    USUAL,
    WRITABLE,
    Permission,
    check_changed,
    check_new,
    check_permitted,
    check_proposed,
    settable,
)
from waybill.catalog.v1.product_pb2 import Product


def noted(found: Violations) -> list[tuple[str, str]]:
    return [(item.field, item.reason) for item in found.items]


def test_every_field_of_a_product_is_to_be_permitted_or_has_a_reason_not_to_be():
    # Who may fulfill a product, and whether its lines go to their suppliers at once, is the seller's.
    of_seller = {"supplier_ids", "auto_forward"}
    assert set(WRITABLE) | set(OF_SUPPLIER) | of_seller == set(PRODUCT.attributes) | {"specs"}


def test_a_permission_without_fields_has_the_usual_ones():
    assert Permission.of("main", True, []).fields == USUAL
    assert Permission.of("main", False, []).fields == USUAL | {"specs"}
    assert Permission.of("main", False, ["name"]).fields == {"name"}


def test_what_all_permissions_have_can_be_set_and_without_any_nothing():
    wide, narrow = (
        Permission.of("a", False, ["name", "xp", "tax_class"]),
        Permission.of("b", True, ["name", "tax_class", "active"]),
    )
    assert settable([wide, narrow]) == {"name", "tax_class"}
    assert settable([]) == frozenset()


def test_permitted_fields_are_known_and_stand_once():
    found = Violations()
    rows = [
        {"writable_fields": ["name", "owner_supplier_id", "name"]},
        {"writable_fields": list(WRITABLE)},
        {"writable_fields": []},
    ]
    check_permitted(found, rows)
    assert noted(found) == [
        ("assignments[0].writable_fields[1]", "FIELD_INVALID"),
        ("assignments[0].writable_fields[2]", "DUPLICATE_ITEM"),
    ]


def test_a_new_product_has_nothing_set_that_is_not_the_suppliers():
    found = Violations()
    made = Product(name="Anvil", description="Heavy.", tax_class="steel", supplier_ids=["nut"], default_supplier_id="bolt")
    check_new(found, [("products[3]", PRODUCT.read(found, "", made))], {"name"}, UNSET)
    assert sorted(noted(found)) == [
        ("products[3].description", "FIELD_NOT_ADMITTED"),
        ("products[3].supplier_ids", "FIELD_NOT_ADMITTED"),
        ("products[3].tax_class", "FIELD_NOT_ADMITTED"),
    ]


def test_a_change_names_only_what_is_the_suppliers():
    found = Violations()
    check_changed(found, "product", ["name", "owner_supplier_id"], {"name"})
    assert noted(found) == [("product.owner_supplier_id", "FIELD_NOT_ADMITTED")]


def test_what_is_decided_on_is_proposed():
    found = Violations()
    check_proposed(found, [("main", "anvil"), ("main", "lamp")], {("main", "anvil")})
    assert noted(found) == [("assignments[1].product_id", "PROPOSAL_NOT_FOUND")]
