"""How much fits into one answer: the whole line sets of a thousand orders do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from services.fulfillment.adapters.db.tables import shipment_items, supplier_order_lines, supplier_orders

PAGE_LINES = 5_000
"""Lines, or items, on one page of a list: as many as the largest order has."""
ANSWER_LINES = 10_000
"""Lines and items in one answer to another service."""
_I, _L, _O = shipment_items.c, supplier_order_lines.c, supplier_orders.c


def fitting(lines_of_each: Sequence[int], limit: int) -> int:
    """How many of the first answers have at most `limit` lines together; one at least, so that a list goes on."""
    total = 0
    for n, size in enumerate(lines_of_each):
        total += size
        if n and total > limit:
            return n
    return len(lines_of_each)


async def fitting_rows(tx: Tx, owner: sa.Column[Any], rows: Sequence[Any]) -> int:
    """How many of the first headers fit on a page with all that belongs to them; `owner` is whose a line is."""
    keys = [row.key for row in rows]
    select = sa.select(owner.label("of"), sa.func.count().label("n")).where(owner.in_(keys)).group_by(owner)
    counts = await _counts(tx, select)
    return fitting([counts.get(key, 0) for key in keys], PAGE_LINES)


async def fitting_orders(tx: Tx, keys: Sequence[str]) -> int:
    """How many of the first buyer orders fit into one answer with their supplier orders and shipments."""
    lines = await _counts(
        tx,
        sa.select(_O.order_key.label("of"), sa.func.count().label("n"))
        .join_from(supplier_orders, supplier_order_lines, _L.supplier_order_key == _O.key)
        .where(_O.order_key.in_(keys))
        .group_by(_O.order_key),
    )
    # A shipment is sent with all its items, so those of other orders count as well.
    ours, theirs = shipment_items.alias("ours").c, shipment_items.alias("theirs").c
    mine = sa.select(ours.order_key, ours.shipment_key).where(ours.order_key.in_(keys)).distinct().subquery()
    items = await _counts(
        tx,
        sa.select(mine.c.order_key.label("of"), sa.func.count().label("n"))
        .join(theirs.shipment_key.table, theirs.shipment_key == mine.c.shipment_key)
        .group_by(mine.c.order_key),
    )
    return fitting([lines.get(key, 0) + items.get(key, 0) for key in keys], ANSWER_LINES)


async def _counts(tx: Tx, select: sa.Select[Any]) -> dict[Any, int]:
    return {row.of: row.n for row in await tx.execute(select)}
