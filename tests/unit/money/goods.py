"""The supplier orders of a sale, and all that moves their units: fulfillment's rules, on memory.

Every action is the domain's own; what the domain refuses does not happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from libs.errors import WaybillError
from libs.ids import SequentialIds
from services.fulfillment.domain.shipments.actions.ship import Loading, Wanted
from services.fulfillment.domain.shipments.shipment import ShipmentItem
from services.fulfillment.domain.sourcing.model import Assignment, Line, Stock, Strategy
from services.fulfillment.domain.sourcing.pipeline import source
from services.fulfillment.domain.supplier_orders.actions.answer import Rejection, reject
from services.fulfillment.domain.supplier_orders.actions.cancel import cancel
from services.fulfillment.domain.supplier_orders.actions.change import Change
from services.fulfillment.domain.supplier_orders.actions.freeze import freeze
from services.fulfillment.domain.supplier_orders.actions.give_up import give_up, stop
from services.fulfillment.domain.supplier_orders.actions.move_units import (
    Move,
    MovedUnits,
    check_move,
    move_units,
    parting,
    placed,
)
from services.fulfillment.domain.supplier_orders.actions.new_homes import Leaving
from services.fulfillment.domain.supplier_orders.actions.place import forward
from services.fulfillment.domain.supplier_orders.snapshot import OrderSnapshot
from services.fulfillment.domain.supplier_orders.supplier_order import SelectionItem, ShipSelection, SupplierOrder
from services.fulfillment.domain.supplier_orders.worth import given_up, shipped
from tests.unit.fulfillment.builders import CAUSE, NOW, confirmed, order_line, snapshot, stock
from tests.unit.money.sales import PRODUCTS, SUPPLIERS, UNSHIPPED, Sale


class Goods:
    """The supplier orders as they stand, and parcels that are packed and have not left."""

    def __init__(self, sale: Sale, on_hand: Mapping[tuple[str, str], int], counted: bool, forwarded: bool) -> None:
        """`on_hand` by product and supplier; of what is not counted there is enough everywhere."""
        self._ids = SequentialIds()
        self._costs = sale.costs
        self._demand = {
            x.id: Line(
                x.id,
                x.product_id,
                x.quantity,
                default_supplier_id=SUPPLIERS[at % len(SUPPLIERS)],
                supplier_ids=SUPPLIERS,
                track_inventory=counted,
                shippable=x.product_id != UNSHIPPED,
            )
            for at, x in enumerate(sale.basket.lines)
        }
        self._stocks = [
            stock(f"{supplier}-{product}", product, on_hand[product, supplier], supplier=supplier)
            for product in PRODUCTS
            for supplier in SUPPLIERS
        ]
        found = source(Strategy.PRIORITY, list(self._demand.values()), self._stocks).assignments
        submitted = _snapshot(sale, self._demand, found)
        self.orders: tuple[SupplierOrder, ...] = ()
        self.parcels: list[tuple[ShipmentItem, ...]] = []
        made = confirmed(submitted, *found, forward=forwarded, ids=self._ids, stocks=self._stocks)
        self._apply(made)

    @property
    def shipped(self) -> int:
        """What has shipped is worth."""
        return sum(shipped(o) for o in self.orders)

    @property
    def units_shipped(self) -> dict[str, int]:
        """By line."""
        units = dict.fromkeys(self._demand, 0)
        for line in (line for o in self.orders for line in o.lines):
            units[line.line_item_id] += line.shipped
        return units

    @property
    def open(self) -> int:
        """Units that can still ship."""
        return sum(line.open for o in self.orders for line in o.lines)

    def forward(self) -> None:
        """The seller's implicit supplier order is divided between suppliers."""
        self._try(lambda: forward(self.orders, {}, self._costs, self._ids.key, NOW))

    def reject(self, which: int) -> None:
        """A supplier rejects what is on no shipment."""
        order = self._pick(which)
        said = Rejection(order, "", self.orders, self._demand, self._now(), Strategy.PRIORITY, CAUSE, {}, self._costs)
        self._try(lambda: reject(said, self._ids.key, NOW))

    def move(self, which: int, target: str, units: Sequence[int]) -> None:
        """The seller moves units of lines to another supplier."""
        order = self._pick(which)
        wanted = [
            MovedUnits(f"units[{n}]", line.line_item_id, min(most, line.unpacked))
            for n, (line, most) in enumerate(zip(order.lines, units, strict=False))
            if min(most, line.unpacked)
        ]
        move = Move(wanted, target, PRODUCTS, self._demand, Strategy.PRIORITY)
        if not wanted or check_move(order, move):
            return
        kept, going = parting(order, move)
        leaving = Leaving(order, going, self.orders, self._now(), CAUSE, {}, self._costs)
        found, short = placed(move, leaving)
        if not short:
            left, homes = move_units(kept, leaving, found, self._ids.key, NOW)
            self._apply(replace(homes, changed=(left, *homes.changed)))

    def pack(self, which: int, line: int, units: int, leaves: bool) -> None:
        """Units of a line go on a parcel, which leaves at once or waits."""
        order = self._pick(which)
        packed = order.lines[line % len(order.lines)]
        loading = Loading(self.orders)
        items = loading.pack([Wanted("items", order.id, packed.line_item_id, min(units, packed.packable))], "items")
        if not loading.refusals and packed.packable:
            if leaves:
                loading.leave(items, "parcel")
            else:
                self.parcels.append(items)
            self._apply(Change(loading.touched_orders(NOW)))

    def send(self, which: int) -> None:
        """A parcel that waited leaves; one whose units were canceled cannot."""
        items = self.parcels.pop(which % len(self.parcels))
        loading = Loading(self.orders)
        loading.check_leaving(items, "ship_time")
        if not loading.refusals:
            loading.leave(items, "parcel")
            self._apply(Change(loading.touched_orders(NOW)))

    def ship_the_rest(self) -> None:
        """Everything that can leave does."""
        while self.parcels:
            self.send(0)
        for which, order in enumerate(self.orders):
            for n, line in enumerate(order.lines):
                if line.packable:
                    self.pack(which, n, line.packable, leaves=True)

    def cancel(self) -> int | None:
        """Ends what is open: the whole order where nothing has shipped, what is left of it else.

        What is given back of it; None for all of the order, with what stays with the seller.
        """
        try:
            frozen = freeze(self.orders, NOW)
        except WaybillError:
            frozen = None
        if frozen is not None:
            self._apply(frozen)
            self._apply(cancel(self.orders, CAUSE, NOW))
            return None
        if not self._try(lambda: stop(self.orders, NOW)):
            return 0
        lost = given_up(self.orders).total
        self._apply(give_up(self.orders, CAUSE, NOW))
        return lost

    def _pick(self, which: int) -> SupplierOrder:
        return self.orders[which % len(self.orders)]

    def _try(self, act: Callable[[], Change]) -> bool:
        try:
            change = act()
        except WaybillError:
            return False
        self._apply(change)
        return True

    def _apply(self, change: Change) -> None:
        new = {o.key: o for o in change.changed}
        self.orders = (*(new.get(o.key, o) for o in self.orders), *change.created)

    def _now(self) -> list[Stock]:
        """The stock with what supplier orders hold of it, and without what has left."""
        units = [a for o in self.orders for line in o.lines for a in line.allocations]
        return [
            replace(
                s,
                on_hand=s.on_hand - sum(a.shipped for a in units if a.record_key == s.key),
                allocated=sum(a.held for a in units if a.record_key == s.key),
            )
            for s in self._stocks
        ]


def _snapshot(sale: Sale, demand: Mapping[str, Line], found: Iterable[Assignment]) -> OrderSnapshot:
    """What the order service hands over when the order opens."""
    products = {x.id: x for x in sale.basket.lines}
    lines = [
        order_line(
            p.line_item_id,
            products[p.line_item_id].quantity,
            p.subtotal,
            product=products[p.line_item_id].product_id,
            unit_price=p.unit_price,
            discount=p.discount,
            tax=p.tax,
            included_tax=p.included_tax,
            shippable=demand[p.line_item_id].shippable,
        )
        for p in sale.lines
    ]
    return snapshot(
        *lines,
        currency=sale.order.currency,
        shipping=_selections(sale, found),
        shipping_cost=sale.order.shipping_cost,
        tax=sale.order.tax - sale.order.fee_tax,
        costs=sale.costs,
    )


def _selections(sale: Sale, found: Iterable[Assignment]) -> tuple[ShipSelection, ...]:
    """Each estimate with its units by the supplier that they ship from."""
    sources: dict[str, list[str]] = {}
    for a in found:
        sources.setdefault(a.line_item_id, []).extend([a.supplier_id] * a.quantity)
    for x in sale.basket.lines:
        mine = sources.setdefault(x.id, [])
        mine.extend([""] * (x.quantity - len(mine)))
    charged = {s.ship_estimate_id: s for s in sale.shipments}
    made: list[ShipSelection] = []
    for e in sale.estimates:
        part, items = charged[e.id], []
        for line_id, quantity in e.items:
            units, sources[line_id] = sources[line_id][:quantity], sources[line_id][quantity:]
            items += [SelectionItem(line_id, units.count(s), s) for s in dict.fromkeys(units)]
        made.append(ShipSelection(e.id, "m", "Ground", "ups", part.net, part.tax, False, tuple(items), part.included_tax))
    return tuple(made)
