"""New homes for units that leave a supplier order: they join what their new supplier has already, or make a new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from libs.json_value import JsonObject
from services.fulfillment.domain.sourcing.model import Assignment, Costs, Line, Stock
from services.fulfillment.domain.stock.ledger import Cause, Movement, allocating
from services.fulfillment.domain.supplier_orders.actions.cancel import giving_back
from services.fulfillment.domain.supplier_orders.actions.change import Change, NewKey, settled, touched
from services.fulfillment.domain.supplier_orders.actions.deliver import Delivery
from services.fulfillment.domain.supplier_orders.actions.place import from_share
from services.fulfillment.domain.supplier_orders.answer_time import SELLER, unclaimed
from services.fulfillment.domain.supplier_orders.costs import costed
from services.fulfillment.domain.supplier_orders.snapshot import allocation
from services.fulfillment.domain.supplier_orders.splitting import Part, Share, partition
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus
from services.fulfillment.domain.supplier_orders.supplier_order import (
    Allocation,
    OrderLine,
    ShipSelection,
    SupplierOrder,
    next_number,
)


@dataclass(frozen=True, slots=True)
class Leaving:
    """Units that leave a supplier order, and where they may go."""

    left: SupplierOrder
    """As it was before."""
    units: SupplierOrder
    """The part of it that leaves, with its amounts."""
    orders: Sequence[SupplierOrder]
    """All supplier orders of the order."""
    stocks: Sequence[Stock]
    """The stock that homes are found in, locked, as it is before the units leave."""
    cause: Cause
    order_xp: JsonObject
    """The buyer order's, which a new supplier order of the seller starts with."""
    costs: Costs = field(default_factory=dict)
    """What each supplier is paid for each line."""

    def freed(self) -> list[Movement]:
        """What it does to stock that they leave."""
        return [m for line in self.units.lines for m in giving_back(line, self.cause)]


def housed(
    leaving: Leaving, found: Iterable[Assignment], new_key: NewKey, now: datetime, demand: Mapping[str, Line] | None = None
) -> Change:
    """Gives the units to the suppliers that were found for them; what was found nothing for is the seller's, with a visible
    shortage. Amounts go with the units. What needs no shipment is delivered as far as it is on hand.

    `demand`: the order's lines as they were sourced, where the seller gets what nobody took; None where it was chosen.
    """
    shares = partition(leaving.units, _parts(leaving.units, found, new_key))
    joined: list[SupplierOrder] = []
    made: list[SupplierOrder] = []
    number = next_number(leaving.orders)
    for share in shares:
        target = joinable(leaving.orders, leaving.left, share.supplier_id)
        left = demand is not None and share.supplier_id == SELLER and unclaimed(share.lines, demand)
        if target is not None:
            joined.append(_join(replace(touched(target, now), unclaimed=target.unclaimed or left), share))
        else:
            new = from_share(leaving.left, leaving.order_xp, share, number + len(made), new_key, now)
            made.append(replace(new, unclaimed=left))
    delivery = Delivery(leaving.stocks)
    homes = [settled(costed(o, leaving.costs), now) for o in delivery.of((*joined, *made))]
    return Change(
        changed=tuple(homes[: len(joined)]),
        created=tuple(homes[len(joined) :]),
        movements=(*leaving.freed(), *_taking(shares, leaving.cause), *delivery.movements),
    )


def for_suppliers(line: Line, suppliers: Sequence[str], quantity: int) -> Line:
    """The line for these suppliers only. The record once asked for no longer binds: it was another supplier's."""
    return replace(
        line,
        quantity=quantity,
        default_supplier_id=suppliers[0] if suppliers else line.default_supplier_id,
        supplier_ids=tuple(suppliers),
        inventory_record_id="",
    )


def joinable(orders: Iterable[SupplierOrder], left: SupplierOrder, supplier_id: str) -> SupplierOrder | None:
    """The supplier order of the supplier that units which leave another one can join."""
    live = (SupplierOrderStatus.OPEN, SupplierOrderStatus.ACCEPTED)
    return next(
        (o for o in orders if o.key != left.key and o.supplier_id == supplier_id and o.status in live and not o.moved), None
    )


def _parts(order: SupplierOrder, found: Iterable[Assignment], new_key: NewKey) -> list[Part]:
    """New homes as parts; what has none is the seller's, without an allocation."""
    units: dict[str, dict[str, int]] = {}
    held: dict[str, dict[str, tuple[Allocation, ...]]] = {}
    placed: dict[str, int] = {}
    for item in found:
        line_id = item.line_item_id
        placed[line_id] = placed.get(line_id, 0) + item.quantity
        mine = units.setdefault(item.supplier_id, {})
        mine[line_id] = mine.get(line_id, 0) + item.quantity
        kept = held.setdefault(item.supplier_id, {})
        kept[line_id] = (*kept.get(line_id, ()), allocation(item, new_key()))
    for line in order.lines:
        rest = line.quantity - placed.get(line.line_item_id, 0)
        if rest:
            mine = units.setdefault(SELLER, {})
            mine[line.line_item_id] = mine.get(line.line_item_id, 0) + rest
    return [Part(supplier, mine, held.get(supplier, {})) for supplier, mine in units.items()]


def _join(target: SupplierOrder, share: Share) -> SupplierOrder:
    lines = {line.line_item_id: line for line in target.lines}
    for piece in share.lines:
        mine = lines.get(piece.line_item_id)
        lines[piece.line_item_id] = piece if mine is None else _merged(mine, piece)
    return replace(
        target,
        lines=tuple(sorted(lines.values(), key=lambda line: line.position)),
        subtotal=target.subtotal + share.subtotal,
        discount=target.discount + share.discount,
        shipping_cost=target.shipping_cost + share.shipping_cost,
        tax=target.tax + share.tax,
        selections=_joined_selections(target.selections, share.selections),
    )


def _merged(mine: OrderLine, piece: OrderLine) -> OrderLine:
    return replace(
        mine,
        quantity=mine.quantity + piece.quantity,
        shipped=mine.shipped + piece.shipped,
        subtotal=mine.subtotal + piece.subtotal,
        discount=mine.discount + piece.discount,
        tax=mine.tax + piece.tax,
        included_tax=mine.included_tax + piece.included_tax,
        allocations=(*mine.allocations, *piece.allocations),
    )


def _joined_selections(mine: Sequence[ShipSelection], theirs: Sequence[ShipSelection]) -> tuple[ShipSelection, ...]:
    """One entry an estimate."""
    by_estimate = {s.ship_estimate_id: s for s in mine}
    for s in theirs:
        known = by_estimate.get(s.ship_estimate_id)
        by_estimate[s.ship_estimate_id] = s if known is None else _merged_selection(known, s)
    return tuple(by_estimate.values())


def _merged_selection(mine: ShipSelection, piece: ShipSelection) -> ShipSelection:
    return replace(
        mine,
        cost=mine.cost + piece.cost,
        tax=mine.tax + piece.tax,
        included_tax=mine.included_tax + piece.included_tax,
        items=(*mine.items, *piece.items),
    )


def _taking(shares: Iterable[Share], cause: Cause) -> Iterable[Movement]:
    for share in shares:
        for line in share.lines:
            for a in line.allocations:
                if a.record_key is not None:
                    yield allocating(a.record_key, a.quantity, line.line_item_id, cause, held=False)
