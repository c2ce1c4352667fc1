"""What suppliers do with prices, as far as the seller lets them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from libs.errors import Violations, precondition
from services.pricing.domain.schedules.assignment import FIELD, Assignment
from waybill.pricing.v1 import reasons

MAX_PRODUCTS = 5_000
"""Products that a supplier's schedule prices at most: whether all are its own is asked in one call."""


@dataclass(frozen=True, slots=True)
class Supplied:
    """What the catalog says of a supplier and of some products."""

    supplier_id: str
    may_set_prices: bool
    owned: Collection[str]
    """Of these products its own."""


def check_admitted(supplied: Supplied) -> None:
    """Raises `PRICES_NOT_ADMITTED` for a supplier that may not set prices."""
    if not supplied.may_set_prices:
        text = "the seller does not let the supplier set prices"
        raise precondition(reasons.PRICES_NOT_ADMITTED, text, supplier=supplied.supplier_id)


def check_defaults(found: Violations, assignments: Sequence[Assignment]) -> None:
    """A supplier sets no price for a buyer or a group."""
    for i, assignment in enumerate(assignments):
        for name, id in (("buyer_id", assignment.key.buyer_id), ("user_group_id", assignment.key.group_id)):
            text = "a supplier sets default prices only"
            found.require(f"{FIELD}[{i}].{name}", not id, reasons.FIELD_NOT_ADMITTED, text)


def check_owned(found: Violations, assignments: Sequence[Assignment], owned: Collection[str]) -> None:
    """A supplier prices its own products."""
    for i, assignment in enumerate(assignments):
        product = assignment.key.product_id
        text = f"the supplier owns no product {product!r}"
        found.require(f"{FIELD}[{i}].product_id", product in owned, reasons.PRODUCT_NOT_OWNED, text)


def check_spread(found: Violations, assignments: Sequence[Assignment], overfull: Collection[str]) -> None:
    """No schedule of a supplier prices too many products."""
    for i, assignment in enumerate(assignments):
        text = f"a supplier's schedule prices at most {MAX_PRODUCTS:,} products"
        at = f"{FIELD}[{i}].price_schedule_id"
        found.require(at, assignment.schedule_id not in overfull, reasons.TOO_MANY_ITEMS, text)


def check_unshared(schedule_id: str, priced: Sequence[str], supplied: Supplied, asked: Collection[str]) -> bool:
    """Raises `PRICE_SCHEDULE_SHARED` when a supplier's schedule prices what is not its own. False when it prices products that
    the catalog has not been asked about, because they have come to it since."""
    for product in priced:
        if product in asked and product not in supplied.owned:
            text = f"price schedule {schedule_id!r} prices product {product!r}, which is not the supplier's"
            raise precondition(reasons.PRICE_SCHEDULE_SHARED, text, price_schedule=schedule_id, product=product)
    return all(product in asked for product in priced)
