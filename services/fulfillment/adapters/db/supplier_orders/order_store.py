"""Supplier orders with their lines and allocations: three statements to load or add any number of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.db import Tx, UtcTime
from libs.ids import valid_numbered_id
from libs.relay.change import Change
from libs.relay.changes import note
from services.fulfillment.adapters.db.storable_ids import storable
from services.fulfillment.adapters.db.supplier_orders.order_rows import (
    allocation_rows,
    allocations_of,
    header_row,
    line_rows,
    lines_of,
    order_of,
    state_row,
)
from services.fulfillment.adapters.db.tables import (
    OPEN_DELIVERY,
    UNANSWERED,
    allocations,
    changes,
    inventory_records,
    supplier_order_lines,
    supplier_orders,
)
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder

_T, _L, _A = supplier_orders, supplier_order_lines, allocations
_STATE = (
    "status",
    "former_status",
    "moved",
    "held",
    "subtotal",
    "discount",
    "shipping_cost",
    "tax",
    "total",
    "cost",
    "selections",
    "xp",
    "accept_time",
    "reject_time",
    "complete_time",
    "cancel_time",
    "reject_comment",
    "accept_by",
    "unclaimed",
    "version",
    "update_time",
    "report_time",
    "report_tries",
    "report_parked_time",
    "report_error",
)
_SAVE = sa.update(_T).where(_T.c.key == sa.bindparam("k")).values({name: sa.bindparam(f"new_{name}") for name in _STATE})
_SAVE_LINE = (
    sa.update(_L)
    .where(_L.c.supplier_order_key == sa.bindparam("k"), _L.c.line_item_id == sa.bindparam("l"))
    .values(packed=sa.bindparam("new_packed"), shipped=sa.bindparam("new_shipped"))
)
_SAVE_ALLOCATION = (
    sa.update(_A)
    .where(_A.c.key == sa.bindparam("k"))
    .values(packed=sa.bindparam("new_packed"), shipped=sa.bindparam("new_shipped"))
)

_R = inventory_records.c
_DELIVERABLE = (
    sa.select(_T.c.key, _T.c.failures)
    .join_from(_L, _T, _T.c.key == _L.c.supplier_order_key)
    .join(_A, sa.and_(_A.c.supplier_order_key == _L.c.supplier_order_key, _A.c.line_item_id == _L.c.line_item_id))
    .outerjoin(inventory_records, _R.key == _A.c.record_key)
    .where(
        OPEN_DELIVERY,
        _T.c.status.in_(("OPEN", "ACCEPTED")),
        sa.not_(_T.c.held),
        sa.or_(_T.c.deliver_time.is_(None), _T.c.deliver_time <= sa.bindparam("now", type_=UtcTime())),
        _A.c.quantity > _A.c.shipped,
        sa.or_(_A.c.record_key.is_(None), _R.on_hand > 0, sa.and_(_R.can_exceed, _R.backorder_limit.is_(None))),
    )
    .distinct()
    .order_by(_T.c.key)
    .limit(sa.bindparam("limit"))
)

_UNANSWERED = (
    sa.select(_T.c.key)
    .where(
        UNANSWERED,
        _T.c.accept_by <= sa.bindparam("now", type_=UtcTime()),
        sa.not_(_T.c.held),
        sa.or_(_T.c.deliver_time.is_(None), _T.c.deliver_time <= sa.bindparam("now", type_=UtcTime())),
    )
    .order_by(_T.c.accept_by, _T.c.key)
    .limit(sa.bindparam("limit"))
)

_ADD, _ADD_LINES, _ADD_ALLOCATIONS = sa.insert(_T), sa.insert(_L), sa.insert(_A)


class SqlSupplierOrderStore:
    """Reads and writes supplier orders.

    `relay_delay`: how long the relay waits before it reports a change.
    """

    __slots__ = ("_delay", "_tx")

    def __init__(self, tx: Tx, relay_delay: timedelta) -> None:
        self._tx = tx
        self._delay = relay_delay

    async def of_ids(self, ids: Iterable[str], lock: bool = False) -> list[SupplierOrder]:
        """By public id, in the order of their keys."""
        return await self._load(_T.c.id.in_(sorted({id for id in ids if valid_numbered_id(id)})), lock)

    async def of_keys(self, keys: Iterable[UUID], lock: bool = False) -> list[SupplierOrder]:
        """By key."""
        return await self._load(_T.c.key.in_(sorted(set(keys))), lock)

    async def of_orders(self, order_keys: Iterable[str], lock: bool = False) -> list[SupplierOrder]:
        """All of some buyer orders, moved ones too, in the order of their keys."""
        return await self._load(_T.c.order_key.in_(storable(order_keys)), lock)

    async def deliverable(self, now: datetime, limit: int) -> dict[UUID, bool]:
        """Some that can be delivered from by now, without a shipment, and whether that failed when it was last tried."""
        found = await self._tx.execute(_DELIVERABLE, {"now": now, "limit": limit})
        return {row.key: row.failures > 0 for row in found}

    async def unanswered(self, now: datetime, limit: int) -> list[UUID]:
        """Keys of some that their suppliers have not answered in time; one that failed waits to be tried again."""
        return [row.key for row in await self._tx.execute(_UNANSWERED, {"now": now, "limit": limit})]

    async def _load(self, where: sa.ColumnElement[bool], lock: bool) -> list[SupplierOrder]:
        select = sa.select(_T).where(where).order_by(_T.c.key)
        if lock:
            select = select.with_for_update()
        return await self.with_lines((await self._tx.execute(select)).all())

    async def with_lines(self, headers: Sequence[Any]) -> list[SupplierOrder]:
        """Rows of supplier orders with their lines, in the order given."""
        if not headers:
            return []
        keys = [row.key for row in headers]
        held = await self._tx.execute(sa.select(_A).where(_A.c.supplier_order_key.in_(keys)).order_by(_A.c.position, _A.c.key))
        rows = await self._tx.execute(sa.select(_L).where(_L.c.supplier_order_key.in_(keys)).order_by(_L.c.position))
        lines = lines_of(rows, allocations_of(held))
        return [order_of(row, lines.get(row.key, ())) for row in headers]

    async def insert(self, orders: Sequence[SupplierOrder], now: datetime) -> None:
        """Adds supplier orders; the relay will report them."""
        if not orders:
            return
        await self._tx.execute(_ADD, [header_row(o, now + self._delay) for o in orders])
        await self._insert_lines(orders)
        self._add_to_feed(orders, now)

    def _add_to_feed(self, orders: Sequence[SupplierOrder], now: datetime) -> None:
        note(self._tx, changes, [Change("supplier order", o.id, o.version, now) for o in orders])

    async def _insert_lines(self, orders: Sequence[SupplierOrder]) -> None:
        lines, held = line_rows(orders), allocation_rows(orders)
        if lines:
            await self._tx.execute(_ADD_LINES, lines)
        if held:
            await self._tx.execute(_ADD_ALLOCATIONS, held)

    async def save(self, orders: Sequence[SupplierOrder], now: datetime) -> None:
        """Stores headers of locked supplier orders: one statement."""
        if orders:
            await self._tx.execute(
                _SAVE, [{"k": o.key, **{f"new_{n}": v for n, v in state_row(o, now + self._delay).items()}} for o in orders]
            )
            self._add_to_feed(orders, now)

    async def save_units(self, before: Mapping[UUID, SupplierOrder], orders: Sequence[SupplierOrder], now: datetime) -> None:
        """Stores headers, and the packed and shipped units of the lines that changed: three statements."""
        await self.save(orders, now)
        lines = [(o.key, new) for o in orders for old, new in zip(before[o.key].lines, o.lines, strict=True) if old is not new]
        if lines:
            await self._tx.execute(
                _SAVE_LINE,
                [{"k": k, "l": line.line_item_id, "new_packed": line.packed, "new_shipped": line.shipped} for k, line in lines],
            )
        held = [a for _, line in lines for a in line.allocations]
        if held:
            await self._tx.execute(
                _SAVE_ALLOCATION, [{"k": a.key, "new_packed": a.packed, "new_shipped": a.shipped} for a in held]
            )

    async def replace(self, orders: Sequence[SupplierOrder], now: datetime) -> None:
        """Stores headers and all lines and allocations anew: five statements."""
        if not orders:
            return
        await self.save(orders, now)
        keys = [o.key for o in orders]
        await self._tx.execute(sa.delete(_A).where(_A.c.supplier_order_key.in_(keys)))
        await self._tx.execute(sa.delete(_L).where(_L.c.supplier_order_key.in_(keys)))
        await self._insert_lines(orders)
