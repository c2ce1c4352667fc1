"""Assignment: takes quantities from ranked candidates. No unit is taken twice, not even by two lines of one
order.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from services.fulfillment.domain.sourcing.candidates import Candidates
from services.fulfillment.domain.sourcing.model import Assignment, Line, Stock


def assign(lines: Sequence[Line], ranked: Candidates) -> dict[str, tuple[Assignment, ...]]:
    """What each line takes, by line id. A line without enough candidates stays short.

    Lines with fewer places to go choose first (one record, then one pick-up location, then anywhere): the
    sets are nested, so that a line that may go anywhere never takes the last unit of one that may not.
    """
    left: dict[uuid.UUID, int] = {}
    beyond: dict[uuid.UUID, int] = {}
    taken: dict[str, tuple[Assignment, ...]] = {}
    for line in sorted(lines, key=lambda line: (not line.inventory_record_id, not line.pickup_location_id)):
        taken[line.line_item_id] = _take(line, ranked[line.line_item_id], left, beyond)
    return taken


def _take(
    line: Line, ranked: Sequence[Stock], left: dict[uuid.UUID, int], beyond: dict[uuid.UUID, int]
) -> tuple[Assignment, ...]:
    """Real stock first, in rank order; what is still open exceeds the candidates that may be exceeded, the best first. `left` and
    `beyond` are what lines before it have left of either."""
    units: dict[uuid.UUID, int] = {}
    waiting: dict[uuid.UUID, int] = {}
    wanted = line.quantity
    for stock in ranked:
        if not wanted:
            break
        rest = left.get(stock.key, max(0, stock.available))
        take = min(wanted, rest)
        if take:
            units[stock.key] = take
            left[stock.key] = rest - take
            wanted -= take
    for stock in ranked:
        if not wanted:
            break
        excess = stock.backorderable
        take = wanted if excess is None else min(wanted, beyond.get(stock.key, excess))
        if take:
            units[stock.key] = units.get(stock.key, 0) + take
            waiting[stock.key] = take
            if excess is not None:
                beyond[stock.key] = beyond.get(stock.key, excess) - take
            wanted -= take
    return tuple(from_stock(line, s, units[s.key], waiting.get(s.key, 0)) for s in ranked if s.key in units)


def from_stock(line: Line, stock: Stock, quantity: int, backordered: int = 0) -> Assignment:
    """Units of a line taken from counted stock, so many of them beyond it."""
    return Assignment(
        line_item_id=line.line_item_id,
        product_id=line.product_id,
        quantity=quantity,
        supplier_id=stock.supplier_id,
        ship_from_id=stock.location_id,
        record_key=stock.key,
        record_id=stock.id,
        ship_from=stock.address,
        variant_id=stock.variant_id,
        backordered=backordered,
        expected_time=stock.expected_time if backordered else None,
    )


def uncounted(line: Line, supplier_id: str | None = None) -> Assignment:
    """The whole line at its default supplier (or another), whose stock of it is not counted."""
    supplier = line.default_supplier_id if supplier_id is None else supplier_id
    origin = line.ship_from_id if supplier == line.default_supplier_id else ""
    return Assignment(
        line_item_id=line.line_item_id,
        product_id=line.product_id,
        quantity=line.quantity,
        supplier_id=supplier,
        ship_from_id=line.pickup_location_id or origin,
        variant_id=line.variant_id,
    )


def demand(assignments: Sequence[Assignment]) -> Mapping[uuid.UUID, int]:
    """Units by inventory record, summed over all lines, in the order of the keys: the order in which they
    are locked.
    """
    units: dict[uuid.UUID, int] = {}
    for item in assignments:
        if item.record_key is not None:
            units[item.record_key] = units.get(item.record_key, 0) + item.quantity
    return dict(sorted(units.items()))
