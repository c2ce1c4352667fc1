"""The seller moves units to another supplier by hand: what a rejection does, with a target that is named."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.fulfillment.domain.refusal import Refusal
from services.fulfillment.domain.sourcing.assign import uncounted
from services.fulfillment.domain.sourcing.model import Assignment, Line, Ranking
from services.fulfillment.domain.sourcing.pipeline import source
from services.fulfillment.domain.supplier_orders.actions.change import Change, NewKey, moved_away, settled, touched
from services.fulfillment.domain.supplier_orders.actions.new_homes import Leaving, for_suppliers, housed, joinable
from services.fulfillment.domain.supplier_orders.actions.part import parted
from services.fulfillment.domain.supplier_orders.answer_time import SELLER
from services.fulfillment.domain.supplier_orders.status import TRANSITIONS, SupplierOrderStatus, Trigger
from services.fulfillment.domain.supplier_orders.supplier_order import OrderLine, SupplierOrder, next_number
from waybill.fulfillment.v1 import reasons

MOVABLE = (SupplierOrderStatus.OPEN, SupplierOrderStatus.ACCEPTED)


@dataclass(frozen=True, slots=True)
class MovedUnits:
    """Units of a line that are to be moved; `field` is where they stand in the request."""

    field: str
    line_item_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be moved, where to, and what is needed to know whether it can be."""

    wanted: Sequence[MovedUnits]
    target: str
    """A supplier other than that of the supplier order, or the seller."""
    fulfilled: Collection[str]
    """Those of the products that the target may fulfill."""
    demand: Mapping[str, Line]
    """The order's lines as they were sourced, by line id."""
    ranking: Ranking


def home(orders: Sequence[SupplierOrder], order: SupplierOrder, target: str) -> str:
    """Id of the supplier order that units which leave one by hand will be in."""
    joined = joinable(orders, order, target)
    return f"{order.order_id}-{next_number(orders)}" if joined is None else joined.id


def check_move(order: SupplierOrder, move: Move) -> list[Refusal]:
    """All that stands against it, but for stock."""
    found: list[Refusal] = []
    if order.status not in MOVABLE or order.implicit:
        what = "is the seller's own of an order that was not forwarded" if order.implicit else f"is {order.status}"
        found.append(
            Refusal(
                "supplier_order_id",
                reasons.SUPPLIER_ORDER_STATUS_CONFLICT,
                f"Supplier order {order.id} {what}: nothing of it can be moved.",
                {"supplier_order": order.id, "status": order.status.value},
            )
        )
    if move.target == order.supplier_id:
        found.append(
            Refusal("supplier_id", reasons.FIELD_INVALID, f"supplier order {order.id} is that supplier's", {}, in_request=True)
        )
    lines = {line.line_item_id: line for line in order.lines}
    for wanted in move.wanted:
        found += _check_line(order, lines.get(wanted.line_item_id), move, wanted)
    return found


def _check_line(order: SupplierOrder, line: OrderLine | None, move: Move, wanted: MovedUnits) -> Iterator[Refusal]:
    if line is None:
        text = f"supplier order {order.id} has no line {wanted.line_item_id!r}"
        yield Refusal(f"{wanted.field}.line_item_id", reasons.LINE_NOT_ON_SUPPLIER_ORDER, text, {}, in_request=True)
        return
    if move.target != SELLER and line.product_id not in move.fulfilled:
        text = f"supplier {move.target!r} may not fulfill product {line.product_id!r}"
        yield Refusal(f"{wanted.field}.line_item_id", reasons.PRODUCT_NOT_FULFILLED, text, {}, in_request=True)
    if wanted.quantity > line.unpacked:
        yield Refusal(
            f"{wanted.field}.quantity",
            reasons.MOVE_EXCEEDS_OPEN,
            f"{line.unpacked} units of line {line.line_item_id} of {order.id} are open and on no shipment.",
            {"supplier_order": order.id, "line_item": line.line_item_id, "open": str(line.unpacked)},
        )


def placed(move: Move, leaving: Leaving) -> tuple[list[Assignment], list[Refusal]]:
    """Where the units come from at the target, and the lines that a supplier has too little of. What the seller has none of
    comes to it without stock.
    """
    here = [s for s in leaving.stocks if s.supplier_id == move.target]
    there = {line.line_item_id for line in leaving.left.lines}
    wanted = [w for w in move.wanted if w.line_item_id in there]
    lines = [replace(move.demand[w.line_item_id], quantity=w.quantity) for w in wanted if w.line_item_id in move.demand]
    counted = [for_suppliers(line, [move.target], line.quantity) for line in lines if line.track_inventory]
    found = [uncounted(line, move.target) for line in lines if not line.track_inventory]
    found += source(move.ranking, counted, here).assignments
    if move.target == SELLER:
        return found, []
    taken: dict[str, int] = {}
    for item in found:
        taken[item.line_item_id] = taken.get(item.line_item_id, 0) + item.quantity
    return found, [
        Refusal(
            f"{w.field}.quantity",
            reasons.TARGET_OUT_OF_STOCK,
            f"Supplier {move.target} lacks {w.quantity - taken.get(w.line_item_id, 0)} of {w.quantity} units.",
            {"line_item": w.line_item_id, "missing": str(w.quantity - taken.get(w.line_item_id, 0))},
        )
        for w in wanted
        if taken.get(w.line_item_id, 0) < w.quantity
    ]


def parting(order: SupplierOrder, move: Move) -> tuple[SupplierOrder, SupplierOrder]:
    """What the supplier order keeps, and what leaves it, once nothing stands against it."""
    return parted(order, {w.line_item_id: w.quantity for w in move.wanted})


def move_units(
    kept: SupplierOrder, leaving: Leaving, found: Sequence[Assignment], new_key: NewKey, now: datetime
) -> tuple[SupplierOrder, Change]:
    """The supplier order that the units have left, and what takes them."""
    homes = housed(leaving, found, new_key, now)
    order = leaving.left
    if any(line.quantity for line in kept.lines):
        return settled(touched(kept, now), now), homes
    status = SupplierOrderStatus(TRANSITIONS[order.status, Trigger.MOVE_UNITS])
    return replace(moved_away(order, now), status=status, cancel_time=now, unclaimed=False), homes
