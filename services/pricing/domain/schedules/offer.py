"""What a customer pays for a product before any order: the price of the least quantity that can be ordered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.pricing.domain.schedules.schedule import Price, Schedule, price_at


@dataclass(frozen=True, slots=True)
class Offer:
    """The least quantity, its price, and the schedules that hold, by id; the price is that of `schedule_id`."""

    quantity: int
    price: Price
    schedule_id: str
    schedules: tuple[Schedule, ...]


def least_quantity(schedule: Schedule) -> int | None:
    """The smallest quantity that has a price; None where minimum, maximum and breaks leave none."""
    least = max(schedule.min_quantity, schedule.breaks[0].quantity)
    if schedule.restricted:
        least = min((step.quantity for step in schedule.breaks if step.quantity >= least), default=0)
    return None if not least or (schedule.max_quantity and least > schedule.max_quantity) else least


def offered(schedules: Sequence[Schedule], currency: str, now: datetime) -> Offer | None:
    """Of the schedules that hold for a product: those in the currency, and the lowest price that any of them has for the least
    quantity; of equal ones the first id. None where nothing can be ordered in the currency."""
    least = {s.id: quantity for s in schedules if s.currency == currency and (quantity := least_quantity(s)) is not None}
    if not least:
        return None
    quantity = min(least.values())
    held = tuple(s for s in schedules if s.id in least)
    prices = [(price, s.id) for s in held if isinstance(price := price_at(s, quantity, now), Price)]
    price, id = min(prices, key=lambda found: (found[0].unit, found[1]))
    return Offer(quantity, price, id, held)
