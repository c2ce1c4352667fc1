"""What becomes of a parcel before it leaves: units are put in and taken out, it is deleted, or it is void."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.fulfillment.domain.shipments.shipment import Draw, Shipment, ShipmentItem


def changed(s: Shipment, now: datetime) -> Shipment:
    """The next version of a shipment."""
    return replace(s, version=s.version + 1, update_time=now)


def holding(s: Shipment, items: Sequence[ShipmentItem]) -> Shipment:
    """The shipment with these items. Buyer orders of which it holds nothing any more stay known, so that this is reported."""
    left = {item.order_key for item in items}
    gone = {item.order_key: item for item in (*s.items, *s.emptied) if item.order_key not in left}
    emptied = tuple(replace(item, quantity=0, record_id="", draws=()) for item in gone.values())
    return replace(s, items=tuple(items), emptied=emptied)


def deleted(s: Shipment, now: datetime) -> Shipment:
    """The shipment without anything in it; its id stays taken."""
    return replace(holding(changed(s, now), ()), delete_time=now)


def without(items: Iterable[ShipmentItem], supplier_order_id: str, line_item_id: str, quantity: int) -> list[ShipmentItem]:
    """The items without so many units of a line, at most; the last of them go first."""
    left: list[ShipmentItem] = []
    for item in reversed(list(items)):
        mine = (item.supplier_order_id, item.line_item_id) == (supplier_order_id, line_item_id)
        take = min(quantity, item.quantity) if mine else 0
        quantity -= take
        if take < item.quantity:
            left.append(replace(item, quantity=item.quantity - take, draws=first(item.draws, item.quantity - take)))
    return left[::-1]


def first(draws: Iterable[Draw], quantity: int) -> tuple[Draw, ...]:
    """The first units of draws."""
    kept: list[Draw] = []
    for d in draws:
        units = min(d.quantity, quantity)
        quantity -= units
        if units:
            kept.append(replace(d, quantity=units))
    return tuple(kept)


def voided(parcels: Iterable[Shipment], canceled: Collection[UUID], now: datetime) -> list[Shipment]:
    """Parcels that have not left, once the open units of these supplier orders are canceled; those that stay are left out.

    One that holds nothing else is void, and shows what it held. Out of any other the canceled units are taken, so that the
    rest can leave.
    """
    after: list[Shipment] = []
    for s in parcels:
        rest = [item for item in s.items if item.supplier_order_key not in canceled]
        if len(rest) < len(s.items):
            after.append(holding(changed(s, now), rest) if rest else replace(changed(s, now), void_time=now))
    return after
