"""Which buyers, and groups of their users, may use a promotion that is not for all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from libs.errors import Violations
from waybill.pricing.v1 import reasons

BATCH = 1_000
FIELD = "assignments"


@dataclass(frozen=True, slots=True, order=True)
class PromotionAssignment:
    """A promotion and who may use it; an empty group is all users of the buyer."""

    promotion_id: str
    buyer_id: str
    group_id: str = ""

    @property
    def parts(self) -> tuple[str, str, str]:
        """Its ids, in the order in which assignments are written."""
        return self.promotion_id, self.buyer_id, self.group_id


def check_assignments(found: Violations, assignments: Sequence[PromotionAssignment]) -> None:
    """Well-formed, each once, not too many."""
    if len(assignments) > BATCH:
        found.add(FIELD, reasons.TOO_MANY_ITEMS, f"at most {BATCH:,}")
        return
    seen: set[PromotionAssignment] = set()
    for i, one in enumerate(assignments):
        found.check_id(f"{FIELD}[{i}].promotion_id", one.promotion_id)
        found.check_id(f"{FIELD}[{i}].buyer_id", one.buyer_id)
        found.check_id(f"{FIELD}[{i}].user_group_id", one.group_id, required=False)
        found.require(f"{FIELD}[{i}]", one not in seen, reasons.DUPLICATE_ITEM, "the promotion, buyer and group stand twice")
        seen.add(one)


def check_promotions(found: Violations, assignments: Sequence[PromotionAssignment], known: Collection[str]) -> None:
    """Every promotion that is assigned is there for the caller."""
    for i, one in enumerate(assignments):
        text = f"there is no promotion {one.promotion_id!r}"
        found.require(f"{FIELD}[{i}].promotion_id", one.promotion_id in known, reasons.PROMOTION_NOT_FOUND, text)
