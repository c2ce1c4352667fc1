"""What can be said of a product when it is ordered, and which products have which of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from libs.errors import Violations
from services.catalog.domain.catalogs.assignment import FIELD
from services.catalog.domain.catalogs.assignment import Row as Assignment
from services.catalog.domain.suppliers.supply import Permission, refuse, sets_prices, settable
from waybill.catalog.v1 import reasons

MAX_OPTIONS = 100
MAX_VALUE = 2_000
MAX_SPECS = 20
"""Specs of a product."""
MAX_DEFINING = 5
"""Those of them that define its variants."""
Row = Mapping[str, object]
FIELD_OF_SUPPLIERS = "specs"
"""What a permission calls them among the fields that a supplier may set."""


@dataclass(frozen=True, slots=True)
class Option:
    """What can be chosen."""

    id: str
    name: str
    list_order: int = 0
    mark_up: Mapping[str, object] | None = None
    """As the option says it; None where it adds nothing."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A spec, as far as rules look at it."""

    id: str
    owner_supplier_id: str
    defines_variant: bool
    options: tuple[Option, ...] = ()
    list_order: int = 0

    @property
    def option_ids(self) -> frozenset[str]:
        """Ids of what can be chosen."""
        return frozenset(option.id for option in self.options)


def spec_of(row: Row) -> Spec:
    """The spec of its row, whose options are as their messages say them."""
    options = tuple(
        Option(str(each.get("id", "")), str(each.get("name", "")), int(str(each.get("list_order", 0))), _adding(each))
        for each in _options(row)
    )
    order = int(str(row["list_order"]))
    return Spec(str(row["id"]), str(row["owner_supplier_id"]), bool(row["defines_variant"]), options, order)


def _options(row: Row) -> Sequence[Row]:
    return cast(Sequence[Row], row["options"])


def _adding(option: Row) -> Row | None:
    mark_up = cast(Row | None, option.get("mark_up"))
    nothing = mark_up is None or mark_up.get("type") == "PRICE_MARK_UP_TYPE_NO_MARK_UP"
    return None if nothing else mark_up


def check(found: Violations, where: str, row: Row) -> None:
    """Something can be said, a default can be said, and whoever defines variants is answered by one of its options."""
    options, open_text = [each.get("id", "") for each in _options(row)], bool(row["open_text"])
    if row["defines_variant"]:
        found.require(f"{where}.required", bool(row["required"]), reasons.FIELD_INVALID, "what defines variants is required")
        found.require(f"{where}.open_text", not open_text, reasons.FIELD_INVALID, "what defines variants takes no text")
    can_say = bool(options) or (open_text and not row["defines_variant"])
    found.require(f"{where}.options", can_say, reasons.SPEC_OPTIONS_MISSING, "nothing could be said")
    default, value = row["default_option_id"], row["default_value"]
    known = not default or default in options
    found.require(f"{where}.default_option_id", known, reasons.SPEC_OPTION_NOT_FOUND, f"there is no option {default!r}")
    fits = not value or (open_text and not default)
    found.require(f"{where}.default_value", fits, reasons.FIELD_INVALID, "needs `open_text`, and no default option beside it")


def check_supplied(found: Violations, where: str, permissions: Sequence[Permission], new: Spec, old: Spec | None = None) -> None:
    """A supplier may set specs at all, and mark-ups only where it may set prices; those that were there may stay."""
    refuse(found, where, FIELD_OF_SUPPLIERS in settable(permissions))
    if sets_prices(permissions):
        return
    before = {option.id: option.mark_up for option in old.options} if old else {}
    for i, option in enumerate(new.options):
        refuse(found, f"{where}.options[{i}].mark_up", option.mark_up == before.get(option.id))


def check_kept(found: Violations, where: str, old: Spec, new: Spec, used: Collection[str], with_variants: bool) -> None:
    """What variants are made of stays: `used` are options that variants have."""
    same = old.defines_variant == new.defines_variant
    text = "a product that has the spec has variants"
    found.require(f"{where}.defines_variant", same or not with_variants, reasons.VARIANTS_EXIST, text)
    gone = sorted(set(used) - new.option_ids)
    text = f"variants have option {gone[0]!r}" if gone else ""
    found.require(f"{where}.options", not gone, reasons.OPTION_IN_USE, text)


def too_many_defining(found: Violations, field: str) -> None:
    """Notes that a product would have more of those that define variants than it may."""
    found.add(field, reasons.TOO_MANY_VARIANT_SPECS, f"a product has at most {MAX_DEFINING} that define its variants")


@dataclass(frozen=True, slots=True)
class Holder:
    """A product that has specs, and variants or none."""

    owner_supplier_id: str
    specs: Mapping[str, bool]
    """By spec whether it defines variants."""
    variants: bool


def check_given(found: Violations, rows: Sequence[Assignment], specs: Mapping[str, Spec], products: Mapping[str, Holder]) -> None:
    """Specs that are given to products: both are there and of one owner, and a product has not too many."""
    has = {id: dict(holder.specs) for id, holder in products.items()}
    for i, row in enumerate(rows):
        where, product, spec = f"{FIELD}[{i}]", products.get(str(row["product_id"])), specs.get(str(row["spec_id"]))
        text = f"there is no product {row['product_id']!r}"
        found.require(f"{where}.product_id", product is not None, reasons.PRODUCT_NOT_FOUND, text)
        fits = spec is not None and (product is None or spec.owner_supplier_id in ("", product.owner_supplier_id))
        text = f"there is no spec {row['spec_id']!r} for this product"
        found.require(f"{where}.spec_id", fits, reasons.SPEC_NOT_FOUND, text)
        if product is None or spec is None or not fits or spec.id in product.specs:
            continue
        had = has[str(row["product_id"])]
        had[spec.id] = spec.defines_variant
        if len(had) > MAX_SPECS:
            found.add(f"{where}.spec_id", reasons.TOO_MANY_PRODUCT_SPECS, f"a product has at most {MAX_SPECS}")
        if spec.defines_variant and sum(had.values()) > MAX_DEFINING:
            too_many_defining(found, f"{where}.spec_id")
        if spec.defines_variant and product.variants:
            _refuse_for_variants(found, i)


def check_taken(found: Violations, rows: Sequence[Assignment], products: Mapping[str, Holder]) -> None:
    """What defines the variants of a product stays as long as there are any."""
    for i, row in enumerate(rows):
        product = products.get(str(row["product_id"]))
        if product is not None and product.variants and product.specs.get(str(row["spec_id"])):
            _refuse_for_variants(found, i)


def _refuse_for_variants(found: Violations, i: int) -> None:
    found.add(f"{FIELD}[{i}].spec_id", reasons.VARIANTS_EXIST, "the product has variants")
