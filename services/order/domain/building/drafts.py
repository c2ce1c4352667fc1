"""What a caller asks for when building an order, and the checks that need nothing but the request itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from libs.errors import Violations
from libs.json_value import JsonObject
from services.order.domain.building.choices import Said
from services.order.domain.fees import Fee
from services.order.domain.model import MAX_LINES, MAX_QUANTITY, Address
from waybill.order.v1 import reasons

LEEWAY = timedelta(days=1)
"""How far before the moment a date may lie that should come after it: days begin elsewhere, and clocks differ."""
FARTHEST = timedelta(days=3_660)
"""How far ahead a buyer can need something: about ten years."""


@dataclass(frozen=True, slots=True)
class LineDraft:
    """A line as asked for. None means: not given."""

    id: str
    product_id: str
    quantity: int
    unit_price_override: int | None = None
    discount_override: int | None = None
    shipping_address_id: str = ""
    shipping_address: Address | None = None
    pickup_location_id: str = ""
    inventory_record_id: str = ""
    date_needed: datetime | None = None
    cost_center: str = ""
    shipping_account: str = ""
    comments: str = ""
    xp: JsonObject = field(default_factory=dict)
    currencies: tuple[tuple[str, str], ...] = ()
    """(field path, currency code) of every amount given."""
    variant_id: str = ""
    specs: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class GuestName:
    """What a guest calls itself."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """An order as asked for."""

    id: str
    buyer_id: str
    user_id: str
    currency: str
    shipping_address_id: str = ""
    shipping_address: Address | None = None
    billing_address_id: str = ""
    billing_address: Address | None = None
    comments: str = ""
    guest: GuestName = GuestName()
    xp: JsonObject = field(default_factory=dict)
    shipping_cost_override: int | None = None
    tax_override: int | None = None
    gratuity: int = 0
    fees: tuple[Fee, ...] = ()
    currencies: tuple[tuple[str, str], ...] = ()
    """(field path, currency code) of every amount given."""


def check_lines(found: Violations, drafts: Sequence[LineDraft]) -> None:
    """Adds a violation for every rule that new lines break by themselves: ids, quantities."""
    for i, draft in enumerate(drafts):
        where = f"line_items[{i}]"
        found.check_id(f"{where}.product_id", draft.product_id)
        found.check_id(f"{where}.id", draft.id, required=False)
        check_quantity(found, f"{where}.quantity", draft.quantity)
    check_ids(found, drafts)


def check_ids(found: Violations, drafts: Sequence[LineDraft]) -> None:
    """Adds a violation for every line whose id stands before it."""
    seen: set[str] = set()
    for i, draft in enumerate(drafts):
        if draft.id in seen:
            found.add(f"line_items[{i}].id", reasons.DUPLICATE_ITEM, f"line id {draft.id!r} stands twice")
        seen.update({draft.id} - {""})


def check_count(found: Violations, count: int) -> None:
    """Adds a violation when an order would have more lines than it may."""
    found.require("line_items", count <= MAX_LINES, reasons.TOO_MANY_ITEMS, f"an order has at most {MAX_LINES:,} lines")


def check_date_needed(found: Violations, where: str, needed: datetime | None, now: datetime) -> None:
    """Adds a violation when a line is needed before it is asked for, or in a time that can only be a mistake."""
    if needed is not None and not now - LEEWAY <= needed <= now + FARTHEST:
        found.add(f"{where}.date_needed", reasons.VALUE_OUT_OF_RANGE, "is from a day ago to ten years ahead")


def check_quantity(found: Violations, where: str, quantity: int) -> None:
    """Adds a violation when the quantity is not between 1 and the limit."""
    if not 1 <= quantity <= MAX_QUANTITY:
        found.add(where, reasons.VALUE_OUT_OF_RANGE, f"a quantity is 1 to {MAX_QUANTITY:,} units, not {quantity}")
