"""Rules of a product that need nothing but the product."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from libs.errors import Violations
from services.catalog.domain.choices.variants import is_whole
from services.catalog.domain.products.facets import values_of_product
from services.catalog.domain.products.words import words_of_product
from waybill.catalog.v1 import reasons

MAX_SUPPLIERS = 100
MEASURES = ("weight_kg", "length_cm", "width_cm", "height_cm")


def check(
    found: Violations, where: str, default_supplier_id: str, supplier_ids: Sequence[str], owner_supplier_id: str = ""
) -> None:
    """The default supplier is not listed again among the other suppliers, and is the owner if there is one."""
    found.require(
        f"{where}.owner_supplier_id",
        owner_supplier_id in ("", default_supplier_id),
        reasons.OWNER_NOT_DEFAULT_SUPPLIER,
        "the owner is the default supplier, too",
    )
    found.require(
        f"{where}.supplier_ids",
        not _repeats(default_supplier_id, supplier_ids),
        reasons.DEFAULT_SUPPLIER_REPEATED,
        "the default supplier stands among the others",
    )


def _repeats(default: str, others: Sequence[str]) -> bool:
    return bool(default) and default in others


RULES = (
    *("suppliers_stand_once", "multiplier_is_positive", "measures_are_not_negative"),
    *("product_is_found_by_its_words", "product_is_counted_by_its_values", "variant_has_an_option_of_each_spec"),
)


def _is_measure(stored: str) -> bool:
    try:
        return Decimal(stored) >= 0
    except (ArithmeticError, TypeError, ValueError):
        return False


@dataclass(frozen=True, slots=True)
class StoredProduct:
    """A product as it is kept, as far as its rules look at it; nothing is certain of it until they have."""

    id: str
    default_supplier_id: str
    supplier_ids: Sequence[str]
    quantity_multiplier: int
    measures: Sequence[str]
    texts: Mapping[str, str]
    """What it is found by."""
    words: frozenset[str]
    """What it was indexed by."""
    xp: object
    values: frozenset[tuple[str, str]]
    """What it is counted by, as (facet, value)."""
    facets: Mapping[str, str]
    """Paths of the facets whose values have been collected of it, by facet."""
    others: Mapping[str, str]
    """Those of the other facets: it has the values if it was written since, and none if not."""
    defining: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Options of the specs that define its variants, by spec."""
    combinations: Sequence[str] = ()
    """Those of its variants."""


def broken_rules(product: StoredProduct) -> list[str]:
    """What is wrong with a stored product: those of `RULES` that do not hold."""
    broken: list[str] = []
    others = product.supplier_ids
    if _repeats(product.default_supplier_id, others) or len(set(others)) < len(others):
        broken.append("suppliers_stand_once")
    if product.quantity_multiplier < 1:
        broken.append("multiplier_is_positive")
    if not all(_is_measure(measure) for measure in product.measures):
        broken.append("measures_are_not_negative")
    if product.words != words_of_product(product.texts):
        broken.append("product_is_found_by_its_words")
    collected = values_of_product(product.xp, product.facets)
    if not collected <= product.values <= collected | values_of_product(product.xp, product.others):
        broken.append("product_is_counted_by_its_values")
    if not all(is_whole(combination, product.defining) for combination in product.combinations):
        broken.append("variant_has_an_option_of_each_spec")
    return broken
