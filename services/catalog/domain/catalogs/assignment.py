"""What joins catalogs, categories, products, buyers and groups of their users."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from libs.errors import Violations
from waybill.catalog.v1 import reasons

BATCH = 1_000
FIELD = "assignments"
MAX_ORDER = 1_000_000
GROUP = "user_group_id"
Row = Mapping[str, str | bool | int | list[str]]
"""What an assignment says, by field."""
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of assignment."""

    name: str
    """Its word in the feed of changes."""
    fields: tuple[str, ...]
    """Ids that name it. A group of a buyer's users may be empty, and stands for all of them then."""
    said: tuple[str, ...] = ()
    """What it says beside them: `list_order`, whether something is so, or a text."""

    def key(self, row: Row) -> Key:
        """The ids of one."""
        return tuple(str(row[name]) for name in self.fields)


CATALOG_BUYER = Kind("catalog assignment", ("catalog_id", "buyer_id"), ("view_all_categories", "view_all_products"))
CATEGORY_BUYER = Kind("category assignment", ("category_id", "buyer_id", GROUP), ("visible", "view_all_products"))
PRODUCT_BUYER = Kind("product assignment", ("product_id", "buyer_id", GROUP))
CATALOG_PRODUCT = Kind("catalog product", ("catalog_id", "product_id"))
CATEGORY_PRODUCT = Kind("category product", ("category_id", "product_id"), ("list_order",))
SUPPLIER_PERMISSION = Kind(
    "supplier permission", ("supplier_id", "catalog_id"), ("needs_approval", "writable_fields", "may_set_prices")
)
PRODUCT_PROPOSAL = Kind("product proposal", ("catalog_id", "product_id"), ("state", "comment"))
PRODUCT_SPEC = Kind("product spec", ("product_id", "spec_id"))
KINDS = (
    *(CATALOG_BUYER, CATEGORY_BUYER, PRODUCT_BUYER, CATALOG_PRODUCT, CATEGORY_PRODUCT),
    *(SUPPLIER_PERMISSION, PRODUCT_PROPOSAL, PRODUCT_SPEC),
)


def check_form(found: Violations, kind: Kind, rows: Sequence[Row]) -> None:
    """Well-formed, each once, not too many. Rows that only name assignments say nothing beside."""
    if len(rows) > BATCH:
        found.add(FIELD, reasons.TOO_MANY_ITEMS, f"at most {BATCH:,}")
        return
    seen: set[Key] = set()
    for i, row in enumerate(rows):
        where, key = f"{FIELD}[{i}]", kind.key(row)
        for name, id in zip(kind.fields, key, strict=True):
            found.check_id(f"{where}.{name}", id, required=name != GROUP)
        order = row.get("list_order", 0)
        fits = isinstance(order, int) and 0 <= order <= MAX_ORDER
        found.require(f"{where}.list_order", fits, reasons.VALUE_OUT_OF_RANGE, f"must be 0 to {MAX_ORDER:,}")
        found.require(where, key not in seen, reasons.DUPLICATE_ITEM, "the same ids stand twice")
        seen.add(key)


@dataclass(frozen=True, slots=True)
class Known:
    """What there is of what assignments name."""

    catalogs: frozenset[str] = frozenset()
    categories: Mapping[str, str] = field(default_factory=dict)
    """The catalog of each."""
    products: frozenset[str] = frozenset()
    standing: frozenset[tuple[str, str]] = frozenset()
    """Pairs of a catalog and a product that stands in it."""

    def within(self, catalogs: Collection[str]) -> Known:
        """What is left for somebody who knows these catalogs only."""
        categories = {id: catalog for id, catalog in self.categories.items() if catalog in catalogs}
        return replace(self, catalogs=self.catalogs & set(catalogs), categories=categories)


def check_named(found: Violations, kind: Kind, rows: Sequence[Row], known: Known) -> None:
    """What they name is there, and a product stands in the catalog of its category."""
    for i, row in enumerate(rows):
        where = f"{FIELD}[{i}]"
        for name, there, reason in (
            ("catalog_id", known.catalogs, reasons.CATALOG_NOT_FOUND),
            ("category_id", known.categories, reasons.CATEGORY_NOT_FOUND),
            ("product_id", known.products, reasons.PRODUCT_NOT_FOUND),
        ):
            if name in kind.fields:
                found.require(f"{where}.{name}", row[name] in there, reason, f"there is no {name[:-3]} {row[name]!r}")
        catalog, product = known.categories.get(str(row.get("category_id"))), str(row.get("product_id"))
        if kind is CATEGORY_PRODUCT and catalog is not None and product in known.products:
            text = f"the product does not stand in catalog {catalog!r}"
            found.require(f"{where}.product_id", (catalog, product) in known.standing, reasons.PRODUCT_NOT_IN_CATALOG, text)
