"""How many orders may use a promotion, and what is in the way of one more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.pricing.domain.promotions.conditions import Standing
from services.pricing.domain.promotions.promotion import DropReason, Promotion

OF_ALL = ""
"""Whose uses are counted where they are everyone's."""


def user_key(buyer_id: str, user_id: str) -> str:
    """Whose uses a user's count as; those of nobody in particular count for all only."""
    return f"{buyer_id}:{user_id}" if user_id else OF_ALL


@dataclass(frozen=True, slots=True)
class Limits:
    """How many orders may use a promotion, in all and of one user; none is any number."""

    in_all: int | None = None
    of_user: int | None = None

    @staticmethod
    def of(promotion: Promotion) -> Limits:
        """Those that a promotion has."""
        return Limits(promotion.redemption_limit, promotion.redemption_limit_per_user)


@dataclass(frozen=True, slots=True)
class Full:
    """A limit that leaves no place for one more order; `contended` where orders that are being submitted take the last places."""

    promotion_id: str
    reason: DropReason
    contended: bool


def full(promotion_id: str, limits: Limits, standing: Standing) -> Iterator[Full]:
    """The limits that are reached. What is reserved counts like what is confirmed, as it may become so."""
    in_all = DropReason.LIMIT_REACHED, limits.in_all, standing.uses, standing.reserved
    of_user = DropReason.LIMIT_OF_USER_REACHED, limits.of_user, standing.uses_of_user, standing.reserved_of_user
    for reason, most, confirmed, reserved in (in_all, of_user):
        if most is not None and confirmed + reserved >= most:
            yield Full(promotion_id, reason, contended=confirmed < most)
