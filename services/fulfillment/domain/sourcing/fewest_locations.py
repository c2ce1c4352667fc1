"""Few locations that serve all lines of an order together: as few parcels as can be found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush

from services.fulfillment.domain.sourcing.candidates import Candidates
from services.fulfillment.domain.sourcing.model import Line, Stock

Location = tuple[str, str]
"""Supplier and address id: what one parcel leaves from."""


def fewest_locations(lines: Sequence[Line], found: Candidates) -> Mapping[Location, int]:
    """Few locations that serve all lines together, in the order in which they were chosen.

    Greedy set cover: the location that can serve most of the units still open comes next; ties go to the
    better priority, then to the ids. Finding the true minimum is NP-hard; greedy stays within a factor of
    ln(lines).

    What a location can serve only shrinks while others are chosen, so what was counted before is a bound: a location
    is counted again when it would come next, not all of them for every choice.
    """
    open_units = {line.line_item_id: line.quantity for line in lines if found[line.line_item_id]}
    here: dict[Location, list[tuple[str, Stock]]] = {}
    for line in lines:
        for stock in found[line.line_item_id]:
            here.setdefault((stock.supplier_id, stock.location_id), []).append((line.line_item_id, stock))
    best_priority = {place: min(s.priority for _, s in offers) for place, offers in here.items()}
    chosen: dict[Location, int] = {}
    waiting = [(-sum(covered(offers, open_units).values()), best_priority[place], place) for place, offers in here.items()]
    heapify(waiting)
    while open_units and waiting:
        _, priority, place = heappop(waiting)
        cover = covered(here[place], open_units)
        if not cover:
            continue
        counted = (-sum(cover.values()), priority, place)
        if waiting and waiting[0] < counted:
            heappush(waiting, counted)
            continue
        chosen[place] = len(chosen)
        for line_id, units in cover.items():
            open_units[line_id] -= units
            if not open_units[line_id]:
                del open_units[line_id]
    return chosen


def covered(offers: Sequence[tuple[str, Stock]], open_units: Mapping[str, int]) -> dict[str, int]:
    """Units of every line that one location could serve, no unit counted twice."""
    left: dict[str, int] = {}
    served: dict[str, int] = {}
    for line_id, stock in offers:
        wanted = open_units.get(line_id, 0) - served.get(line_id, 0)
        if wanted <= 0:
            continue
        excess = stock.backorderable
        rest = left.get(stock.id, max(0, stock.available) + (excess or 0))
        units = wanted if excess is None else min(wanted, rest)
        if units > 0:
            left[stock.id] = rest - units
            served[line_id] = served.get(line_id, 0) + units
    return served
