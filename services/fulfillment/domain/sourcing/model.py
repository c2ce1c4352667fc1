"""Values that the stages of sourcing hand on."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from services.fulfillment.domain.sourcing.backorder import allowed, backorderable
from waybill.fulfillment.v1.reasons import ReasonName

MAX_LINES = 5_000
"""Most lines in one call."""
MAX_QUANTITY = 1_000_000_000
"""Most units on one line or in one count."""

Address = Mapping[str, str | Sequence[str]]
"""A postal address as stored: the fields of waybill.type.v1.Address by name."""


class Sku(NamedTuple):
    """What stock is counted by: a product, and its variant or the empty id. Stock of a product is not stock of its variants."""

    product_id: str
    variant_id: str


class Strategy(StrEnum):
    """How locations are chosen among those that may serve a line."""

    DEFAULT_SUPPLIER = "default_supplier"
    PRIORITY = "priority"
    FEWEST_PARCELS = "fewest_parcels"


Ranking = Strategy | tuple[str, ...]
"""How locations are chosen: by a strategy, or by stages that are named themselves."""

Costs = Mapping[str, Mapping[str, int]]
"""What a unit costs, by line and supplier, as the order was submitted; also of suppliers that got none of the line then."""


class Exclusion(StrEnum):
    """Why stock of a product does not serve a line of it; values of waybill.fulfillment.v1.SourcingExclusion."""

    SUPPLIER_NOT_ALLOWED = "SUPPLIER_NOT_ALLOWED"
    INACTIVE = "INACTIVE"
    OTHER_RECORD = "OTHER_RECORD"
    NO_PICKUP = "NO_PICKUP"
    RESTRICTED = "RESTRICTED"


@dataclass(frozen=True, slots=True)
class Line:
    """A line that needs stock; the fields are those of waybill.fulfillment.v1.SourcingLine."""

    line_item_id: str
    product_id: str
    quantity: int
    default_supplier_id: str = ""
    supplier_ids: tuple[str, ...] = ()
    ship_from_id: str = ""
    track_inventory: bool = True
    shippable: bool = True
    pickup_location_id: str = ""
    inventory_record_id: str = ""
    variant_id: str = ""
    """Set only when the stock of the product is counted by variant."""

    @property
    def sku(self) -> Sku:
        """What its stock is counted by."""
        return Sku(self.product_id, self.variant_id)

    @property
    def allowed_suppliers(self) -> frozenset[str]:
        """Who may fulfill it; the empty id is the seller."""
        return frozenset((self.default_supplier_id, *self.supplier_ids))


@dataclass(frozen=True, slots=True)
class Customer:
    """Who is sold to: a user of a buyer. `groups` are the user's, None while nobody has looked them up."""

    buyer_id: str = ""
    user_id: str = ""
    groups: frozenset[str] | None = frozenset()


@dataclass(frozen=True, slots=True)
class Supply:
    """What a product says of who fulfills it, and how its stock is counted."""

    default_supplier_id: str = ""
    supplier_ids: tuple[str, ...] = ()
    ship_from_id: str = ""
    track_inventory: bool = True
    shippable: bool = True
    variant_stock: bool = False


@dataclass(frozen=True, slots=True)
class Stock:
    """An inventory record as sourcing sees it."""

    key: uuid.UUID
    id: str
    product_id: str
    supplier_id: str
    location_id: str
    on_hand: int
    reserved: int
    allocated: int
    can_exceed: bool = False
    priority: int = 0
    active: bool = True
    pickup: bool = False
    address: Address | None = None
    variant_id: str = ""
    watched: bool = False
    """Whether somebody is alerted when it gets low."""
    buyer_ids: Sequence[str] = ()
    user_group_ids: Sequence[str] = ()
    backorder_limit: int | None = None
    expected_time: datetime | None = None

    @property
    def excess(self) -> int | None:
        """Units that may be sold beyond the stock in all; None for any number."""
        return allowed(self.can_exceed, self.backorder_limit)

    @property
    def uncounted(self) -> bool:
        """Whether units may leave that are not on hand: sold beyond the stock without a limit."""
        return self.excess is None

    @property
    def backorderable(self) -> int | None:
        """Units that may be sold beyond those available now; None for any number."""
        return backorderable(self.available, self.excess)

    @property
    def restricted(self) -> bool:
        """Whether it is for some buyers and groups only."""
        return bool(self.buyer_ids or self.user_group_ids)

    @property
    def sku(self) -> Sku:
        """What it is stock of."""
        return Sku(self.product_id, self.variant_id)

    @property
    def available(self) -> int:
        """Units that may still be promised; negative during a shortage."""
        return self.on_hand - self.reserved - self.allocated


@dataclass(frozen=True, slots=True)
class Assignment:
    """A quantity of a line given to one location. Without a record the stock is not counted."""

    line_item_id: str
    product_id: str
    quantity: int
    supplier_id: str
    ship_from_id: str
    record_key: uuid.UUID | None = None
    record_id: str = ""
    ship_from: Address | None = None
    variant_id: str = ""
    backordered: int = 0
    """How many of the units are sold beyond the stock; said of a plan, and not kept of what is reserved."""
    expected_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line does not hold; `contended` when unconfirmed reservations of others alone are the cause."""

    line_item_id: str
    reason: ReasonName
    description: str
    missing_quantity: int = 0
    contended: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What could be placed, in the order of the lines, and everything that could not."""

    assignments: tuple[Assignment, ...]
    problems: tuple[Problem, ...] = ()
    alternatives: tuple[tuple[Assignment, ...], ...] = ()
    """Other plans whose freight may be lower, where that is asked for; the order decides between equal ones."""
