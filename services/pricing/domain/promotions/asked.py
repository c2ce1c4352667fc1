"""Which promotions an order asks for, and which of those there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from services.pricing.domain.promotions.combination import Candidate, Origin
from services.pricing.domain.promotions.conditions import Standing
from services.pricing.domain.promotions.promotion import Promotion

MAX_AUTOMATIC = 1_000
"""Automatic promotions that are tried on an order, those of the lowest priority: more than it may have, as some do not fit."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Promotions that an order asks for, and for whom. Codes are in capitals."""

    entered: frozenset[str] = frozenset()
    """Codes that are entered now. A code stands for every active promotion that has it, one of each owner."""
    standing: frozenset[str] = frozenset()
    """Ids of promotions that are on the order since their codes were entered."""
    automatic: bool = False
    """Whether those are asked for that nobody has to enter."""
    buyer_id: str = ""
    group_ids: frozenset[str] = frozenset()
    user_key: str = ""
    """Whose uses count for limits by user; empty where nobody's do."""
    unentered: frozenset[str] = frozenset()
    """Ids of promotions that are on the order and came by themselves."""


@dataclass(frozen=True, slots=True)
class Known:
    """A promotion that is kept, and what is kept of it for whoever orders."""

    promotion: Promotion
    standing: Standing


@dataclass(frozen=True, slots=True)
class Matched:
    """What is kept of what was asked for, and the codes and ids that lead to nothing."""

    candidates: Collection[Candidate]
    lost_codes: Collection[str]
    lost_ids: Collection[str]


def matched(asked: Asked, known: Iterable[Known]) -> Matched:
    """How each promotion comes to the order: on it already, entered now, or by itself."""
    candidates: list[Candidate] = []
    codes, ids = set(asked.entered), set(asked.standing | asked.unentered)
    for each in known:
        promotion = each.promotion
        if promotion.id in asked.unentered and not promotion.auto_apply:
            continue
        if promotion.id in asked.standing:
            origin = Origin.STANDING
        elif promotion.active and promotion.code in asked.entered:
            origin = Origin.ENTERED
        else:
            origin = Origin.AUTOMATIC
        ids.discard(promotion.id)
        if promotion.active:
            codes.discard(promotion.code)
        candidates.append(Candidate(promotion, origin))
    return Matched(candidates, sorted(codes), sorted(ids))
