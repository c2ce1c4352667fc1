"""Supplier orders and parcels as one frozen value, and every rpc that moves them, by the domain's own functions.

Values are brought into one form, without times, versions and numbers, so that two ways to the same state meet. Parcels that
have left, are void or deleted stand in nobody's way and are forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from libs.errors import WaybillError
from libs.ids import SequentialIds
from services.fulfillment.application.refusals import refusal
from services.fulfillment.domain.shipments.actions.parcel import holding, voided, without
from services.fulfillment.domain.shipments.actions.ship import Loading, Wanted
from services.fulfillment.domain.shipments.actions.ship_all import pack_all
from services.fulfillment.domain.shipments.shipment import Draw, Shipment, ShipmentItem
from services.fulfillment.domain.sourcing.model import Line, Strategy
from services.fulfillment.domain.supplier_orders.actions.answer import Rejection, accept, reject
from services.fulfillment.domain.supplier_orders.actions.change import Change, moved_away
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
from services.fulfillment.domain.supplier_orders.answer_time import SELLER, overdue, timed
from services.fulfillment.domain.supplier_orders.status import derived
from services.fulfillment.domain.supplier_orders.supplier_order import Allocation, OrderLine, SupplierOrder
from tests.unit.fulfillment.builders import CAUSE, NOW, confirmed, order_line, snapshot, taken

UNIT = 1_000_000
"""What a unit costs, in micros."""
WITHIN = timedelta(hours=1)
"""How long suppliers have to answer."""
KEYS = 1_000_000
"""Where the keys of canonical values begin, beyond those that actions draw."""


@dataclass(frozen=True, eq=False)
class Goods:
    """The supplier orders of an order that hold units or have refused some, and its parcels that have not left."""

    orders: tuple[SupplierOrder, ...] = ()
    parcels: tuple[Shipment, ...] = ()

    @cached_property
    def form(self) -> Any:
        """All in which two of them can differ."""
        orders = tuple(
            (o.supplier_id, o.status, o.former_status, o.implicit, o.held, o.accept_time, o.reject_time, _units(o.lines))
            for o in self.orders
        )
        return orders, tuple((i.supplier_order_id, i.line_item_id, i.quantity) for p in self.parcels for i in p.items)

    @cached_property
    def _hash(self) -> int:
        return hash(self.form)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Goods) and self.form == other.form)

    @property
    def name(self) -> str:
        """What a failure shows of it."""
        orders = [
            f"{o.supplier_id or 'seller'} {o.status}{' held' * o.held}"
            + "".join(f" {x.line_item_id}:{x.quantity}={x.packed}p+{x.shipped}s+{x.canceled}c" for x in o.lines)
            for o in self.orders
        ]
        return f"[{'; '.join(orders)}] parcels {[(i.line_item_id, i.quantity) for p in self.parcels for i in p.items]}"


def _units(lines: Iterable[OrderLine]) -> Any:
    return tuple(
        (x.line_item_id, x.quantity, x.packed, x.shipped, x.canceled, sum(a.quantity for a in x.allocations)) for x in lines
    )


def opened(quantities: Sequence[int], forwarded: bool) -> Goods:
    """A confirmed order with a line of each quantity, each at a supplier of its own."""
    lines = [order_line(f"l{n}", q, q * UNIT, default_supplier_id=f"s{n}") for n, q in enumerate(quantities)]
    assigned = [taken(f"l{n}", q, f"s{n}") for n, q in enumerate(quantities)]
    return canonical(timed(confirmed(snapshot(*lines), *assigned, forward=forwarded), WITHIN, NOW).created, ())


def applied(goods: Goods, change: Change) -> Goods:
    """The goods after an action on supplier orders."""
    new = {o.key: o for o in change.changed}
    return canonical([*(new.get(o.key, o) for o in goods.orders), *change.created], goods.parcels)


def ended(goods: Goods, change: Change) -> Goods:
    """The goods after open units were canceled: parcels of them are void."""
    lost = {o.key for o in change.changed}
    void = {p.id for p in voided(goods.parcels, lost, NOW) if p.void_time is not None}
    return applied(replace(goods, parcels=tuple(p for p in goods.parcels if p.id not in void)), change)


def moves(goods: Goods, silent: bool = False) -> Iterator[tuple[str, Goods]]:
    """What suppliers and the seller can do with it, by rpc, and what time does; what the domain refuses is no move. Where the
    suppliers are `silent`, nobody answers or ships for them.
    """
    yield from _allowed("ForwardOrder", lambda: _given(goods, forward(goods.orders, {}, {}, SequentialIds().key, NOW)))
    for order in goods.orders:
        if overdue(order, NOW + WITHIN):
            yield from _allowed("the time to answer", lambda o=order: _rejected(goods, o))
        for line in order.lines:
            for target in {SELLER, _home(line)} - {order.supplier_id}:
                yield from _allowed("MoveSupplierOrderUnits", lambda o=order, x=line, to=target: _moved(goods, o, x, to))
        if silent and order.supplier_id != SELLER:
            continue
        yield from _allowed("AcceptSupplierOrder", lambda o=order: applied(goods, Change((accept(o, NOW),))))
        yield from _allowed("RejectSupplierOrder", lambda o=order: _rejected(goods, o))
        yield from _allowed("ShipOrder", lambda o=order: _loaded(goods, lambda loading: _ship_all(goods, loading, o)))
        for line in order.lines:
            wanted = Wanted("items", order.id, line.line_item_id, 1)
            yield from _allowed("CreateShipment", lambda w=wanted: _loaded(goods, lambda x: _pack(goods, x, w)))
    for parcel in goods.parcels:
        rest = [p for p in goods.parcels if p.id != parcel.id]
        for name, edit in _EDITS.items():
            yield from _allowed(name, lambda e=edit, p=parcel, r=rest: _loaded(goods, lambda x: [*r, *e(x, p)]))


def _allowed(name: str, move: Callable[[], Goods]) -> Iterator[tuple[str, Goods]]:
    try:
        after = move()
    except WaybillError:
        return
    yield name, after


def _home(line: OrderLine) -> str:
    """The supplier that a line was first given to."""
    return f"s{line.line_item_id[1:]}"


def _demand(order: SupplierOrder) -> dict[str, Line]:
    return {x.line_item_id: Line(x.line_item_id, "drill", x.quantity, _home(x), track_inventory=False) for x in order.lines}


def _given(goods: Goods, change: Change) -> Goods:
    """The goods after units came to suppliers, which have their time to answer from now on."""
    return applied(goods, timed(change, WITHIN, NOW))


def _rejected(goods: Goods, order: SupplierOrder) -> Goods:
    rejection = Rejection(order, "", goods.orders, _demand(order), (), Strategy.DEFAULT_SUPPLIER, CAUSE, {})
    return _given(goods, reject(rejection, SequentialIds().key, NOW))


def _moved(goods: Goods, order: SupplierOrder, line: OrderLine, target: str) -> Goods:
    """One unit of a line is given to a supplier, or taken back by the seller, by hand."""
    wanted = [MovedUnits("lines[0]", line.line_item_id, 1)]
    move = Move(wanted, target, {line.product_id}, _demand(order), Strategy.DEFAULT_SUPPLIER)
    refused = check_move(order, move)
    kept, units = (order, order) if refused else parting(order, move)
    leaving = Leaving(order, units, goods.orders, (), CAUSE, {}, {})
    found, short = placed(move, leaving)
    if refused or short:
        raise refusal([*refused, *short])
    left, homes = move_units(kept, leaving, found, SequentialIds().key, NOW)
    return _given(goods, replace(homes, changed=(left, *homes.changed)))


def _loaded(goods: Goods, work: Callable[[Loading], Sequence[Shipment]]) -> Goods:
    loading = Loading(goods.orders)
    parcels = work(loading)
    if loading.refusals:
        raise refusal(loading.refusals)
    new = {o.key: o for o in loading.touched_orders(NOW)}
    return canonical([new.get(o.key, o) for o in goods.orders], parcels)


def _ship_all(goods: Goods, loading: Loading, order: SupplierOrder) -> Sequence[Shipment]:
    items = pack_all(loading, order, "supplier_order_id")
    if not loading.refusals:
        loading.leave(items, "new")
    return goods.parcels


def _pack(goods: Goods, loading: Loading, wanted: Wanted) -> Sequence[Shipment]:
    return [*goods.parcels, *_parcel(loading.pack([wanted], "items"))]


def _parcel(items: Sequence[ShipmentItem]) -> list[Shipment]:
    return [Shipment(UUID(int=1), "new", "", "acme", tuple(items), NOW, NOW)] if items else []


def _send(loading: Loading, parcel: Shipment) -> list[Shipment]:
    loading.check_leaving(parcel.items, "ship_time")
    if not loading.refusals:
        loading.leave(parcel.items, parcel.id)
    return []


def _delete(loading: Loading, parcel: Shipment) -> list[Shipment]:
    loading.unpack(parcel.items, ())
    return []


def _add(loading: Loading, parcel: Shipment) -> list[Shipment]:
    (item,) = parcel.items
    more = loading.pack([Wanted("items", item.supplier_order_id, item.line_item_id, 1)], "items")
    return [holding(parcel, (*parcel.items, *more))]


def _remove(loading: Loading, parcel: Shipment) -> list[Shipment]:
    (item,) = parcel.items
    rest = without(parcel.items, item.supplier_order_id, item.line_item_id, 1)
    loading.unpack(parcel.items, rest)
    # Of a parcel of one unit nothing would be left: the same as its deletion here.
    return [holding(parcel, rest)] if rest else []


_EDITS: dict[str, Callable[[Loading, Shipment], list[Shipment]]] = {
    "UpdateShipment": _send,
    "DeleteShipment": _delete,
    "AddShipmentItems": _add,
    "RemoveShipmentItems": _remove,
}


def canonical(orders: Iterable[SupplierOrder], parcels: Iterable[Shipment]) -> Goods:
    """The same goods in their one form."""
    orders = list(orders)
    live = [o for o in orders if any(x.open for x in o.lines) or (o.implicit and any(x.quantity for x in o.lines))]
    # Of what is over only the units count, and who has refused: the seller may be asked again.
    kept = [*live, *_over([o for o in orders if o not in live and any(x.quantity for x in o.lines)])]
    refused = {o.supplier_id: moved_away(o, NOW) for o in orders if o.reject_time is not None and o.supplier_id}
    held: dict[UUID, list[Shipment]] = {}
    for p in parcels:
        held.setdefault(p.items[0].supplier_order_key, []).append(p)
    packing = {id(o) for o in live}

    def order_of(o: SupplierOrder) -> Any:
        boxes = tuple(sorted((p.items[0].line_item_id, sum(i.quantity for i in p.items)) for p in held.get(o.key, ())))
        return not any(x.quantity for x in o.lines), o.supplier_id, _units(o.lines), o.status, str(o.former_status), o.held, boxes

    ranked = sorted([*kept, *refused.values()], key=order_of)
    made: list[SupplierOrder] = []
    boxes: list[Shipment] = []
    for n, o in enumerate(ranked, 1):
        key, name = UUID(int=KEYS * n), f"PO1-{n}"
        lines = tuple(_line(key, x) for x in sorted(o.lines, key=lambda x: x.line_item_id) if x.quantity)
        made.append(_order(replace(o, key=key, id=name, number=n, lines=lines)))
        for p in sorted(
            held.get(o.key, ()) if id(o) in packing else (),
            key=lambda p: (p.items[0].line_item_id, sum(i.quantity for i in p.items)),
        ):
            boxes.append(_box(key, name, p, len(boxes)))
    return Goods(tuple(made), tuple(boxes))


def _over(orders: Sequence[SupplierOrder]) -> list[SupplierOrder]:
    """One supplier order that is over, with the units of all that are."""
    if not orders:
        return []
    units: dict[str, OrderLine] = {}
    for x in (x for o in orders for x in o.lines if x.quantity):
        old = units.get(x.line_item_id)
        if old is None:
            units[x.line_item_id] = replace(x, allocations=())
            continue
        sums = {name: getattr(old, name) + getattr(x, name) for name in ("quantity", "shipped", "canceled", "subtotal")}
        units[x.line_item_id] = replace(old, **sums)
    lines = tuple(units.values())
    status = derived(lines, accepted=True)
    one = replace(orders[0], supplier_id="", status=status, lines=lines, implicit=False, held=False, moved=False)
    return [replace(one, accept_time=NOW, reject_time=None, former_status=None, subtotal=sum(x.subtotal for x in lines))]


def _order(o: SupplierOrder) -> SupplierOrder:
    times = {
        name: NOW if getattr(o, name) is not None else None
        for name in ("accept_time", "reject_time", "complete_time", "cancel_time")
    }
    return replace(o, version=1, create_time=NOW, update_time=NOW, reject_comment="", **times)


def _line(key: UUID, x: OrderLine) -> OrderLine:
    """With one allocation: stock is not counted here."""
    first = replace(x, position=0, allocations=())
    if not x.allocations:
        return first
    units = {name: sum(getattr(a, name) for a in x.allocations) for name in ("quantity", "packed", "shipped")}
    return replace(first, allocations=(Allocation(_allocation(key, x.line_item_id), None, "", "", "", **units),))


def _allocation(key: UUID, line_item_id: str) -> UUID:
    return UUID(int=key.int + 1 + int(line_item_id[1:]))


def _box(key: UUID, id: str, p: Shipment, n: int) -> Shipment:
    first, quantity = p.items[0], sum(i.quantity for i in p.items)
    draws = (Draw(_allocation(key, first.line_item_id), None, quantity),)
    item = replace(first, supplier_order_key=key, supplier_order_id=id, quantity=quantity, draws=draws)
    return replace(p, key=UUID(int=n + 1), id=f"box{n}", items=(item,), emptied=(), version=1, update_time=NOW)
