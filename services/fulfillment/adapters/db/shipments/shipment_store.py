"""Shipments with their items: two statements to load or add any number of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from libs.db import Tx, is_unique_violation
from libs.errors import exists
from libs.ids import valid_id
from libs.relay import marks
from libs.relay.change import Change
from libs.relay.changes import note
from services.fulfillment.adapters.db.documents import draws_in, draws_out
from services.fulfillment.adapters.db.storable_ids import storable
from services.fulfillment.adapters.db.tables import changes, shipment_items, shipments
from services.fulfillment.domain.shipments.shipment import Shipment, ShipmentItem

_T, _I = shipments, shipment_items
_STATE = (
    "carrier",
    "tracking_number",
    "supplier_number",
    "ship_from_id",
    "ship_to",
    "ship_method_id",
    "cost",
    "currency",
    "ship_time",
    "delivery_time",
    "void_time",
    "delete_time",
    "xp",
    "version",
    "update_time",
    "report_time",
    "report_tries",
    "report_parked_time",
    "report_error",
)
_SAVE = sa.update(_T).where(_T.c.key == sa.bindparam("k")).values({name: sa.bindparam(f"new_{name}") for name in _STATE})


class SqlShipmentStore:
    """Reads and writes shipments."""

    __slots__ = ("_delay", "_tx")

    def __init__(self, tx: Tx, relay_delay: timedelta) -> None:
        self._tx = tx
        self._delay = relay_delay

    async def get(self, id: str, lock: bool = False) -> Shipment | None:
        """By public id."""
        if not valid_id(id):
            return None
        select = sa.select(_T).where(_T.c.id == id)
        found = await self.with_items((await self._tx.execute(select.with_for_update() if lock else select)).all())
        return found[0] if found else None

    async def taken(self, ids: Iterable[str]) -> set[str]:
        """Which of the public ids are in use."""
        rows = await self._tx.execute(sa.select(_T.c.id).where(_T.c.id.in_(sorted(set(ids)))))
        return {row.id for row in rows}

    async def of_orders(self, order_keys: Iterable[str]) -> list[Shipment]:
        """All that hold units of some buyer orders, oldest first."""
        keys = sa.select(_I.c.shipment_key).where(_I.c.order_key.in_(storable(order_keys)))
        rows = await self._tx.execute(sa.select(_T).where(_T.c.key.in_(keys)).order_by(_T.c.create_time, _T.c.key))
        return await self.with_items(rows.all())

    async def of_keys(self, keys: Iterable[UUID]) -> list[Shipment]:
        """By key."""
        rows = await self._tx.execute(sa.select(_T).where(_T.c.key.in_(sorted(set(keys)))))
        return await self.with_items(rows.all())

    async def of_ids(self, ids: Iterable[str]) -> list[Shipment]:
        """By public id."""
        rows = await self._tx.execute(sa.select(_T).where(_T.c.id.in_(sorted(set(ids)))))
        return await self.with_items(rows.all())

    async def with_items(self, headers: Sequence[Any]) -> list[Shipment]:
        """Rows of shipments with their items, in the order given."""
        if not headers:
            return []
        keys = [row.key for row in headers]
        items: dict[UUID, list[ShipmentItem]] = {}
        rows = await self._tx.execute(sa.select(_I).where(_I.c.shipment_key.in_(keys)).order_by(_I.c.shipment_key, _I.c.position))
        for row in rows:
            items.setdefault(row.shipment_key, []).append(_item(row))
        return [_shipment(row, items.get(row.key, ())) for row in headers]

    async def insert(self, made: Sequence[Shipment], now: datetime) -> None:
        """Adds shipments; raises RESOURCE_EXISTS when an id was taken meanwhile."""
        try:
            await self._tx.execute(
                sa.insert(_T),
                [
                    {
                        "key": s.key,
                        "id": s.id,
                        "supplier_id": s.supplier_id,
                        "buyer_id": s.buyer_id,
                        "create_time": s.create_time,
                        "reported_version": 0,
                        **self._state(s, now),
                    }
                    for s in made
                ],
            )
        except IntegrityError as error:
            if is_unique_violation(error):
                raise exists("shipment", made[0].id) from None
            raise
        await _insert_items(self._tx, made)
        self._add_to_feed(made, now)

    def _add_to_feed(self, changed: Sequence[Shipment], now: datetime) -> None:
        note(self._tx, changes, [Change("shipment", s.id, s.version, now) for s in changed])

    async def packed(self, order_key: str) -> list[Shipment]:
        """Those that hold units of a buyer order and have not left, locked in the order of their keys."""
        keys = sa.select(_I.c.shipment_key).where(_I.c.order_key == order_key, _I.c.quantity > 0)
        waiting = (_T.c.key.in_(keys), _T.c.ship_time.is_(None), _T.c.void_time.is_(None))
        rows = await self._tx.execute(sa.select(_T).where(*waiting).order_by(_T.c.key).with_for_update())
        return await self.with_items(rows.all())

    async def save(self, s: Shipment, now: datetime) -> None:
        """Stores the header of a locked shipment."""
        await self._save([s], now)

    async def save_items(self, changed: Sequence[Shipment], now: datetime) -> None:
        """Stores headers of locked shipments, and all their items anew: three statements."""
        if not changed:
            return
        await self._save(changed, now)
        await self._tx.execute(sa.delete(_I).where(_I.c.shipment_key.in_([s.key for s in changed])))
        await _insert_items(self._tx, changed)

    async def _save(self, changed: Sequence[Shipment], now: datetime) -> None:
        await self._tx.execute(_SAVE, [{"k": s.key, **{f"new_{n}": v for n, v in self._state(s, now).items()}} for s in changed])
        self._add_to_feed(changed, now)

    def _state(self, s: Shipment, now: datetime) -> dict[str, Any]:
        return {
            "carrier": s.carrier,
            "tracking_number": s.tracking_number,
            "supplier_number": s.supplier_number,
            "ship_from_id": s.ship_from_id,
            "ship_to": s.ship_to,
            "ship_method_id": s.ship_method_id,
            "cost": s.cost,
            "currency": s.currency,
            "ship_time": s.ship_time,
            "delivery_time": s.delivery_time,
            "void_time": s.void_time,
            "delete_time": s.delete_time,
            "xp": dict(s.xp),
            "version": s.version,
            "update_time": s.update_time,
            **marks.changed(now + self._delay),
        }


async def _insert_items(tx: Tx, made: Sequence[Shipment]) -> None:
    rows = [_item_row(s.key, n, item) for s in made for n, item in enumerate((*s.items, *s.emptied))]
    if rows:
        await tx.execute(sa.insert(_I), rows)


def _item_row(key: UUID, position: int, item: ShipmentItem) -> dict[str, Any]:
    return {
        "shipment_key": key,
        "position": position,
        "supplier_order_key": item.supplier_order_key,
        "supplier_order_id": item.supplier_order_id,
        "order_key": item.order_key,
        "order_id": item.order_id,
        "user_id": item.user_id,
        "line_item_id": item.line_item_id,
        "product_id": item.product_id,
        "quantity": item.quantity,
        "record_id": item.record_id,
        "draws": draws_out(item.draws),
        "variant_id": item.variant_id,
    }


def _item(row: Any) -> ShipmentItem:
    return ShipmentItem(
        supplier_order_key=row.supplier_order_key,
        supplier_order_id=row.supplier_order_id,
        order_key=row.order_key,
        order_id=row.order_id,
        user_id=row.user_id,
        line_item_id=row.line_item_id,
        product_id=row.product_id,
        quantity=row.quantity,
        record_id=row.record_id,
        draws=draws_in(row.draws),
        variant_id=row.variant_id,
    )


def _shipment(row: Any, items: Sequence[ShipmentItem]) -> Shipment:
    return Shipment(
        key=row.key,
        id=row.id,
        supplier_id=row.supplier_id,
        buyer_id=row.buyer_id,
        items=tuple(item for item in items if item.quantity),
        emptied=tuple(item for item in items if not item.quantity),
        create_time=row.create_time,
        update_time=row.update_time,
        carrier=row.carrier,
        tracking_number=row.tracking_number,
        ship_method_id=row.ship_method_id,
        cost=row.cost,
        currency=row.currency,
        ship_from_id=row.ship_from_id,
        ship_to=row.ship_to,
        ship_time=row.ship_time,
        delivery_time=row.delivery_time,
        supplier_number=row.supplier_number,
        void_time=row.void_time,
        delete_time=row.delete_time,
        xp=row.xp,
        version=row.version,
    )
