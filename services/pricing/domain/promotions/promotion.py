"""A promotion as its rules see it, and what becomes of one that is not on an order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Target(StrEnum):
    """What becomes cheaper. They are taken off in this order: lines, then the goods as a whole, then shipping."""

    LINE = "LINE"
    ORDER = "ORDER"
    SHIPPING = "SHIPPING"


_TURNS = {target: turn for turn, target in enumerate(Target)}

Rank = tuple[bool, int, str]
"""Priority from the lowest on, absent last, then the id."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """What an owner gives off orders that its conditions fit. Without a supplier it is the seller's."""

    id: str
    target: Target
    value_expression: str
    eligible_expression: str = ""
    supplier_id: str = ""
    code: str = ""
    active: bool = True
    start_time: datetime | None = None
    end_time: datetime | None = None
    can_combine: bool = False
    auto_apply: bool = False
    priority: int | None = None
    redemption_limit: int | None = None
    redemption_limit_per_user: int | None = None
    quantity_limit_per_order: int | None = None
    item_limit_per_order: int | None = None
    item_order: str = ""
    all_buyers: bool = False
    api_client_ids: tuple[str, ...] = ()

    @property
    def rank(self) -> Rank:
        """Its place among others with its target."""
        return self.priority is None, self.priority or 0, self.id

    @property
    def turn(self) -> tuple[int, Rank]:
        """When it is taken off, among all that are on an order."""
        return _TURNS[self.target], self.rank


class DropReason(StrEnum):
    """Why a promotion is not on an order."""

    NOT_FOUND = "NOT_FOUND"
    NOT_ACTIVE = "NOT_ACTIVE"
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"
    BUYER_NOT_ALLOWED = "BUYER_NOT_ALLOWED"
    CHANNEL_NOT_ALLOWED = "CHANNEL_NOT_ALLOWED"
    SIGN_IN_REQUIRED = "SIGN_IN_REQUIRED"
    LIMIT_REACHED = "LIMIT_REACHED"
    LIMIT_OF_USER_REACHED = "LIMIT_OF_USER_REACHED"
    NOT_ELIGIBLE = "NOT_ELIGIBLE"
    EXPRESSION_ERROR = "EXPRESSION_ERROR"
    VALUE_NOT_POSITIVE = "VALUE_NOT_POSITIVE"
    """It takes nothing off: it comes to nothing, or nothing is left."""
    CANNOT_COMBINE = "CANNOT_COMBINE"
    TOO_MANY = "TOO_MANY"

    @property
    def shown(self) -> DropReason:
        """What a shopper reads who entered the code. Codes are secrets: one that is not for him is like one that nobody made."""
        return DropReason.NOT_FOUND if self in _SECRET else self


_SECRET = frozenset(
    (
        DropReason.NOT_ACTIVE,
        DropReason.NOT_YET_VALID,
        DropReason.EXPIRED,
        DropReason.BUYER_NOT_ALLOWED,
        DropReason.CHANNEL_NOT_ALLOWED,
    )
)


@dataclass(frozen=True, slots=True)
class Drop:
    """Why a promotion is not on an order; the detail is for its owner only."""

    reason: DropReason
    detail: str = ""
