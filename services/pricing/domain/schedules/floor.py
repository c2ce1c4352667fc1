"""Floors: the least that suppliers may ask for a unit of a product."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from libs.errors import Violations
from libs.money import exact_text
from services.pricing.domain.schedules.assignment import FIELD, Assignment
from services.pricing.domain.schedules.schedule import Break, Schedule
from waybill.pricing.v1 import reasons

Spot = tuple[str, str]
"""A product and a currency, which have one floor at most."""
Floors = Mapping[Spot, int]
"""Micros."""


def held(schedule: Schedule, floor: int | None) -> Schedule:
    """The schedule as it prices a product that has this floor: nothing costs less."""
    if floor is None or lowest(schedule.breaks) >= floor:
        return schedule
    return replace(
        schedule,
        breaks=tuple(
            Break(step.quantity, max(step.price, floor), None if step.sale_price is None else max(step.sale_price, floor))
            for step in schedule.breaks
        ),
    )


def lowest(breaks: Sequence[Break]) -> int:
    """The least that any quantity costs at any time."""
    return min(price for step in breaks for _, price in _prices(step))


def _prices(step: Break) -> Iterator[tuple[str, int]]:
    """The prices of a break, each with its field."""
    yield "price", step.price
    if step.sale_price is not None:
        yield "sale_price", step.sale_price


def check_breaks(
    found: Violations, where: str, breaks: Sequence[Break], currency: str, floors: Mapping[str, int], places: Mapping[int, int]
) -> None:
    """No price of a schedule is below the floor of any product that it prices. `floors` are those of its currency by product,
    `places` say by quantity which break of the request it is. A price that is below several names the highest."""
    if not floors:
        return
    product, floor = max(floors.items(), key=lambda item: (item[1], item[0]))
    for step in breaks:
        for name, price in _prices(step):
            at = f"{where}.price_breaks[{places.get(step.quantity, 0)}].{name}"
            found.require(at, price >= floor, reasons.PRICE_BELOW_FLOOR, _said(price, product, floor, currency))


def check_assigned(
    found: Violations, assignments: Sequence[Assignment], schedules: Mapping[str, Schedule], floors: Floors
) -> None:
    """No product is priced below its floor by a supplier's schedule. Schedules that are not known are named elsewhere."""
    for i, assignment in enumerate(assignments):
        schedule = schedules.get(assignment.schedule_id)
        if schedule is None or not schedule.owner:
            continue
        product = assignment.key.product_id
        floor, price = floors.get((product, schedule.currency), 0), lowest(schedule.breaks)
        text = _said(price, product, floor, schedule.currency)
        found.require(f"{FIELD}[{i}].price_schedule_id", price >= floor, reasons.PRICE_BELOW_FLOOR, text)


def _said(price: int, product: str, floor: int, currency: str) -> str:
    return f"{exact_text(price)} is below the floor of product {product!r}, which is {exact_text(floor)} {currency}"


def check_alone(found: Violations, items: Sequence[tuple[str, Spot]], standing: Floors) -> None:
    """A product gets one floor in a currency."""
    seen = set(standing)
    for where, spot in items:
        text = f"product {spot[0]!r} has a floor in {spot[1]}"
        found.require(f"{where}.product_id", spot not in seen, reasons.PRICE_FLOOR_EXISTS, text)
        seen.add(spot)
