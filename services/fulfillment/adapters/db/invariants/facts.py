"""What fulfillment states about buyer orders, a page of orders at a time, in the order of their keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.db.invariants import readable, total
from libs.invariants import Fact, Finding, digests
from libs.relay.marks import parked, tried
from libs.service.retries import failures_of
from services.fulfillment.adapters.db.shipments.shipment_store import SqlShipmentStore
from services.fulfillment.adapters.db.supplier_orders.order_store import SqlSupplierOrderStore
from services.fulfillment.adapters.db.tables import (
    OPEN_DELIVERY,
    UNANSWERED,
    reservations,
    shipment_items,
    shipments,
    supplier_order_lines,
    supplier_orders,
)
from services.fulfillment.contract.reports import shipment_out, supplier_order_out
from services.fulfillment.domain.supplier_orders.worth import canceled

CONTEXT = "fulfillment"
PAGE = 500
_O, _L, _V, _S, _I = supplier_orders.c, supplier_order_lines.c, reservations.c, shipments.c, shipment_items.c


async def facts(tx: Tx, order_keys: Sequence[str]) -> AsyncIterator[Fact | Finding]:
    """About all orders, or those of these keys; findings of what cannot be read."""

    async def read(keys: Sequence[str]) -> list[Fact]:
        return await _of(tx, keys)

    if order_keys:
        async for fact in readable(CONTEXT, "order", sorted(set(order_keys)), read):
            yield fact
        return
    last = ""
    while keys := await _page(tx, last):
        async for fact in readable(CONTEXT, "order", keys, read):
            yield fact
        last = keys[-1]


async def _page(tx: Tx, last: str) -> list[str]:
    def keys(table: sa.Table) -> Any:
        c = table.c.order_key
        return sa.select(c).where(c > last).group_by(c).order_by(c).limit(PAGE).subquery().select()

    both = keys(reservations).union(keys(supplier_orders)).subquery()
    found = await tx.execute(sa.select(both.c.order_key).order_by(both.c.order_key).limit(PAGE))
    return [row.order_key for row in found]


async def _of(tx: Tx, keys: Sequence[str]) -> list[Fact]:
    made = [
        *[_attempt(row) for row in await tx.execute(sa.select(reservations).where(_V.order_key.in_(keys)))],
        *await _supplier_orders(tx, keys),
        *await _deliveries(tx, keys),
        *await _units(tx, keys),
        *await _unreported_lines(tx, keys),
        *await _shipments(tx, keys),
    ]
    return sorted(made, key=lambda fact: fact.order_key)


def _attempt(row: Any) -> Fact:
    ended = "0" if row.state == "RESERVED" else "1"
    tombstone = row.kind == "SUBMIT" and not row.lines
    values = {"attempt": str(row.attempt), "kind": row.kind, "state": row.state, "finished": ended}
    values["tombstone"] = str(int(tombstone))
    values |= failures_of(row) if row.state == "RESERVED" else {}
    return Fact(CONTEXT, "stock_attempt", row.order_key, values)


async def _supplier_orders(tx: Tx, keys: Sequence[str]) -> list[Fact]:
    found: list[Fact] = []
    rows = (await tx.execute(sa.select(supplier_orders).where(_O.order_key.in_(keys)).order_by(_O.number))).all()
    for row, order in zip(rows, await SqlSupplierOrderStore(tx, timedelta()).with_lines(rows), strict=True):
        values = {
            "id": row.id,
            "supplier_id": row.supplier_id,
            "status": row.status,
            "currency": row.currency,
            "version": str(row.version),
            "held": str(int(row.held)),
            "moved": str(int(row.moved)),
            "listed": str(int(not (row.implicit and row.moved))),
            "buyer_id": row.buyer_id,
            "user_id": row.user_id,
            "canceled_total": str(canceled(order).total),
            "said": digests(supplier_order_out(order)),
            "included_tax": str(order.included_tax),
            **{name: str(row._mapping[name]) for name in ("subtotal", "discount", "shipping_cost", "tax", "total")},
        }
        found.append(Fact(CONTEXT, "supplier_order", row.order_key, values))
        if row.report_time is not None:
            found.append(_unreported("supplier_order", row, row.order_key))
    return found


async def _deliveries(tx: Tx, keys: Sequence[str]) -> list[Fact]:
    """Supplier orders whose units need no shipment, are open, and could not be delivered when that was last tried; and those
    that their suppliers have not answered in time, and that could not be rejected.
    """
    is_open = sa.exists().where(_L.supplier_order_key == _O.key, OPEN_DELIVERY)
    failing = (
        sa.select(_O.order_key, _O.id, _O.failures, _O.failure, is_open.label("delivers"))
        .where(_O.order_key.in_(keys), _O.failures > 0, sa.or_(is_open, UNANSWERED))
        .where(_O.status.in_(("OPEN", "ACCEPTED")))
    )
    return [
        Fact(CONTEXT, "delivery" if row.delivers else "answer", row.order_key, {"id": row.id, **failures_of(row)})
        for row in await tx.execute(failing)
    ]


async def _units(tx: Tx, keys: Sequence[str]) -> list[Fact]:
    """Units of every line over all supplier orders: ordered/shipped/canceled."""
    rows: Any = await tx.execute(
        sa.select(_O.order_key, _L.line_item_id, total(_L.quantity), total(_L.shipped), total(_L.canceled))
        .join_from(supplier_order_lines, supplier_orders, _O.key == _L.supplier_order_key)
        .where(_O.order_key.in_(keys))
        .group_by(_O.order_key, _L.line_item_id)
    )
    units: dict[str, dict[str, str]] = {}
    for order_key, line_item_id, quantity, shipped, gone in rows:
        units.setdefault(order_key, {})[line_item_id] = f"{int(quantity)}/{int(shipped)}/{int(gone)}"
    return [Fact(CONTEXT, "units", key, values) for key, values in units.items()]


async def _unreported_lines(tx: Tx, keys: Sequence[str]) -> list[Fact]:
    """Lines whose units the order service cannot know: the change of their supplier order is parked."""
    rows = await tx.execute(
        sa.select(_O.order_key, _L.line_item_id, _O.id)
        .join_from(supplier_order_lines, supplier_orders, _O.key == _L.supplier_order_key)
        .where(_O.order_key.in_(keys), _O.report_parked_time.is_not(None))
    )
    lines: dict[str, dict[str, str]] = {}
    for row in rows:
        lines.setdefault(row.order_key, {})[row.line_item_id] = row.id
    return [Fact(CONTEXT, "unreported_lines", key, values) for key, values in lines.items()]


async def _shipments(tx: Tx, keys: Sequence[str]) -> list[Fact]:
    found: list[Fact] = []
    its = sa.select(_I.shipment_key).where(_I.order_key.in_(keys))
    rows = (await tx.execute(sa.select(shipments).where(_S.key.in_(its)).order_by(_S.key))).all()
    for row, shipment in zip(rows, await SqlShipmentStore(tx, timedelta()).with_items(rows), strict=True):
        for order_key in sorted({item.order_key for item in shipment.items} & set(keys)):
            # Every order learns of its own units only.
            part = replace(shipment, items=tuple(item for item in shipment.items if item.order_key == order_key))
            said = digests(shipment_out(part))
            values = {"key": str(row.key), "id": row.id, "version": str(row.version), "said": said}
            found.append(Fact(CONTEXT, "shipment", order_key, values))
            if row.report_time is not None:
                found.append(_unreported("shipment", row, order_key))
    return found


def _unreported(kind: str, row: Any, order_key: str) -> Fact:
    """Of a row whose newest state the order service does not know: it is on its way, or waits for an operator."""
    if row.report_parked_time is not None:
        return parked(CONTEXT, kind, row, order_key)
    return Fact(CONTEXT, "unreported", order_key, {kind: row.id, "since": row.update_time.isoformat(), **tried(row)})
