"""The supplier's answer: accept, or reject with new sourcing for its units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from libs.errors import precondition
from libs.json_value import JsonObject
from services.fulfillment.domain.sourcing.assign import uncounted
from services.fulfillment.domain.sourcing.model import Assignment, Costs, Line, Stock, Strategy
from services.fulfillment.domain.sourcing.pipeline import source
from services.fulfillment.domain.stock.ledger import Cause, Movement, allocating, summed_by_record
from services.fulfillment.domain.supplier_orders.actions.cancel import giving_back
from services.fulfillment.domain.supplier_orders.actions.change import Change, NewKey, moved_away, settled, touched
from services.fulfillment.domain.supplier_orders.actions.deliver import Delivery
from services.fulfillment.domain.supplier_orders.actions.part import parted
from services.fulfillment.domain.supplier_orders.actions.place import from_share
from services.fulfillment.domain.supplier_orders.answer_time import SELLER, unclaimed
from services.fulfillment.domain.supplier_orders.costs import costed
from services.fulfillment.domain.supplier_orders.snapshot import allocation
from services.fulfillment.domain.supplier_orders.splitting import Part, Share, partition
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus, Trigger, move
from services.fulfillment.domain.supplier_orders.supplier_order import (
    Allocation,
    OrderLine,
    ShipSelection,
    SupplierOrder,
    next_number,
)
from waybill.fulfillment.v1 import reasons


def accept(order: SupplierOrder, now: datetime) -> SupplierOrder:
    """From OPEN to ACCEPTED; an accepted one stays as it is, unless units that no supplier took have joined it. Raises
    SUPPLIER_ORDER_STATUS_CONFLICT.
    """
    status = move(order.id, order.status, Trigger.ACCEPT)
    if status is order.status and not order.unclaimed:
        return order
    return replace(touched(order, now), status=status, accept_time=order.accept_time or now, unclaimed=False)


@dataclass(frozen=True, slots=True)
class Rejection:
    """What the rejecting supplier said, and what sourcing again needs."""

    rejected: SupplierOrder
    comment: str
    orders: Sequence[SupplierOrder]
    """All supplier orders of the order."""
    demand: Mapping[str, Line]
    """The order's lines as they were sourced, by line id."""
    stocks: Sequence[Stock]
    """All stock of the products, locked, as it is before the rejection."""
    strategy: Strategy
    cause: Cause
    order_xp: JsonObject
    """The buyer order's, which a new supplier order starts with."""
    costs: Costs = field(default_factory=dict)


def check_rejectable(order: SupplierOrder) -> SupplierOrderStatus:
    """The status after all its units have left it; raises SUPPLIER_ORDER_STATUS_CONFLICT. The implicit one is forwarded
    instead, and of one that is packed whole nothing is left to reject.
    """
    status = move(order.id, order.status, Trigger.REJECT)
    if not any(line.unpacked for line in order.lines):
        raise precondition(
            reasons.SUPPLIER_ORDER_STATUS_CONFLICT,
            f"Every unit of supplier order {order.id} is packed: take it out of its shipment first.",
            supplier_order=order.id,
            status=order.status.value,
        )
    if order.implicit:
        raise precondition(
            reasons.SUPPLIER_ORDER_STATUS_CONFLICT,
            f"Supplier order {order.id} is the seller's own of an order that was not forwarded.",
            supplier_order=order.id,
            status=order.status.value,
        )
    return status


def reject(rejection: Rejection, new_key: NewKey, now: datetime) -> Change:
    """From OPEN or ACCEPTED to REJECTED: units are sourced again at the other allowed suppliers.

    What is packed or has left stays, and then the supplier order with it: what is open on no shipment leaves it, and its
    status is what its quantities make. What no one can take comes to the seller: from its own stock where there
    is some, else with a visible shortage. Units join an OPEN or ACCEPTED supplier order of the new supplier, or make
    a new one; amounts go with the units.
    """
    order = rejection.rejected
    status = check_rejectable(order)
    kept, leaving = parted(order)
    freed = [m for line in leaving.lines for m in giving_back(line, rejection.cause)]
    found = _source_again(rejection, leaving, freed)
    shares = partition(leaving, _parts(leaving, found, new_key))
    if any(line.quantity for line in kept.lines):
        rest = replace(touched(kept, now), reject_time=now, reject_comment=rejection.comment)
        gone = settled(rest, now)
    else:
        gone = replace(moved_away(order, now), status=status, reject_time=now, reject_comment=rejection.comment)
    joined: list[SupplierOrder] = []
    made: list[SupplierOrder] = []
    number = next_number(rejection.orders)
    for share in shares:
        target = _joinable(rejection.orders, order, share.supplier_id)
        left = share.supplier_id == SELLER and unclaimed(share.lines, rejection.demand)
        if target is not None:
            joined.append(_join(replace(touched(target, now), unclaimed=target.unclaimed or left), share))
        else:
            new = from_share(order, rejection.order_xp, share, number + len(made), new_key, now)
            made.append(replace(new, unclaimed=left))
    delivery = Delivery(rejection.stocks)
    homes = [settled(costed(o, rejection.costs), now) for o in delivery.of((*joined, *made))]
    return Change(
        changed=(gone, *homes[: len(joined)]),
        created=tuple(homes[len(joined) :]),
        movements=(*freed, *_taking(shares, rejection.cause), *delivery.movements),
    )


def _source_again(rejection: Rejection, leaving: SupplierOrder, freed: Sequence[Movement]) -> list[Assignment]:
    """New homes for the units, as far as there are any: first at allowed suppliers, then in the seller's
    own stock.
    """
    refused = {o.supplier_id for o in rejection.orders if o.reject_time is not None}
    refused.add(rejection.rejected.supplier_id)
    back = summed_by_record(freed)
    stocks = [
        replace(s, on_hand=s.on_hand + back[s.key].on_hand, allocated=s.allocated + back[s.key].allocated) if s.key in back else s
        for s in rejection.stocks
    ]
    wanted = [
        replace(rejection.demand[line.line_item_id], quantity=line.quantity)
        for line in leaving.lines
        if line.line_item_id in rejection.demand
    ]
    first: list[Assignment] = []
    counted: list[Line] = []
    for line in wanted:
        suppliers = [s for s in (line.default_supplier_id, *line.supplier_ids) if s not in refused]
        if not line.track_inventory:
            first.append(uncounted(line, suppliers[0] if suppliers else SELLER))
        else:
            counted.append(_for_suppliers(line, suppliers, line.quantity))
    usable = [s for s in stocks if s.supplier_id not in refused]
    outcome = source(rejection.strategy, [c for c in counted if c.supplier_ids], usable)
    first.extend(outcome.assignments)
    placed: dict[str, int] = {}
    for item in first:
        placed[item.line_item_id] = placed.get(item.line_item_id, 0) + item.quantity
    short = [
        _for_suppliers(c, [SELLER], c.quantity - placed.get(c.line_item_id, 0))
        for c in counted
        if placed.get(c.line_item_id, 0) < c.quantity
    ]
    if SELLER in refused or not short:
        return first
    left = _after(usable, outcome.assignments)
    return first + list(source(rejection.strategy, short, left).assignments)


def _for_suppliers(line: Line, suppliers: Sequence[str], quantity: int) -> Line:
    """The line for these suppliers only. The record once asked for no longer binds: its supplier said no."""
    return replace(
        line,
        quantity=quantity,
        default_supplier_id=suppliers[0] if suppliers else line.default_supplier_id,
        supplier_ids=tuple(suppliers),
        inventory_record_id="",
    )


def _after(stocks: Iterable[Stock], taken: Iterable[Assignment]) -> list[Stock]:
    units: dict[object, int] = {}
    for item in taken:
        units[item.record_key] = units.get(item.record_key, 0) + item.quantity
    return [replace(s, allocated=s.allocated + units.get(s.key, 0)) for s in stocks]


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


def _joinable(orders: Iterable[SupplierOrder], rejected: SupplierOrder, supplier_id: str) -> SupplierOrder | None:
    live = (SupplierOrderStatus.OPEN, SupplierOrderStatus.ACCEPTED)
    return next(
        (o for o in orders if o.key != rejected.key and o.supplier_id == supplier_id and o.status in live and not o.moved), None
    )


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
