"""How a channel wants its orders handled, as an order keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AutoForward(StrEnum):
    """What of an order goes to its suppliers as soon as it opens."""

    NONE = "NONE"
    ALL = "ALL"
    BY_PRODUCT = "BY_PRODUCT"
    """The lines whose products say so."""


class Capture(StrEnum):
    """When the cards of an order are charged."""

    MANUAL = "MANUAL"
    ON_SHIPMENT = "ON_SHIPMENT"


PURCHASE_ORDER = "purchase_order"
"""The type of payment that a checkout done in one call has by itself."""
ALL_TYPES = ("credit_card", "spending_account", PURCHASE_ORDER)
"""Those that there are, and what a channel took whose orders were stored before they kept its types."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How the channel wants its orders handled; the directory owns it."""

    auto_forward: AutoForward = AutoForward.ALL
    must_cover_total: bool = True
    require_ship_methods: bool = True
    sourcing_strategy: str = ""
    estimate_valid_seconds: int = 86_400
    """How long a freight price that was estimated is kept."""
    payment_types: tuple[str, ...] = ()
    """Types of payment that it takes; empty for those that hold money."""
    accept_within_seconds: int = 0
    """How long a supplier has to answer; 0 for without a limit."""
    capture: Capture = Capture.MANUAL
    may_exceed_total: bool = False
    """Whether payments may be above the total: what is too much is not taken."""
    sourcing_stages: tuple[str, ...] = ()
    """The stages that choose locations; empty leaves it to `sourcing_strategy`."""

    @property
    def takes_promises(self) -> bool:
        """Whether it takes purchase orders, which hold none."""
        return PURCHASE_ORDER in self.payment_types
