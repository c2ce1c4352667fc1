"""What fulfillment has reported: the read model of supplier orders and shipments."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from libs import events
from libs.db import Tx
from services.order.adapters.clients.reports import counts_of
from services.order.adapters.db.order_store import LINE_UPDATE, bound
from services.order.adapters.db.rows import (
    event_row,
    line_of,
    line_row,
    order_of,
    order_row,
    supplier_view,
)
from services.order.adapters.db.tables import EVENTS, LINE_ITEMS, ORDERS, SHIPMENTS
from services.order.application.ports import SupplierOrderView
from services.order.domain.fulfillment import UnitCount
from services.order.domain.model import Event, Line, Order
from waybill.fulfillment.v1.supplier_order_pb2 import SupplierOrder

O = ORDERS.c  # noqa: E741 - the columns
_FIXED = ("key", "kind", "id", "create_time", "created_by", "currency")


class SqlReportStore:
    """A constant number of statements for any number of orders."""

    def __init__(self, notify: Callable[[], None]) -> None:
        self._notify = notify

    async def orders(self, tx: Tx, keys: Sequence[uuid.UUID]) -> list[Order]:
        """Buyer orders, locked in the order of their keys."""
        statement = sa.select(ORDERS).where(O.key.in_(list(keys)), O.kind == "BUYER")
        rows = (await tx.execute(statement.order_by(O.key).with_for_update())).mappings()
        return [order_of(row) for row in rows]

    async def lines_of(self, tx: Tx, keys: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[Line, ...]]:
        """Lines of several orders."""
        c = LINE_ITEMS.c
        statement = sa.select(LINE_ITEMS).where(c.order_key.in_(list(keys))).order_by(c.order_key, c.position)
        found: dict[uuid.UUID, list[Line]] = {key: [] for key in keys}
        for row in (await tx.execute(statement)).mappings():
            found[row["order_key"]].append(line_of(row))
        return {key: tuple(lines) for key, lines in found.items()}

    async def supplier_orders(self, tx: Tx, parents: Collection[uuid.UUID]) -> list[SupplierOrderView]:
        """Supplier orders of buyer orders, by id."""
        statement = sa.select(ORDERS).where(O.parent_key.in_(list(parents)), O.kind != "BUYER")
        rows = (await tx.execute(statement.order_by(O.create_time, O.id))).mappings()
        return [supplier_view(row) for row in rows]

    async def shipments(
        self, tx: Tx, parents: Collection[uuid.UUID]
    ) -> list[tuple[uuid.UUID, str, int, bytes]]:
        """Shipments that hold units of buyer orders, oldest first."""
        c = SHIPMENTS.c
        statement = sa.select(SHIPMENTS).where(c.order_key.in_(list(parents))).order_by(c.shipment_key)
        return [(r.order_key, r.shipment_key, r.version, r.document) for r in await tx.execute(statement)]

    def counts(self, view: SupplierOrderView) -> tuple[UnitCount, ...]:
        """Units per line, from the report itself."""
        return counts_of(SupplierOrder.FromString(view.document))

    async def save_supplier_orders(self, tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
        """Whole states: inserted, or laid over an older one."""
        if not rows:
            return
        insert = tx.insert(ORDERS)
        kept = {
            name: insert.excluded[name]
            for name in rows[0]
            if name not in ("key", "id", "parent_key", "create_time")
        }
        await tx.execute(
            insert.on_conflict_do_update(
                index_elements=["key"], set_=kept, where=O.source_version < insert.excluded.source_version
            ),
            [dict(row) for row in rows],
        )

    async def save_shipments(
        self, tx: Tx, rows: Sequence[tuple[uuid.UUID, str, int, bytes]], now: datetime
    ) -> None:
        """Whole states, as above."""
        if not rows:
            return
        insert = tx.insert(SHIPMENTS)
        x = insert.excluded
        await tx.execute(
            insert.on_conflict_do_update(
                index_elements=["order_key", "shipment_key"],
                set_={"version": x.version, "document": x.document, "update_time": x.update_time},
                where=SHIPMENTS.c.version < x.version,
            ),
            [
                {"order_key": key, "shipment_key": id, "version": version, "document": doc, "update_time": now}
                for key, id, version, doc in rows
            ],
        )

    async def save_many(
        self, tx: Tx, orders: Sequence[Order], lines: Mapping[uuid.UUID, Sequence[Line]], happened: Sequence[Event]
    ) -> None:
        """Orders, changed lines and events, in one statement each."""
        if orders:
            names = [name for name in order_row(orders[0]) if name not in _FIXED]
            statement = (
                sa.update(ORDERS)
                .where(O.key == sa.bindparam("b_key"))
                .values({name: sa.bindparam(f"b_{name}", type_=O[name].type) for name in names})
            )
            wanted = {"key", *names}
            await tx.execute(
                statement,
                [bound({k: v for k, v in order_row(order).items() if k in wanted}) for order in orders],
            )
        changed = [bound(line_row(key, line)) for key, of_order in lines.items() for line in of_order]
        if changed:
            await tx.execute(LINE_UPDATE, changed)
        if happened:
            await events.append(tx, EVENTS, [event_row(event) for event in happened])
            tx.after_commit(self._notify)
