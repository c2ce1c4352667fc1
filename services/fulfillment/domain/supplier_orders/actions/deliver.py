"""Delivery of what needs no shipment: its units leave as soon as they are there, at the confirm or when stock comes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace

from services.fulfillment.domain.sourcing.model import Stock
from services.fulfillment.domain.stock.ledger import Cause, Movement, shipping
from services.fulfillment.domain.supplier_orders.status import TRANSITIONS, Trigger
from services.fulfillment.domain.supplier_orders.supplier_order import Allocation, OrderLine, SupplierOrder


class Delivery:
    """Gives out what is on hand: later supplier orders see what earlier ones took.

    `stocks` are locked. A record that is not among them has nothing to give.
    """

    def __init__(self, stocks: Iterable[Stock]) -> None:
        self._there: dict[uuid.UUID, int | None] = {s.key: None if s.uncounted else s.on_hand for s in stocks}
        self.movements: list[Movement] = []

    def of(self, orders: Sequence[SupplierOrder]) -> tuple[SupplierOrder, ...]:
        """The supplier orders with all delivered that can be; one of which nothing can is the same object.

        What is frozen or on hold waits, and so do units that are not on hand: they stay open, as a shortage. The caller
        settles statuses.
        """
        return tuple(self._one(o) for o in orders)

    def _one(self, order: SupplierOrder) -> SupplierOrder:
        if order.held or (order.status, Trigger.SHIP) not in TRANSITIONS:
            return order
        lines = tuple(self._line(line, Cause(order.order_key)) for line in order.lines)
        changed = any(new is not old for new, old in zip(lines, order.lines, strict=True))
        return replace(order, lines=lines) if changed else order

    def _line(self, line: OrderLine, cause: Cause) -> OrderLine:
        if line.shippable:
            return line
        allocations = tuple(self._allocation(a, line.line_item_id, cause) for a in line.allocations)
        given = sum(a.shipped for a in allocations) - sum(a.shipped for a in line.allocations)
        return replace(line, shipped=line.shipped + given, allocations=allocations) if given else line

    def _allocation(self, a: Allocation, line_item_id: str, cause: Cause) -> Allocation:
        units = self._take(a.record_key, a.unpacked)
        if not units:
            return a
        if a.record_key is not None:
            self.movements.append(shipping(a.record_key, units, line_item_id, cause))
        return replace(a, shipped=a.shipped + units)

    def _take(self, record_key: uuid.UUID | None, wanted: int) -> int:
        """Units that can be had of a record; stock that is not counted is always there."""
        if record_key is None:
            return wanted
        there = self._there.get(record_key, 0)
        if there is None:
            return wanted
        units = max(0, min(wanted, there))
        self._there[record_key] = there - units
        return units
