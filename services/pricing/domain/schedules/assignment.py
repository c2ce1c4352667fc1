"""Which price schedule prices a product or a variant of it: for everyone, for one buyer, or for a group of a buyer's users."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from libs.errors import Violations
from waybill.pricing.v1 import reasons

BATCH = 1_000
FIELD = "assignments"


@dataclass(frozen=True, slots=True)
class Key:
    """Names an assignment; an empty buyer is the default, an empty group all users of the buyer, an empty variant the product."""

    product_id: str
    buyer_id: str
    group_id: str = ""
    variant_id: str = ""

    @property
    def level(self) -> int:
        """How specific it is: 2 for a group, 1 for a buyer, 0 for everyone."""
        return bool(self.buyer_id) + bool(self.group_id)


@dataclass(frozen=True, slots=True)
class Assignment:
    """The schedule of a product or variant, for a group, for a buyer or by default."""

    key: Key
    schedule_id: str


def check_keys(found: Violations, keys: Sequence[Key]) -> None:
    """Well-formed, each once, not too many."""
    if len(keys) > BATCH:
        found.add(FIELD, reasons.TOO_MANY_ITEMS, f"at most {BATCH:,}")
        return
    seen: set[Key] = set()
    for i, key in enumerate(keys):
        found.check_id(f"{FIELD}[{i}].product_id", key.product_id)
        found.check_id(f"{FIELD}[{i}].buyer_id", key.buyer_id, required=False)
        found.check_id(f"{FIELD}[{i}].user_group_id", key.group_id, required=False)
        found.check_id(f"{FIELD}[{i}].variant_id", key.variant_id, required=False)
        found.require(
            f"{FIELD}[{i}].buyer_id", bool(key.buyer_id) or not key.group_id, reasons.FIELD_REQUIRED, "a group is a buyer's"
        )
        found.require(
            f"{FIELD}[{i}]", key not in seen, reasons.DUPLICATE_ITEM, "the product, buyer, group and variant stand twice"
        )
        seen.add(key)


def check_schedules(found: Violations, assignments: Sequence[Assignment], known: Collection[str]) -> None:
    """Every schedule that is assigned exists."""
    for i, assignment in enumerate(assignments):
        found.require(
            f"{FIELD}[{i}].price_schedule_id",
            assignment.schedule_id in known,
            reasons.PRICE_SCHEDULE_NOT_FOUND,
            f"there is no price schedule {assignment.schedule_id!r}",
        )
