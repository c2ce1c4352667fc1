"""Who orders and where to, as the order service asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from libs.json_value import JsonObject
from services.directory.domain.address_book.addresses import Fields, Usable


@dataclass(frozen=True, slots=True)
class OrderingBuyer:
    """The company that orders."""

    id: str
    name: str
    active: bool
    currency: str
    restrict_addresses: bool
    tax_exemptions: Sequence[JsonObject] | None = None
    """By the names of their contract's fields; None for none."""


@dataclass(frozen=True, slots=True)
class OrderingUser:
    """The user who orders."""

    id: str
    username: str
    first_name: str
    last_name: str
    email: str
    active: bool


@dataclass(frozen=True, slots=True)
class OrderingContext:
    """What an order's header is made of. Who or what is unknown is None."""

    seller_id: str
    buyer: OrderingBuyer | None
    user: OrderingUser | None
    channel_active: bool
    channel_admits: bool
    """Whether orders of the buyer come through the channel, made by its users or by the seller's."""
    buyer_admitted: bool
    """Whether the channel that was asked of admits users of the buyer."""
    policy: JsonObject | None
    """How the channel wants orders handled, by the names of its contract's fields."""
    shipping: Fields | None
    billing: Fields | None
    addresses: Sequence[Usable]
    missing: Sequence[str]
    """Ids of asked addresses that the user may use for nothing."""
    allowed_origins: Sequence[str] = ()
    """Origins of web pages that the channel names; empty for any."""
    has_cost_centers: bool = False
    """Whether the buyer has any, active or not."""
    cost_centers: Sequence[str] = ()
    """Ids of asked cost centers that are active and that the user may use."""
