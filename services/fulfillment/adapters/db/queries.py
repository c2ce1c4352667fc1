"""Lists: filter, order, keyset pages, and who may see what."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.ids import valid_id
from libs.query import Field, Listing, Plan
from libs.query.request import Page, PageRequest
from services.fulfillment.adapters.db.answer_limits import fitting_orders, fitting_rows
from services.fulfillment.adapters.db.shipments.shipment_store import SqlShipmentStore
from services.fulfillment.adapters.db.stock.stock_store import record
from services.fulfillment.adapters.db.storable_ids import storable
from services.fulfillment.adapters.db.supplier_orders.order_store import SqlSupplierOrderStore
from services.fulfillment.adapters.db.tables import (
    inventory_records,
    shipment_items,
    shipments,
    stock_alerts,
    stock_movements,
    supplier_order_lines,
    supplier_orders,
)
from services.fulfillment.domain.shipments.shipment import Shipment
from services.fulfillment.domain.stock.inventory import InventoryRecord, LedgerEntry
from services.fulfillment.domain.stock.ledger import MovementKind
from services.fulfillment.domain.stock.thresholds import AlertKind, StockAlert
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder
from services.fulfillment.domain.visibility import Scope, seen

_R, _M, _O, _S, _L = inventory_records.c, stock_movements.c, supplier_orders.c, shipments.c, stock_alerts.c


def _times(columns: Any, *names: str) -> dict[str, Field]:
    return {name: Field(columns[name], "time") for name in names}


_RECORDS = Listing(
    {
        **{n: Field(_R[n]) for n in ("id", "product_id", "variant_id", "supplier_id", "location_id")},
        **{n: Field(_R[n], "int") for n in ("on_hand", "reserved", "allocated", "priority")},
        **{n: Field(_R[n], "bool") for n in ("active", "pickup", "can_exceed", "low_stock")},
        **_times(_R, "create_time", "update_time"),
    },
    _R.key,
    xp=_R.xp,
)
_ALERTS = Listing(
    {
        "inventory_record_id": Field(_R.id),
        **{n: Field(_R[n]) for n in ("product_id", "variant_id", "supplier_id")},
        "kind": Field(_L.kind, "enum", {k.value: k.value for k in AlertKind}),
        **_times(_L, "create_time"),
    },
    _L.id,
)
_MOVEMENTS = Listing(
    {
        "inventory_record_id": Field(_R.id),
        "product_id": Field(_R.product_id),
        "variant_id": Field(_R.variant_id),
        "kind": Field(_M.kind, "enum", {k.value: k.value for k in MovementKind}),
        "order_key": Field(_M.order_key),
        "shipment_id": Field(_M.shipment_id),
        **_times(_M, "create_time"),
    },
    _M.key,
)
_ORDER_FIELDS = {
    **{n: Field(_O[n]) for n in ("id", "order_id", "supplier_id", "buyer_id")},
    "status": Field(_O.status, "enum", {s.value: s.value for s in SupplierOrderStatus}),
    **{n: Field(_O[n], "bool") for n in ("implicit", "unclaimed")},
    **{n: Field(_O[n], "micros") for n in ("total", "cost")},
    **_times(_O, "create_time", "update_time", "accept_time", "complete_time", "accept_by"),
}
_ORDERS = Listing(_ORDER_FIELDS, _O.key, xp=_O.xp)
_OF_SUPPLIERS = Listing({**_ORDER_FIELDS, "total": Field(sa.case((_O.cost.is_(None), _O.total)), "micros")}, _O.key, xp=_O.xp)
"""What a supplier is not shown it does not find by a filter or an order either: what has a cost side has no total here."""
_SHIPMENTS = Listing(
    {
        **{n: Field(_S[n]) for n in ("id", "supplier_id", "buyer_id", "carrier", "tracking_number", "supplier_number")},
        **_times(_S, "ship_time", "delivery_time", "void_time", "create_time", "update_time"),
    },
    _S.key,
    xp=_S.xp,
)


class SqlLists:
    """Lists for callers."""

    __slots__ = ("_orders", "_shipments", "_tx")

    def __init__(self, tx: Tx, orders: SqlSupplierOrderStore, sent: SqlShipmentStore) -> None:
        self._tx = tx
        self._orders = orders
        self._shipments = sent

    async def records(self, scope: Scope, page: PageRequest) -> Page[InventoryRecord]:
        """Inventory records that the scope holds."""
        plan = _plan(self._tx, _RECORDS, scope, page)
        return (await plan.read(self._tx, sa.select(inventory_records).where(*_of_supplier(_R, scope)))).map(record)

    async def movements(self, scope: Scope, page: PageRequest) -> Page[LedgerEntry]:
        """The ledger of these records."""
        select = sa.select(
            *[c for c in stock_movements.c if c.name != "record_key"], _R.id.label("record_id"), _R.product_id, _R.variant_id
        ).join(inventory_records, _R.key == _M.record_key)
        plan = _plan(self._tx, _MOVEMENTS, scope, page)
        return (await plan.read(self._tx, select.where(*_of_supplier(_R, scope)))).map(_entry)

    async def alerts(self, scope: Scope, page: PageRequest) -> Page[StockAlert]:
        """Thresholds of these records that were crossed."""
        of_record = (_R.id.label("record_id"), _R.product_id, _R.variant_id, _R.supplier_id)
        select = sa.select(stock_alerts, *of_record).join(inventory_records, _R.key == _L.record_key)
        plan = _plan(self._tx, _ALERTS, scope, page)
        return (await plan.read(self._tx, select.where(*_of_supplier(_R, scope)))).map(_alert)

    async def supplier_orders(self, scope: Scope, page: PageRequest) -> Page[SupplierOrder]:
        """Supplier orders that the scope holds; a page ends before its lines are too many."""
        plan = _plan(self._tx, _listing(scope), scope, page)
        fitting = partial(fitting_rows, self._tx, supplier_order_lines.c.supplier_order_key)
        kept = await plan.read(self._tx, sa.select(supplier_orders).where(*_of_supplier(_O, scope)), fitting)
        return kept.of(await self._orders.with_lines(kept.items))

    async def supplier_order_counts(self, scope: Scope, filter: str) -> dict[str, int]:
        """How many supplier orders the scope holds, by status."""
        plan = _plan(self._tx, _listing(scope), scope, PageRequest(filter=filter))
        return await plan.count_by(self._tx, sa.select(supplier_orders).where(*_of_supplier(_O, scope)), _O.status)

    async def shipments(self, scope: Scope, page: PageRequest, order_id: str) -> Page[Shipment]:
        """Shipments that the scope holds; of one buyer order, if named. A page ends before its items are too many."""
        where = [*_of_supplier(_S, scope), _S.delete_time.is_(None)]
        if scope.buyer_id is not None:
            where.append(_S.buyer_id == scope.buyer_id)
        if scope.user_id is not None or order_id:
            items = sa.select(shipment_items.c.shipment_key).where(shipment_items.c.quantity > 0)
            if scope.user_id is not None:
                items = items.where(shipment_items.c.user_id == scope.user_id)
            if scope.order_id is not None:
                items = items.where(shipment_items.c.order_id == scope.order_id)
            if order_id:
                items = items.where(shipment_items.c.order_id == order_id if valid_id(order_id) else sa.false())
            where.append(_S.key.in_(items))
        plan = _plan(self._tx, _SHIPMENTS, scope, page, order=order_id)
        fitting = partial(fitting_rows, self._tx, shipment_items.c.shipment_key)
        kept = await plan.read(self._tx, sa.select(shipments).where(*where), fitting)
        return kept.of([seen(s, scope) for s in await self._shipments.with_items(kept.items)])

    async def fitting_orders(self, order_keys: Iterable[str]) -> tuple[list[str], list[str]]:
        """The buyer orders whose supplier orders and shipments fit into one answer, and the others."""
        keys = storable(order_keys)
        n = await fitting_orders(self._tx, keys)
        return keys[:n], keys[n:]


def _listing(scope: Scope) -> Listing:
    return _ORDERS if scope.supplier_id is None else _OF_SUPPLIERS


def _of_supplier(columns: Any, scope: Scope) -> list[sa.ColumnElement[bool]]:
    if scope.nothing:
        return [sa.false()]
    return [] if scope.supplier_id is None else [columns.supplier_id == scope.supplier_id]


def _plan(tx: Tx, listing: Listing, scope: Scope, page: PageRequest, **bound: str) -> Plan:
    return listing.plan(tx.dialect, page, {**scope.bound(), **bound})


def _entry(row: Any) -> LedgerEntry:
    return LedgerEntry(
        key=row.key,
        record_id=row.record_id,
        product_id=row.product_id,
        kind=row.kind,
        on_hand=row.on_hand,
        reserved=row.reserved,
        allocated=row.allocated,
        order_key=row.order_key,
        attempt=row.attempt,
        line_item_id=row.line_item_id,
        shipment_id=row.shipment_id,
        user_id=row.user_id,
        note=row.note,
        create_time=row.create_time,
        variant_id=row.variant_id,
    )


def _alert(row: Any) -> StockAlert:
    return StockAlert(
        record_id=row.record_id,
        number=row.number,
        product_id=row.product_id,
        variant_id=row.variant_id,
        supplier_id=row.supplier_id,
        kind=row.kind,
        notify_below=row.notify_below,
        available=row.available,
        create_time=row.create_time,
    )
