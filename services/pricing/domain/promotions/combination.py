"""Which promotions are on an order together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from services.pricing.domain.promotions.promotion import Drop, DropReason, Promotion, Rank

MAX_PROMOTIONS = 100
"""Promotions of an order."""


class Origin(IntEnum):
    """How a promotion comes to an order; of two that do not go together the first of these stays."""

    STANDING = 0
    """Its code was entered before, and it is on the order."""
    ENTERED = 1
    """Its code is entered now."""
    AUTOMATIC = 2
    """Nobody entered it, whether it is on the order already or not."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A promotion that may be on the order."""

    promotion: Promotion
    origin: Origin

    @property
    def code(self) -> str:
        """The code that was entered. One that came by itself does not show what nobody entered."""
        return "" if self.origin is Origin.AUTOMATIC else self.promotion.code

    @property
    def precedence(self) -> tuple[Origin, Rank]:
        """Its place in the order in which a combination is asked: codes before what is automatic, then the lower priority."""
        return self.origin, self.promotion.rank


class Combination:
    """Promotions that go together. It is asked in the order of `precedence`, about those that have something to give.

    The first decides: one that cannot be combined is alone, and next to one that can be such a one has no place. So a code
    displaces what is automatic, and never a code that is on the order.
    """

    __slots__ = ("_alone", "_number")

    def __init__(self) -> None:
        self._number = 0
        self._alone = False

    def refuses(self, promotion: Promotion) -> Drop | None:
        """Why there is no place for a promotion, or none."""
        if self._alone or (self._number and not promotion.can_combine):
            return Drop(DropReason.CANNOT_COMBINE)
        return Drop(DropReason.TOO_MANY) if self._number >= MAX_PROMOTIONS else None

    def keep(self, promotion: Promotion) -> None:
        """Puts one on the order that is not refused."""
        self._number += 1
        self._alone = not promotion.can_combine
