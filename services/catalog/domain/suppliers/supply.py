"""What the seller lets suppliers do with products of their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from libs.errors import Violations
from services.catalog.domain.catalogs.assignment import BATCH, FIELD, Key, Row
from waybill.catalog.v1 import reasons

WRITABLE = (
    *("name", "description", "active", "ship_from_address_id", "shippable", "track_inventory", "tax_class"),
    *("quantity_multiplier", "weight_kg", "length_cm", "width_cm", "height_cm", "xp"),
    *("returnable", "variant_stock", "specs"),
)
"""Fields of a product that a supplier can be let set; `specs` are its specs and variants. Who owns and who fulfills it follows
from who the supplier is."""
USUAL = frozenset(WRITABLE) - {"tax_class", "specs"}
"""Those that it may set where the seller names none: a tax class decides what the seller owes. Specs are added where nothing
needs approval, as their changes are seen at once."""
OF_SUPPLIER = ("owner_supplier_id", "default_supplier_id")
"""Fields that a supplier's product has from its supplier."""
PENDING, REJECTED = "PENDING", "REJECTED"
STATES = (PENDING, REJECTED)
MAX_COMMENT = 2_000


@dataclass(frozen=True, slots=True)
class Permission:
    """What a supplier may do in one catalog."""

    catalog_id: str
    needs_approval: bool
    fields: frozenset[str]
    """Fields of its products that it may set."""
    may_set_prices: bool = False

    @staticmethod
    def of(catalog_id: str, needs_approval: bool, writable_fields: Collection[str], may_set_prices: bool = False) -> Permission:
        """As the seller has given it; no fields are the usual ones."""
        usual = USUAL if needs_approval else USUAL | {"specs"}
        return Permission(catalog_id, needs_approval, frozenset(writable_fields) or usual, may_set_prices)


def settable(permissions: Sequence[Permission]) -> frozenset[str]:
    """What a supplier may set: what all its permissions have, as a product may stand in each of the catalogs."""
    return frozenset.intersection(*(permission.fields for permission in permissions)) if permissions else frozenset()


def sets_prices(permissions: Sequence[Permission]) -> bool:
    """Whether a supplier may set prices: where all its permissions say so, as with fields."""
    return bool(permissions) and all(permission.may_set_prices for permission in permissions)


@dataclass(frozen=True, slots=True)
class Supplied:
    """What a supplier may do with some products."""

    may_set_prices: bool
    owned: Collection[str]
    """Products that it owns."""
    fulfilled: Collection[str]
    """Products that it may fulfill; those that it owns are among them."""


def check_permitted(found: Violations, rows: Sequence[Row]) -> None:
    """Permissions name fields that can be permitted, each once."""
    for i, row in enumerate(rows[:BATCH]):
        fields = row["writable_fields"]
        names = fields if isinstance(fields, list) else []
        for j, name in enumerate(names[: len(WRITABLE) + 1]):
            at = f"{FIELD}[{i}].writable_fields[{j}]"
            found.require(at, name in WRITABLE, reasons.FIELD_INVALID, "is no field that a supplier can be let set")
            found.require(at, name not in names[:j], reasons.DUPLICATE_ITEM, "stands twice")


def check_new(
    found: Violations, items: Sequence[tuple[str, Mapping[str, object]]], may: Collection[str], unset: Mapping[str, object]
) -> None:
    """New products of a supplier have what is not the supplier's to set as it is where nobody sets it."""
    for where, row in items:
        for name, nothing in unset.items():
            if name not in may and name not in OF_SUPPLIER:
                refuse(found, f"{where}.{name}", row[name] == nothing)


def check_changed(found: Violations, where: str, changed: Collection[str], may: Collection[str]) -> None:
    """Fields that a supplier changes are its to set."""
    for name in changed:
        refuse(found, f"{where}.{name}", name in may)


def refuse(found: Violations, field: str, admitted: bool) -> None:
    """Notes a field that is not the supplier's to set, unless it is."""
    found.require(field, admitted, reasons.FIELD_NOT_ADMITTED, "the seller does not let the supplier set it")


def check_comments(found: Violations, rows: Sequence[Row]) -> None:
    """What is said of rejected products is not too long."""
    for i, row in enumerate(rows[:BATCH]):
        short = len(str(row["comment"])) <= MAX_COMMENT
        found.require(f"{FIELD}[{i}].comment", short, reasons.VALUE_OUT_OF_RANGE, f"is at most {MAX_COMMENT:,} characters")


def check_proposed(found: Violations, keys: Sequence[Key], proposed: Collection[Key]) -> None:
    """What is decided on is proposed."""
    for i, key in enumerate(keys):
        text = f"product {key[1]!r} is not proposed for catalog {key[0]!r}"
        found.require(f"{FIELD}[{i}].product_id", key in proposed, reasons.PROPOSAL_NOT_FOUND, text)
