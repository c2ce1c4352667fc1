"""Packing and shipping: units of lines go on shipments, and leave with them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.fulfillment.domain.refusal import Refusal
from services.fulfillment.domain.shipments.shipment import Draw, ShipmentItem
from services.fulfillment.domain.sourcing.model import Address, Stock
from services.fulfillment.domain.stock.ledger import Cause, Movement, shipping
from services.fulfillment.domain.supplier_orders.actions.change import settled, touched
from services.fulfillment.domain.supplier_orders.status import TRANSITIONS, SupplierOrderStatus, Trigger
from services.fulfillment.domain.supplier_orders.supplier_order import Allocation, OrderLine, SupplierOrder
from waybill.fulfillment.v1 import reasons

LEEWAY = timedelta(days=1)
"""How far the times that callers give may be beyond what can be: they are copied from paper, and of other clocks."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units that a caller wants on a shipment; `field` is where they stand in the request."""

    field: str
    supplier_order_id: str
    line_item_id: str
    quantity: int
    record_id: str = ""


class Loading:
    """Supplier orders while units of theirs go on shipments: later items see what earlier ones took.

    Nothing is stored by it; `touched_orders` is the outcome once there is no refusal.
    """

    def __init__(self, orders: Iterable[SupplierOrder]) -> None:
        self._orders = {order.id: order for order in orders}
        self._lines = {(order.id, line.line_item_id): line for order in self._orders.values() for line in order.lines}
        self._used: dict[str, SupplierOrder] = {}
        self.refusals: list[Refusal] = []

    def pack(self, wanted: Sequence[Wanted], field: str, party: tuple[str, str] | None = None) -> tuple[ShipmentItem, ...]:
        """Puts units on one shipment; what cannot be is a refusal. `party` is its supplier and buyer, if it has them already."""
        known = [w for w in wanted if self._known(w)]
        orders = [self._orders[w.supplier_order_id] for w in known]
        if len({(o.supplier_id, o.buyer_id) for o in orders} | ({party} if party else set())) > 1:
            self._refuse(field, reasons.SHIPMENT_MIXED_PARTIES, "a shipment is of one supplier to one buyer", in_request=True)
        for order in {o.id: o for o in orders}.values():
            self.check_status(order, field)
        items = [self._pack_one(w, order) for w, order in zip(known, orders, strict=True)]
        return tuple(item for item in items if item is not None)

    def _known(self, wanted: Wanted) -> bool:
        if wanted.supplier_order_id not in self._orders:
            self._refuse(
                f"{wanted.field}.supplier_order_id",
                reasons.SUPPLIER_ORDER_NOT_FOUND,
                f"there is no supplier order {wanted.supplier_order_id!r}",
                in_request=True,
            )
            return False
        return True

    def check_cost(self, items: Sequence[ShipmentItem], currency: str, field: str) -> None:
        """Refuses a cost in another currency than that of the orders that it is for; none at all is fine."""
        for owed in sorted({self._orders[item.supplier_order_id].currency for item in items} - {currency}) if currency else ():
            self._refuse(field, reasons.CURRENCY_MISMATCH, f"must be in {owed}, not {currency}", in_request=True)

    def check_status(self, order: SupplierOrder, field: str) -> None:
        """Refuses when nothing of a supplier order may be packed or leave."""
        if (order.status, Trigger.SHIP) in TRANSITIONS:
            if order.held:
                self._refuse(
                    field,
                    reasons.SUPPLIER_ORDER_HELD,
                    f"Order {order.order_id} is on hold: nothing of supplier order {order.id} can be shipped.",
                    supplier_order=order.id,
                )
            return
        if order.status is SupplierOrderStatus.COMPLETED:
            return  # Nothing is open: each item says so itself.
        self._refuse(
            field,
            reasons.SUPPLIER_ORDER_STATUS_CONFLICT,
            f"Supplier order {order.id} is {order.status}: nothing can be shipped.",
            supplier_order=order.id,
            status=order.status.value,
        )

    def _pack_one(self, wanted: Wanted, order: SupplierOrder) -> ShipmentItem | None:
        place = (order.id, wanted.line_item_id)
        line = self._lines.get(place)
        if line is None:
            self._refuse(
                f"{wanted.field}.line_item_id",
                reasons.SHIPMENT_LINE_NOT_FOUND,
                f"supplier order {order.id} has no line {wanted.line_item_id!r}",
                in_request=True,
            )
            return None
        if not line.shippable and not line.packable:
            self._refuse(
                f"{wanted.field}.line_item_id",
                reasons.SHIPMENT_LINE_NOT_SHIPPABLE,
                f"line {line.line_item_id} needs no shipment: its units are delivered as soon as they are there",
                in_request=True,
            )
            return None
        if wanted.quantity > line.packable:
            self._refuse(
                f"{wanted.field}.quantity",
                reasons.SHIPMENT_EXCEEDS_OPEN,
                f"Line {line.line_item_id} of supplier order {order.id} has {line.packable} open units on no "
                f"other shipment, not {wanted.quantity}.",
                supplier_order=order.id,
                line_item=line.line_item_id,
                open=str(line.packable),
            )
            return None
        draws = draw(line, wanted.quantity, wanted.record_id)
        if draws is None:
            self._refuse(
                f"{wanted.field}.inventory_record_id",
                reasons.SHIPMENT_RECORD_NOT_ALLOCATED,
                f"Inventory record {wanted.record_id} does not hold {wanted.quantity} units for line "
                f"{line.line_item_id} of supplier order {order.id}.",
            )
            return None
        self._lines[place] = packed(line, draws)
        self._used[order.id] = order
        return ShipmentItem(
            supplier_order_key=order.key,
            supplier_order_id=order.id,
            order_key=order.order_key,
            order_id=order.order_id,
            user_id=order.user_id,
            line_item_id=line.line_item_id,
            product_id=line.product_id,
            variant_id=line.variant_id,
            quantity=wanted.quantity,
            record_id=wanted.record_id,
            draws=draws,
        )

    def unpack(self, before: Iterable[ShipmentItem], after: Iterable[ShipmentItem]) -> None:
        """Units of a shipment that has not left are on no shipment again, but for those that stay in it."""
        for items, sign in ((before, -1), (after, 1)):
            for item in items:
                order = self._orders[item.supplier_order_id]
                if order.status is SupplierOrderStatus.FROZEN:
                    self.check_status(order, "items")
                    return
                place = (order.id, item.line_item_id)
                self._lines[place] = _moved(self._lines[place], item.draws, packed=sign, shipped=0)
                self._used[order.id] = order

    def check_inside(self, wanted: Wanted, items: Iterable[ShipmentItem]) -> None:
        """Refuses to take out what a shipment does not hold."""
        place = (wanted.supplier_order_id, wanted.line_item_id)
        units = sum(i.quantity for i in items if (i.supplier_order_id, i.line_item_id) == place)
        if not units:
            text = f"the shipment holds nothing of line {wanted.line_item_id} of supplier order {wanted.supplier_order_id}"
            self._refuse(f"{wanted.field}.line_item_id", reasons.SHIPMENT_LINE_NOT_FOUND, text, in_request=True)
        elif wanted.quantity > units:
            text = f"the shipment holds {units} of them"
            self._refuse(f"{wanted.field}.quantity", reasons.VALUE_OUT_OF_RANGE, text, in_request=True)

    def leave(self, items: Iterable[ShipmentItem], shipment_id: str) -> list[Movement]:
        """Packed items leave: their units are shipped, and their stock goes out."""
        movements: list[Movement] = []
        for item in items:
            order = self._orders[item.supplier_order_id]
            place = (order.id, item.line_item_id)
            self._lines[place] = left(self._lines[place], item.draws)
            self._used[order.id] = order
            cause = Cause(item.order_key, shipment_id=shipment_id)
            movements.extend(
                shipping(d.record_key, d.quantity, item.line_item_id, cause) for d in item.draws if d.record_key is not None
            )
        return movements

    def check_leaving(self, items: Iterable[ShipmentItem], field: str) -> None:
        """Refuses when a supplier order of packed items may no longer ship, or its packed units were canceled since."""
        units: dict[tuple[str, str], int] = {}
        for item in items:
            place = (item.supplier_order_id, item.line_item_id)
            units[place] = units.get(place, 0) + item.quantity
        for order_id in dict.fromkeys(order_id for order_id, _ in units):
            self.check_status(self._orders[order_id], field)
        for (order_id, line_item_id), quantity in units.items():
            packed = self._lines[(order_id, line_item_id)].packed
            if packed < quantity:
                self._refuse(
                    field,
                    reasons.SHIPMENT_EXCEEDS_OPEN,
                    f"Line {line_item_id} of supplier order {order_id} has {packed} packed units, not {quantity}: "
                    "the others were canceled.",
                    supplier_order=order_id,
                    line_item=line_item_id,
                    open=str(packed),
                )

    def check_time(self, items: Iterable[ShipmentItem], ship_time: datetime, field: str) -> None:
        """Refuses a departure of before the units were ordered, with a day of leeway for clocks and books."""
        ordered = max((self._orders[item.supplier_order_id].create_time for item in items), default=None)
        if ordered is not None and ship_time < ordered - LEEWAY:
            self._refuse(
                field, reasons.VALUE_OUT_OF_RANGE, "lies more than a day before its supplier order was made", in_request=True
            )

    def check_stock(self, movements: Iterable[Movement], stocks: Iterable[Stock], fields: Mapping[str, str]) -> None:
        """Refuses units that are not there: the count says fewer, so it has to be corrected first.

        `fields` says where each shipment stands in the request; named is the one at which a record runs out.
        """
        known = {stock.key: stock for stock in stocks}
        out: dict[uuid.UUID, int] = {}
        short: dict[uuid.UUID, str] = {}
        for m in movements:
            out[m.record_key] = out.get(m.record_key, 0) - m.on_hand
            stock = known[m.record_key]
            if out[stock.key] > stock.on_hand and not stock.uncounted:
                short.setdefault(stock.key, fields[m.cause.shipment_id])
        for key, field in short.items():
            self._refuse(
                field,
                reasons.STOCK_SHORTAGE,
                f"Inventory record {known[key].id} has {known[key].on_hand} units on hand, not {out[key]}.",
                inventory_record=known[key].id,
            )

    def touched_orders(self, now: datetime) -> tuple[SupplierOrder, ...]:
        """The supplier orders as they are after all items: accepted by the first one, completed by the
        last.
        """
        return tuple(
            _accepted(
                replace(touched(order, now), lines=tuple(self._lines[(order.id, line.line_item_id)] for line in order.lines)), now
            )
            for order in self._used.values()
        )

    def _refuse(
        self, field: str, reason: reasons.ReasonName, description: str, in_request: bool = False, **metadata: str
    ) -> None:
        self.refusals.append(Refusal(field, reason, description, metadata, in_request))


def _accepted(order: SupplierOrder, now: datetime) -> SupplierOrder:
    return settled(replace(order, accept_time=order.accept_time or now), now)


def draw(line: OrderLine, quantity: int, record_id: str) -> tuple[Draw, ...] | None:
    """From which allocations units are taken: the named record's, or all in turn; then units without stock.

    None when the named record does not hold so many.
    """
    draws: list[Draw] = []
    wanted = quantity
    for a in line.allocations if line.shippable else ():
        if record_id and a.record_id != record_id:
            continue
        take = min(wanted, a.unpacked)
        if take:
            draws.append(Draw(a.key, a.record_key, take))
            wanted -= take
    if wanted and record_id:
        return None
    if wanted:
        draws.append(Draw(None, None, wanted))
    return tuple(draws)


def packed(line: OrderLine, draws: Iterable[Draw]) -> OrderLine:
    """The line with units on a shipment that has not left."""
    return _moved(line, draws, packed=1, shipped=0)


def left(line: OrderLine, draws: Iterable[Draw]) -> OrderLine:
    """The line with packed units shipped."""
    return _moved(line, draws, packed=-1, shipped=1)


def _moved(line: OrderLine, draws: Iterable[Draw], packed: int, shipped: int) -> OrderLine:
    units: dict[uuid.UUID | None, int] = {}
    for d in draws:
        units[d.allocation_key] = units.get(d.allocation_key, 0) + d.quantity
    total = sum(units.values())

    def after(a: Allocation) -> Allocation:
        n = units.get(a.key, 0)
        return replace(a, packed=a.packed + packed * n, shipped=a.shipped + shipped * n) if n else a

    return replace(
        line,
        packed=line.packed + packed * total,
        shipped=line.shipped + shipped * total,
        allocations=tuple(after(a) for a in line.allocations),
    )


def goes_to(given: Address | None, order: SupplierOrder, line_item_id: str) -> Address | None:
    """Where a shipment goes when its maker did not say: the first line's address, else the order's."""
    if given is not None:
        return given
    line = order.line(line_item_id)
    return (line.shipping_address if line else None) or order.shipping_address
