"""What fulfillment has reported: the read model of supplier orders and shipments."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from libs.db import Tx, inserting
from libs.protoconv import money_micros
from libs.relay import feed
from services.order.adapters.db.line_rows import line_of, line_row
from services.order.adapters.db.order_store import FIXED, LINE_UPDATE, ORDER_UPDATE, bound, keep_entered
from services.order.adapters.db.rows import event_row, order_of, order_row, supplier_view
from services.order.adapters.db.tables import EVENTS, INITIAL_SUB_STATUSES, LINE_ITEMS, ORDERS, SHIPMENTS
from services.order.application.records import SupplierOrderView
from services.order.contract.reports import claim_of, counts_of
from services.order.domain.model import Event, Line, Order
from services.order.domain.progress.fulfillment import UnitCount
from services.order.domain.progress.unclaimed import Claim
from waybill.fulfillment.v1.supplier_order_pb2 import SupplierOrder

O = ORDERS.c  # noqa: E741 - the columns
_KEYS: sa.BindParameter[Any] = sa.bindparam("keys", expanding=True)
_ORDERS = sa.select(ORDERS, INITIAL_SUB_STATUSES).where(O.key.in_(_KEYS), O.kind == "BUYER").order_by(O.key).with_for_update()
_LINES = sa.select(LINE_ITEMS).where(LINE_ITEMS.c.order_key.in_(_KEYS)).order_by(LINE_ITEMS.c.order_key, LINE_ITEMS.c.position)
_SUPPLIER_ORDERS = (
    sa.select(ORDERS)
    .where(O.parent_key.in_(sa.bindparam("parents", expanding=True)), O.kind != "BUYER")
    .order_by(O.create_time, O.id)
)


@cache
def _laid_over(dialect: str, names: tuple[str, ...]) -> Any:
    insert = inserting(dialect, ORDERS)
    kept = {name: insert.excluded[name] for name in names if name not in ("key", "id", "parent_key", "create_time")}
    return insert.on_conflict_do_update(
        index_elements=["key"], set_=kept, where=O.source_version < insert.excluded.source_version
    )


class SqlReportStore:
    """A constant number of statements for any number of orders."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def orders(self, keys: Sequence[uuid.UUID]) -> list[Order]:
        """Buyer orders, locked in the order of their keys."""
        rows = (await self._tx.execute(_ORDERS, {"keys": list(keys)})).mappings()
        return [order_of(row) for row in rows]

    async def lines_of(self, keys: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[Line, ...]]:
        """Lines of several orders."""
        found: dict[uuid.UUID, list[Line]] = {key: [] for key in keys}
        for row in (await self._tx.execute(_LINES, {"keys": list(keys)})).mappings():
            found[row["order_key"]].append(line_of(row))
        return {key: tuple(lines) for key, lines in found.items()}

    async def supplier_orders(self, parents: Collection[uuid.UUID]) -> list[SupplierOrderView]:
        """Supplier orders of buyer orders, by id."""
        rows = (await self._tx.execute(_SUPPLIER_ORDERS, {"parents": list(parents)})).mappings()
        return [supplier_view(row) for row in rows]

    async def shipments(self, parents: Collection[uuid.UUID]) -> list[tuple[uuid.UUID, str, int, bytes]]:
        """Shipments that hold units of buyer orders, oldest first."""
        c = SHIPMENTS.c
        statement = sa.select(SHIPMENTS).where(c.order_key.in_(list(parents))).order_by(c.shipment_key)
        return [(r.order_key, r.shipment_key, r.version, r.document) for r in await self._tx.execute(statement) if r.document]

    def counts(self, view: SupplierOrderView) -> tuple[UnitCount, ...]:
        """Units per line, from the report itself."""
        return counts_of(SupplierOrder.FromString(view.document))

    def shipped(self, view: SupplierOrderView) -> int:
        """What has shipped of it is worth, from the report itself."""
        return money_micros(SupplierOrder.FromString(view.document).shipped_total)

    def claim(self, view: SupplierOrderView) -> Claim:
        """Whether its units are unclaimed, from the report itself."""
        return claim_of(SupplierOrder.FromString(view.document))

    async def save_supplier_orders(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Whole states: inserted, or laid over an older one. Reads that wait for one are woken by the commit."""
        if rows:
            await self._tx.execute(_laid_over(self._tx.dialect, tuple(rows[0])), [dict(row) for row in rows])
            self._tx.announce(ORDERS)

    async def save_shipments(self, rows: Sequence[tuple[uuid.UUID, str, int, bytes]], now: datetime) -> None:
        """Whole states, as above."""
        if not rows:
            return
        insert = self._tx.insert(SHIPMENTS)
        x = insert.excluded
        await self._tx.execute(
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
        self, orders: Sequence[Order], lines: Mapping[uuid.UUID, Sequence[Line]], happened: Sequence[Event]
    ) -> None:
        """Orders, changed lines and events, in one statement each."""
        if orders:
            await keep_entered(self._tx, orders)
            rows = [order_row(order) for order in orders]
            for row in rows:
                for name in FIXED:
                    del row[name]
            await self._tx.execute(
                ORDER_UPDATE, [{"b_key": order.key, **bound(row)} for order, row in zip(orders, rows, strict=True)]
            )
        changed = [bound(line_row(key, line)) for key, of_order in lines.items() for line in of_order]
        if changed:
            await self._tx.execute(LINE_UPDATE, changed)
        if happened:
            await feed.append(self._tx, EVENTS, [event_row(event) for event in happened])
