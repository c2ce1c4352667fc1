"""A supplier order parted in two: what stays, be it packed or gone, and the open units that leave it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from libs.money import between, minor_unit
from services.fulfillment.domain.supplier_orders.actions.change import emptied
from services.fulfillment.domain.supplier_orders.splitting import follow_parts, freighted, units_of
from services.fulfillment.domain.supplier_orders.supplier_order import OrderLine, SelectionItem, ShipSelection, SupplierOrder


def parted(order: SupplierOrder, units: Mapping[str, int] | None = None) -> tuple[SupplierOrder, SupplierOrder]:
    """What it keeps, and what leaves it: every unit and amount is in exactly one of the two, and no part is below zero.

    `units` that leave, by line, of those that are open and on no shipment; None for all of them. Those that no stock is
    promised for leave first.
    A line keeps the cost of its units by position, those that stay at the front and canceled ones at the back.
    The cost of an estimate stays where a unit of it is kept, since it is due with the first shipment, and leaves
    with its units else. So does freight that no method was chosen for, which is for all that is shipped.
    """
    unit = minor_unit(order.currency)
    pairs = [
        _parted_line(line, line.unpacked if units is None else units.get(line.line_item_id, 0), unit) for line in order.lines
    ]
    kept, leaving = [k for k, _ in pairs], [gone for _, gone in pairs if gone.quantity]
    staying, going = _selections(order.selections, {line.line_item_id: line.quantity for line in kept})
    subtotals = [sum(line.subtotal for line in lines) for lines in (kept, leaving)]
    weights = [1, 0] if units_of(kept, freighted(order.lines)) else [0, 1]
    shipping = follow_parts(order.shipping_cost, [sum(s.cost for s in chosen) for chosen in (staying, going)], weights, unit)
    taxes = [
        sum(line.tax for line in lines) + sum(s.tax for s in chosen) for lines, chosen in ((kept, staying), (leaving, going))
    ]
    tax = follow_parts(order.tax, taxes, weights, unit)
    both = [
        replace(
            order,
            lines=tuple(lines),
            subtotal=subtotals[n],
            discount=sum(line.discount for line in lines),
            shipping_cost=shipping[n],
            tax=tax[n],
            selections=tuple(chosen),
        )
        for n, (lines, chosen) in enumerate(((kept, staying), (leaving, going)))
    ]
    return both[0], both[1]


def _parted_line(line: OrderLine, going: int, unit: int) -> tuple[OrderLine, OrderLine]:
    end = line.quantity - line.canceled
    front = end - going
    if front == end:
        return line, emptied(line)
    if going == line.quantity:
        return emptied(line), line
    discount = between(line.discount, line.quantity, front, end, unit)
    included = between(line.included_tax, line.quantity, front, end, unit)
    # The net as the tax that it includes and the rest, so that neither part has more of it than it has net.
    rest = between(line.subtotal - line.discount - line.included_tax, line.quantity, front, end, unit)
    subtotal = rest + included + discount
    tax = between(line.tax, line.quantity, front, end, unit)
    drawn = _drawn(line, going)
    kept = replace(
        line,
        quantity=line.quantity - going,
        subtotal=line.subtotal - subtotal,
        discount=line.discount - discount,
        tax=line.tax - tax,
        included_tax=line.included_tax - included,
        allocations=tuple(
            replace(a, quantity=a.quantity - n, backordered=a.waiting - min(n, a.waiting))
            for a, n in zip(line.allocations, drawn, strict=True)
            if a.quantity > n
        ),
    )
    leaving = replace(
        line,
        quantity=going,
        packed=0,
        shipped=0,
        canceled=0,
        subtotal=subtotal,
        discount=discount,
        tax=tax,
        included_tax=included,
        allocations=tuple(
            replace(a, quantity=n, packed=0, shipped=0, backordered=min(n, a.waiting))
            for a, n in zip(line.allocations, drawn, strict=True)
            if n
        ),
    )
    return kept, leaving


def _drawn(line: OrderLine, going: int) -> list[int]:
    """How many of the units that leave are taken out of each allocation, the last ones first."""
    wanted = max(0, going - (line.unpacked - sum(a.unpacked for a in line.allocations)))
    drawn: list[int] = []
    for a in reversed(line.allocations):
        drawn.append(min(a.unpacked, wanted))
        wanted -= drawn[-1]
    return drawn[::-1]


def _selections(selections: Sequence[ShipSelection], kept: dict[str, int]) -> tuple[list[ShipSelection], list[ShipSelection]]:
    """The estimates of both parts; of a line in several the earlier ones hold its kept units."""
    left = dict(kept)
    staying: list[ShipSelection] = []
    going: list[ShipSelection] = []
    for s in selections:
        here: list[SelectionItem] = []
        gone: list[SelectionItem] = []
        for item in s.items:
            units = min(item.quantity, left.get(item.line_item_id, 0))
            left[item.line_item_id] = left.get(item.line_item_id, 0) - units
            if units:
                here.append(replace(item, quantity=units))
            if item.quantity > units:
                gone.append(replace(item, quantity=item.quantity - units))
        if here:
            staying.append(replace(s, items=tuple(here)))
        if gone or not here:
            free = replace(s, cost=0, tax=0, included_tax=0) if here else s
            going.append(replace(free, items=tuple(gone)))
    return staying, going
