"""Inventory records and their ledger."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from libs.db import Tx, is_unique_violation
from libs.errors import Use, exists
from libs.idempotency import tombstones
from libs.ids import IdSource
from libs.json_value import JsonObject
from libs.relay.change import Change
from libs.relay.changes import note
from services.fulfillment.adapters.db.stock.crossings import alert, counting
from services.fulfillment.adapters.db.stock.record_uses import record_uses
from services.fulfillment.adapters.db.storable_ids import storable
from services.fulfillment.adapters.db.tables import (
    changes,
    deleted_ids,
    inventory_records,
    stock_addresses,
    stock_alerts,
    stock_movements,
)
from services.fulfillment.domain.sourcing.model import Sku, Stock
from services.fulfillment.domain.stock.inventory import InventoryRecord
from services.fulfillment.domain.stock.ledger import Effect, Movement
from services.fulfillment.domain.stock.thresholds import may_cross

_T = inventory_records
_STOCK = (
    _T.c.key,
    _T.c.id,
    _T.c.product_id,
    _T.c.supplier_id,
    _T.c.location_id,
    _T.c.on_hand,
    _T.c.reserved,
    _T.c.allocated,
    _T.c.can_exceed,
    _T.c.priority,
    _T.c.active,
    _T.c.pickup,
    _T.c.address,
    _T.c.variant_id,
    _T.c.notify_below.is_not(None),
    _T.c.buyer_ids,
    _T.c.user_group_ids,
    _T.c.backorder_limit,
    _T.c.expected_time,
)
_MOVE = sa.insert(stock_movements)
_PLACE = sa.insert(stock_addresses)
_AFTER = (_T.c.on_hand + sa.bindparam("a"), _T.c.reserved + sa.bindparam("b"), _T.c.allocated + sa.bindparam("c"))
_APPLY = (
    sa.update(_T)
    .where(_T.c.key == sa.bindparam("k"))
    .values(
        on_hand=_AFTER[0],
        reserved=_AFTER[1],
        allocated=_AFTER[2],
        bookings=_T.c.bookings + 1,
        **counting(_AFTER[0] - _AFTER[1] - _AFTER[2]),
    )
)
_EDIT = (
    sa.update(_T)
    .where(_T.c.key == sa.bindparam("k"))
    .values(
        {
            name: sa.bindparam(f"new_{name}")
            for name in (
                *("address", "can_exceed", "priority", "active", "pickup", "xp", "version", "update_time"),
                *("notify_below", "low_stock", "buyer_ids", "user_group_ids"),
                *("backorder_limit", "expected_time"),
            )
        }
    )
)


def _find(column: sa.Column[Any]) -> tuple[sa.Select[Any], sa.Select[Any]]:
    """Stock by a column, plain and locking; made once, as building a statement costs much of sending it."""
    select = sa.select(*_STOCK).where(column.in_(sa.bindparam("wanted", expanding=True))).order_by(_T.c.key)
    return select, select.with_for_update()


_BY_PRODUCT, _BY_ID, _BY_KEY = _find(_T.c.product_id), _find(_T.c.id), _find(_T.c.key)
_OF_VARIANTS = _T.c.variant_id.in_(sa.bindparam("variants", expanding=True))
_BY_SKU = tuple(select.where(_OF_VARIANTS) for select in _BY_PRODUCT)


class SqlStockStore:
    """Reads and writes stock. Counters change only together with the movements that they are sums of."""

    __slots__ = ("_ids", "_tx")

    def __init__(self, tx: Tx, ids: IdSource) -> None:
        self._tx = tx
        self._ids = ids

    async def of_products(self, product_ids: Iterable[str]) -> list[Stock]:
        """All stock of the products and of their variants, in the order of the keys."""
        return await _stocks(self._tx, _BY_PRODUCT[False], storable(product_ids))

    async def of_skus(self, skus: Iterable[Sku], lock: bool = False) -> list[Stock]:
        """All stock of exactly these; with `lock` held until the end of the transaction, in the order of the keys.

        The statement looks products and variants up side by side, which an index answers for thousands of lines. So it may also
        find, and lock, the variant of one line at the product of another; that is left out here.
        """
        wanted = set(skus)
        variants = storable(s.variant_id for s in wanted if s.variant_id)
        if any(not s.variant_id for s in wanted):
            variants.append("")
        values = {"wanted": storable(s.product_id for s in wanted), "variants": variants}
        rows = [Stock(*tuple(row)) for row in await self._tx.execute(_BY_SKU[lock], values)]
        return [s for s in rows if s.sku in wanted]

    async def of_ids(self, record_ids: Iterable[str], lock: bool = False) -> list[Stock]:
        """Stock by public id."""
        return await _stocks(self._tx, _BY_ID[lock], storable(record_ids))

    async def of_keys(self, keys: Iterable[uuid.UUID], lock: bool = False) -> list[Stock]:
        """Stock by key."""
        return await _stocks(self._tx, _BY_KEY[lock], sorted(set(keys)))

    async def book(
        self,
        movements: Sequence[Movement],
        sums: Mapping[uuid.UUID, Effect],
        now: datetime,
        watched: Collection[uuid.UUID] | None = None,
    ) -> None:
        """Adds movements to the ledger and their sums to the counters: two statements, and one for the alerts of records that may
        have crossed a threshold: `watched` names those that have one, where the caller has read that under lock."""
        if not movements:
            return
        await self._tx.execute(_APPLY, [{"k": k, "a": e.on_hand, "b": e.reserved, "c": e.allocated} for k, e in sums.items()])
        await self._tx.execute(_MOVE, [self._movement_row(m, now) for m in movements])
        alerts = await alert(self._tx, may_cross(sums, watched), now)
        note(self._tx, changes, alerts, follows=True)
        self._add_to_feed(sums, now)

    def _movement_row(self, m: Movement, now: datetime) -> dict[str, Any]:
        return {
            "key": self._ids.key(),
            "record_key": m.record_key,
            "kind": m.kind.value,
            "on_hand": m.on_hand,
            "reserved": m.reserved,
            "allocated": m.allocated,
            "order_key": m.cause.order_key,
            "attempt": m.cause.attempt,
            "line_item_id": m.line_item_id,
            "shipment_id": m.cause.shipment_id,
            "user_id": m.cause.user_id,
            "note": m.note,
            "create_time": now,
        }

    async def records(self, record_ids: Iterable[str], lock: bool = False) -> dict[str, InventoryRecord]:
        """Whole records by public id."""
        select = sa.select(_T).where(_T.c.id.in_(storable(record_ids))).order_by(_T.c.key)
        if lock:
            select = select.with_for_update()
        return {row.id: record(row) for row in await self._tx.execute(select)}

    async def insert(self, records: Sequence[InventoryRecord]) -> None:
        """Adds records with empty counters; raises RESOURCE_EXISTS when an id was taken meanwhile."""
        try:
            await self._tx.execute(sa.insert(_T), [_row(r) for r in records])
        except IntegrityError as error:
            if is_unique_violation(error):
                raise exists("inventory record", records[0].id) from None
            raise
        await self._place(records)
        self._add_to_feed([r.key for r in records], records[0].create_time)

    def _add_to_feed(self, keys: Iterable[uuid.UUID], now: datetime) -> None:
        """The version of a record in the feed counts what was edited and what was booked."""
        note(self._tx, changes, [Change("inventory record", "", 0, now, key=key) for key in keys])

    async def _place(self, records: Sequence[InventoryRecord]) -> None:
        """Notes the addresses that came with these versions."""
        await self._tx.execute(
            _PLACE,
            [{"record_key": r.key, "version": r.version, "address": r.address, "create_time": r.update_time} for r in records],
        )

    async def update(self, r: InventoryRecord, *, moved: bool) -> None:
        """Stores what may be edited; `moved` when it has another address."""
        if moved:
            await self._place([r])
        await self._tx.execute(
            _EDIT,
            {
                "k": r.key,
                "new_address": r.address,
                "new_can_exceed": r.can_exceed,
                "new_priority": r.priority,
                "new_active": r.active,
                "new_pickup": r.pickup,
                "new_xp": dict(r.xp),
                "new_version": r.version,
                "new_update_time": r.update_time,
                "new_notify_below": r.notify_below,
                "new_low_stock": r.low_stock,
                "new_buyer_ids": list(r.buyer_ids),
                "new_user_group_ids": list(r.user_group_ids),
                "new_backorder_limit": r.backorder_limit,
                "new_expected_time": r.expected_time,
            },
        )
        self._add_to_feed([r.key], r.update_time)

    async def uses(self, key: uuid.UUID) -> list[Use]:
        """Attempts that hold units of a record, and orders that were ever given some."""
        return await record_uses(self._tx, key)

    async def delete(self, r: InventoryRecord, body: JsonObject, now: datetime) -> None:
        """Removes a record, its ledger and its addresses; its id stays taken, and the feed keeps `body`."""
        for table in (stock_movements, stock_addresses, stock_alerts):
            await self._tx.execute(sa.delete(table).where(table.c.record_key == r.key))
        edition = _T.c.version + _T.c.bookings
        version = (await self._tx.execute(sa.delete(_T).where(_T.c.key == r.key).returning(edition))).scalar_one()
        await tombstones.bury(self._tx, deleted_ids, _T.name, [r.id], now)
        note(self._tx, changes, [Change("inventory record", r.id, version, now, body)])

    async def deleted(self, record_ids: Iterable[str]) -> set[str]:
        """Those of the ids that are taken by records that were deleted."""
        return set((await self._tx.execute(tombstones.gone(deleted_ids, _T.name, storable(record_ids)))).scalars())


async def _stocks(tx: Tx, select: sa.Select[Any], wanted: Sequence[Any]) -> list[Stock]:
    return [Stock(*tuple(row)) for row in await tx.execute(select, {"wanted": wanted})]


def record(row: Any) -> InventoryRecord:
    """A row as a record."""
    return InventoryRecord(
        key=row.key,
        id=row.id,
        product_id=row.product_id,
        supplier_id=row.supplier_id,
        location_id=row.location_id,
        create_time=row.create_time,
        update_time=row.update_time,
        address=row.address,
        on_hand=row.on_hand,
        reserved=row.reserved,
        allocated=row.allocated,
        can_exceed=row.can_exceed,
        priority=row.priority,
        active=row.active,
        pickup=row.pickup,
        xp=row.xp,
        version=row.version,
        variant_id=row.variant_id,
        notify_below=row.notify_below,
        low_stock=row.low_stock,
        buyer_ids=tuple(row.buyer_ids),
        user_group_ids=tuple(row.user_group_ids),
        backorder_limit=row.backorder_limit,
        expected_time=row.expected_time,
    )


def _row(r: InventoryRecord) -> dict[str, Any]:
    return {
        "key": r.key,
        "id": r.id,
        "product_id": r.product_id,
        "variant_id": r.variant_id,
        "supplier_id": r.supplier_id,
        "location_id": r.location_id,
        "address": r.address,
        "on_hand": 0,
        "reserved": 0,
        "allocated": 0,
        "bookings": 0,
        "can_exceed": r.can_exceed,
        "priority": r.priority,
        "active": r.active,
        "pickup": r.pickup,
        "xp": dict(r.xp),
        "version": r.version,
        "create_time": r.create_time,
        "update_time": r.update_time,
        "notify_below": r.notify_below,
        "low_stock": r.low_stock,
        "crossings": 0,
        "buyer_ids": list(r.buyer_ids),
        "user_group_ids": list(r.user_group_ids),
        "backorder_limit": r.backorder_limit,
        "expected_time": r.expected_time,
    }
