"""Splitting: a partition of one supplier order's units and amounts between several. Pure.

The order as it was submitted is first made one supplier order of the seller; forwarding partitions that
one, and so does a rejection with the rejected one. Every unit of every line ends in exactly one part, and
every amount is apportioned by largest remainder at the currency's minor unit, so that the parts add up to
the whole to the cent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from libs.money import apportion, minor_unit
from services.fulfillment.domain.supplier_orders.supplier_order import (
    Allocation,
    OrderLine,
    SelectionItem,
    ShipSelection,
    SupplierOrder,
)


@dataclass(frozen=True, slots=True)
class Part:
    """The units that one supplier gets: quantity and allocations by line id."""

    supplier_id: str
    units: Mapping[str, int]
    allocations: Mapping[str, tuple[Allocation, ...]]


@dataclass(frozen=True, slots=True)
class Share:
    """What one part is worth: its lines with their amounts, and its header amounts."""

    supplier_id: str
    lines: tuple[OrderLine, ...]
    subtotal: int
    discount: int
    shipping_cost: int
    tax: int
    selections: tuple[ShipSelection, ...]


def parts_by_supplier(lines: Sequence[OrderLine]) -> list[Part]:
    """One part for each supplier whose stock is allocated, in the order of its first line.

    Units that nothing is allocated for go to the seller (the empty id).
    """
    units: dict[str, dict[str, int]] = {}
    taken: dict[str, dict[str, tuple[Allocation, ...]]] = {}
    for line in lines:
        for allocation in line.allocations:
            mine = units.setdefault(allocation.supplier_id, {})
            mine[line.line_item_id] = mine.get(line.line_item_id, 0) + allocation.quantity
            held = taken.setdefault(allocation.supplier_id, {})
            held[line.line_item_id] = (*held.get(line.line_item_id, ()), allocation)
        if line.unallocated:
            mine = units.setdefault("", {})
            mine[line.line_item_id] = mine.get(line.line_item_id, 0) + line.unallocated
    return [Part(supplier, mine, taken.get(supplier, {})) for supplier, mine in units.items()]


def partition(whole: SupplierOrder, parts: Sequence[Part]) -> list[Share]:
    """Divides lines and amounts between the parts. Their units must be exactly those of the whole.

    Net, discount, tax and included tax of a line go by quantity, and its subtotal is net plus discount; the cost of an estimate
    goes by the quantities in it; shipping cost and tax of the header follow these parts, and go by subtotal where
    there is nothing to follow. No amount of a part is below zero, no discount above its subtotal, and
    no included tax above the net that it is in.

    Raises ValueError when the parts are no partition.
    """
    _check(whole, parts)
    unit = minor_unit(whole.currency)
    lines: list[list[OrderLine]] = [[] for _ in parts]
    for line in whole.lines:
        for index, piece in _pieces(line, parts, unit):
            lines[index].append(piece)
    selections: list[list[ShipSelection]] = [[] for _ in parts]
    for selection, owned in zip(whole.selections, items_by_part(whole.selections, parts), strict=True):
        for index, piece_of in _selection_pieces(selection, owned, unit):
            selections[index].append(piece_of)
    subtotals = [sum(line.subtotal for line in mine) for mine in lines]
    weights = by_goods(lines)
    shipping = follow_parts(whole.shipping_cost, [sum(s.cost for s in mine) for mine in selections], weights, unit)
    taxes = [sum(line.tax for line in mine) + sum(s.tax for s in chosen) for mine, chosen in zip(lines, selections, strict=True)]
    tax = follow_parts(whole.tax, taxes, weights, unit)
    return [
        Share(
            supplier_id=part.supplier_id,
            lines=tuple(lines[i]),
            subtotal=subtotals[i],
            discount=sum(line.discount for line in lines[i]),
            shipping_cost=shipping[i],
            tax=tax[i],
            selections=tuple(selections[i]),
        )
        for i, part in enumerate(parts)
    ]


def by_goods(parts: Iterable[Sequence[OrderLine]]) -> list[int]:
    """How much of an order's freight each part is: by subtotal, and by units where everything is free, so that a part without a
    unit never keeps an amount. Once a unit that it is for has left it is due, and stays with the parts of which one has.
    """
    mine = [list(lines) for lines in parts]
    weighed = freighted(line for lines in mine for line in lines)
    due = [any(line.shipped for line in lines if line.line_item_id in weighed) for lines in mine]
    bearing = [lines if here or not any(due) else [] for lines, here in zip(mine, due, strict=True)]
    counted = [(sum(x.subtotal for x in lines if x.line_item_id in weighed), units_of(lines, weighed)) for lines in bearing]
    free = not any(subtotal for subtotal, _ in counted)
    return [units if free else subtotal for subtotal, units in counted]


def freighted(lines: Iterable[OrderLine]) -> frozenset[str]:
    """Ids of the lines that freight without an estimate is for: those that are shipped; all, where none is."""
    held = [line for line in lines if line.quantity]
    return frozenset(line.line_item_id for line in held if line.shippable) or frozenset(line.line_item_id for line in held)


def units_of(lines: Iterable[OrderLine], ids: Collection[str]) -> int:
    """Units of some lines."""
    return sum(line.quantity for line in lines if line.line_item_id in ids)


def follow_parts(total: int, parts: Sequence[int], weights: Sequence[int], unit: int) -> tuple[int, ...]:
    """The parts themselves, with what the total has beyond them (freight that no method was chosen for, and its tax) by
    weight. A total below its parts is shared in proportion to them, so that none turns negative.
    """
    rest = total - sum(parts)
    if rest < 0:
        return apportion(total, parts, unit)
    return tuple(part + more for part, more in zip(parts, apportion(rest, weights, unit), strict=True))


def _check(whole: SupplierOrder, parts: Iterable[Part]) -> None:
    units: dict[str, int] = {}
    for part in parts:
        for line_id, quantity in part.units.items():
            units[line_id] = units.get(line_id, 0) + quantity
    expected = {line.line_item_id: line.quantity for line in whole.lines if line.quantity}
    if units != expected:
        raise ValueError(f"the parts of {whole.id} are no partition of its units")


def _pieces(line: OrderLine, parts: Sequence[Part], unit: int) -> Iterable[tuple[int, OrderLine]]:
    owners = [(i, part) for i, part in enumerate(parts) if part.units.get(line.line_item_id)]
    if not owners:
        return
    weights = [part.units[line.line_item_id] for _, part in owners]
    # Net and discount are split and the gross is their sum: subtotal and discount split apart could give a part more
    # discount than subtotal, since each rounds for itself. So are the tax that the net includes and the rest of it.
    amounts = zip(
        apportion(line.subtotal - line.discount - line.included_tax, weights, unit),
        apportion(line.discount, weights, unit),
        apportion(line.tax, weights, unit),
        apportion(line.included_tax, weights, unit),
        strict=True,
    )
    for (index, part), (rest, discount, tax, included) in zip(owners, amounts, strict=True):
        quantity = part.units[line.line_item_id]
        yield (
            index,
            replace(
                line,
                quantity=quantity,
                # What needs no shipment may have been delivered from its stock; of what does, nothing has left.
                shipped=sum(a.shipped for a in part.allocations.get(line.line_item_id, ())),
                packed=0,
                canceled=0,
                # What its supplier is paid is said by whoever makes a supplier order of the part.
                unit_cost=None,
                subtotal=rest + included + discount,
                discount=discount,
                tax=tax,
                included_tax=included,
                allocations=part.allocations.get(line.line_item_id, ()),
            ),
        )


def items_by_part(selections: Sequence[ShipSelection], parts: Sequence[Part]) -> list[list[list[SelectionItem]]]:
    """For every estimate and part, the units of the estimate that the part holds.

    An item goes to the part of the supplier that it was estimated from; what does not fit there goes to
    whoever holds units of the line that no other item has taken, so that after a move the cost still
    follows the goods.
    """
    left: list[dict[str, int]] = [dict(part.units) for part in parts]
    owned: list[list[list[SelectionItem]]] = [[[] for _ in parts] for _ in selections]

    def give(which: int, index: int, item: SelectionItem, quantity: int) -> int:
        units = min(quantity, left[index].get(item.line_item_id, 0))
        if units:
            left[index][item.line_item_id] -= units
            owned[which][index].append(SelectionItem(item.line_item_id, units, parts[index].supplier_id))
        return quantity - units

    index_of = {part.supplier_id: i for i, part in enumerate(parts)}
    rest: list[tuple[int, SelectionItem, int]] = []
    for which, selection in enumerate(selections):
        for item in selection.items:
            home = index_of.get(item.supplier_id)
            open_units = item.quantity if home is None else give(which, home, item, item.quantity)
            if open_units:
                rest.append((which, item, open_units))
    for which, item, open_units in rest:
        for index in range(len(parts)):
            open_units = give(which, index, item, open_units)
    return owned


def _selection_pieces(
    selection: ShipSelection, owned: Sequence[Sequence[SelectionItem]], unit: int
) -> Iterable[tuple[int, ShipSelection]]:
    holders = [i for i, items in enumerate(owned) if items]
    if not holders:
        # An estimate on nothing that is here: the first part keeps it, so that no amount is lost.
        yield 0, selection
        return
    weights = [sum(item.quantity for item in owned[i]) for i in holders]
    rests = apportion(selection.cost - selection.included_tax, weights, unit)
    taxes = apportion(selection.tax, weights, unit)
    included = apportion(selection.included_tax, weights, unit)
    for index, rest, tax, inside in zip(holders, rests, taxes, included, strict=True):
        yield index, replace(selection, cost=rest + inside, tax=tax, included_tax=inside, items=tuple(owned[index]))
