"""What can be had of a product or a variant, as far as each party may know it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.fulfillment.domain.sourcing.model import Stock


@dataclass(frozen=True, slots=True)
class Asked:
    """A product with all its stock, or, with a variant, the stock of that alone; the empty variant is stock of none."""

    product_id: str
    variant_id: str | None = None


@dataclass(frozen=True, slots=True)
class PlaceAvailability:
    """At one record; for buyers of one variant at one pick-up location, whosever records lie there: their ids stay empty."""

    record_id: str
    supplier_id: str
    location_id: str
    available: int
    can_exceed: bool
    pickup: bool
    active: bool
    variant_id: str = ""


@dataclass(frozen=True, slots=True)
class Availability:
    """Of what was asked for: units of all active stock, never negative, and where they lie."""

    available: int
    can_exceed: bool
    places: tuple[PlaceAvailability, ...]
    backorderable: int | None = 0
    """Units beyond the available ones; None for any number."""
    expected_time: datetime | None = None
    """The earliest time at which more are expected of what can be sold beyond its stock."""


def whole(stocks: Iterable[Stock]) -> Availability:
    """Every record: for the seller and Waybill's services, and for a supplier of its own stock."""
    ranked = sorted(stocks, key=lambda s: (s.priority, s.id))
    return _sum(ranked, tuple(_place(s) for s in ranked))


def for_buyers(stocks: Iterable[Stock]) -> Availability:
    """What is active, and where it can be picked up. How many units a supplier has elsewhere is its own business."""
    active = sorted((s for s in stocks if s.active), key=lambda s: (s.location_id, s.variant_id))
    places: dict[tuple[str, str], PlaceAvailability] = {}
    for s in active:
        if s.pickup:
            place = (s.location_id, s.variant_id)
            known = places.get(place)
            units, more = (known.available, known.can_exceed) if known else (0, False)
            places[place] = PlaceAvailability(
                record_id="",
                supplier_id="",
                location_id=s.location_id,
                available=units + max(0, s.available),
                can_exceed=more or s.backorderable != 0,
                pickup=True,
                active=True,
                variant_id=s.variant_id,
            )
    return _sum(active, tuple(places.values()))


def _place(s: Stock) -> PlaceAvailability:
    return PlaceAvailability(
        record_id=s.id,
        supplier_id=s.supplier_id,
        location_id=s.location_id,
        available=max(0, s.available),
        can_exceed=s.backorderable != 0,
        pickup=s.pickup,
        active=s.active,
        variant_id=s.variant_id,
    )


def _sum(stocks: Iterable[Stock], places: tuple[PlaceAvailability, ...]) -> Availability:
    active = [s for s in stocks if s.active]
    more = [s for s in active if s.backorderable != 0]
    excess = [s.backorderable for s in more if s.backorderable is not None]
    return Availability(
        sum(max(0, s.available) for s in active),
        bool(more),
        places,
        sum(excess) if len(excess) == len(more) else None,
        min((s.expected_time for s in more if s.expected_time is not None), default=None),
    )
