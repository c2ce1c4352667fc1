"""The supplier's answer: accept, or reject with new sourcing for its units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from libs.errors import precondition
from libs.json_value import JsonObject
from services.fulfillment.domain.sourcing.assign import uncounted
from services.fulfillment.domain.sourcing.model import Assignment, Costs, Line, Ranking, Stock
from services.fulfillment.domain.sourcing.pipeline import source
from services.fulfillment.domain.stock.ledger import Cause, summed_by_record
from services.fulfillment.domain.supplier_orders.actions.change import Change, NewKey, moved_away, settled, touched
from services.fulfillment.domain.supplier_orders.actions.new_homes import Leaving, for_suppliers, housed
from services.fulfillment.domain.supplier_orders.actions.part import parted
from services.fulfillment.domain.supplier_orders.answer_time import SELLER
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus, Trigger, move
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder
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
    ranking: Ranking
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
    kept, units = parted(order)
    leaving = Leaving(order, units, rejection.orders, rejection.stocks, rejection.cause, rejection.order_xp, rejection.costs)
    homes = housed(leaving, _source_again(rejection, leaving), new_key, now, rejection.demand)
    if any(line.quantity for line in kept.lines):
        rest = replace(touched(kept, now), reject_time=now, reject_comment=rejection.comment)
        gone = settled(rest, now)
    else:
        gone = replace(moved_away(order, now), status=status, reject_time=now, reject_comment=rejection.comment)
    return replace(homes, changed=(gone, *homes.changed))


def _source_again(rejection: Rejection, leaving: Leaving) -> list[Assignment]:
    """New homes for the units, as far as there are any: first at allowed suppliers, then in the seller's
    own stock.
    """
    refused = {o.supplier_id for o in rejection.orders if o.reject_time is not None}
    refused.add(rejection.rejected.supplier_id)
    back = summed_by_record(leaving.freed())
    stocks = [
        replace(s, on_hand=s.on_hand + back[s.key].on_hand, allocated=s.allocated + back[s.key].allocated) if s.key in back else s
        for s in rejection.stocks
    ]
    wanted = [
        replace(rejection.demand[line.line_item_id], quantity=line.quantity)
        for line in leaving.units.lines
        if line.line_item_id in rejection.demand
    ]
    first: list[Assignment] = []
    counted: list[Line] = []
    for line in wanted:
        suppliers = [s for s in (line.default_supplier_id, *line.supplier_ids) if s not in refused]
        if not line.track_inventory:
            first.append(uncounted(line, suppliers[0] if suppliers else SELLER))
        else:
            counted.append(for_suppliers(line, suppliers, line.quantity))
    usable = [s for s in stocks if s.supplier_id not in refused]
    outcome = source(rejection.ranking, [c for c in counted if c.supplier_ids], usable)
    first.extend(outcome.assignments)
    placed: dict[str, int] = {}
    for item in first:
        placed[item.line_item_id] = placed.get(item.line_item_id, 0) + item.quantity
    short = [
        for_suppliers(c, [SELLER], c.quantity - placed.get(c.line_item_id, 0))
        for c in counted
        if placed.get(c.line_item_id, 0) < c.quantity
    ]
    if SELLER in refused or not short:
        return first
    left = _after(usable, outcome.assignments)
    return first + list(source(rejection.ranking, short, left).assignments)


def _after(stocks: Iterable[Stock], taken: Iterable[Assignment]) -> list[Stock]:
    units: dict[object, int] = {}
    for item in taken:
        units[item.record_key] = units.get(item.record_key, 0) + item.quantity
    return [replace(s, allocated=s.allocated + units.get(s.key, 0)) for s in stocks]
