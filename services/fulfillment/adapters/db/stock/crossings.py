"""Thresholds as SQL: the update of a record's counters counts each crossing, and one statement makes alerts of those counted."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from libs.db import Tx, UtcTime
from libs.relay.change import Change
from services.fulfillment.adapters.db.tables import inventory_records, stock_alerts
from services.fulfillment.domain.stock.thresholds import AlertKind

_R, _A = inventory_records.c, stock_alerts.c
_AVAILABLE = _R.on_hand - _R.reserved - _R.allocated
_KNOWN = sa.select(sa.literal(1)).where(_A.record_key == _R.key, _A.number == _R.crossings).correlate(inventory_records)
_CROSSED = (
    sa.insert(stock_alerts)
    .from_select(
        ["record_key", "number", "kind", "notify_below", "available", "create_time"],
        sa.select(
            _R.key,
            _R.crossings,
            sa.case((_R.low_stock, AlertKind.BELOW.value), else_=AlertKind.RECOVERED.value),
            _R.notify_below,
            _AVAILABLE,
            sa.bindparam("now", type_=UtcTime()),
        ).where(
            _R.key.in_(sa.bindparam("keys", expanding=True)), _R.notify_below.is_not(None), _R.crossings > 0, ~_KNOWN.exists()
        ),
        include_defaults=False,
    )
    .returning(_A.record_key, _A.number)
)


def counting(available: sa.ColumnElement[int]) -> dict[str, Any]:
    """What an update sets that makes so many units available: each crossing counts, however often a transaction moves."""
    low: sa.ColumnElement[bool] = sa.func.coalesce(available < _R.notify_below, sa.false())
    return {"low_stock": low, "crossings": _R.crossings + sa.case((low != _R.low_stock, 1), else_=0)}


async def alert(tx: Tx, keys: Sequence[uuid.UUID], now: datetime) -> list[Change]:
    """Adds the alerts of what was counted of these records just now, locked by the count: one statement, none without keys.
    Returns them as changes of the feed, under the keys of their records."""
    if not keys:
        return []
    made = (await tx.execute(_CROSSED, {"keys": list(keys), "now": now})).all()
    if not made:
        return []
    named = sa.select(_R.key, _R.id).where(_R.key.in_([row.record_key for row in made]))
    ids = {row.key: row.id for row in await tx.execute(named)}
    return [Change("stock alert", f"{ids[row.record_key]}/{row.number}", row.number, now) for row in made]
