"""Whether a promotion is for a shopper at all, before its expressions are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from services.pricing.domain.promotions.promotion import Drop, DropReason, Promotion


@dataclass(frozen=True, slots=True)
class Shopper:
    """Who orders, and through which channel. A guest has no uses of its own to count."""

    client_id: str = ""
    guest: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What is kept of a promotion for one shopper: whether it is assigned to him, how many orders have used it for good, and how
    many that are being submitted hold a use."""

    assigned: bool = False
    uses: int = 0
    uses_of_user: int = 0
    reserved: int = 0
    reserved_of_user: int = 0


def refused(promotion: Promotion, shopper: Shopper, standing: Standing, now: datetime) -> Drop | None:
    """The first of its conditions that does not hold, or none. What must stay secret comes before what may be said."""
    return next((Drop(reason) for reason, holds in _conditions(promotion, shopper, standing, now) if not holds), None)


def _conditions(promotion: Promotion, shopper: Shopper, standing: Standing, now: datetime) -> Iterator[tuple[DropReason, bool]]:
    start, end, channels = promotion.start_time, promotion.end_time, promotion.api_client_ids
    yield DropReason.NOT_ACTIVE, promotion.active
    yield DropReason.NOT_YET_VALID, start is None or start <= now
    yield DropReason.EXPIRED, end is None or now < end
    yield DropReason.BUYER_NOT_ALLOWED, promotion.all_buyers or standing.assigned
    yield DropReason.CHANNEL_NOT_ALLOWED, not channels or shopper.client_id in channels
    most, of_user = promotion.redemption_limit, promotion.redemption_limit_per_user
    yield DropReason.SIGN_IN_REQUIRED, of_user is None or not shopper.guest
    yield DropReason.LIMIT_REACHED, most is None or standing.uses < most
    yield DropReason.LIMIT_OF_USER_REACHED, of_user is None or standing.uses_of_user < of_user
