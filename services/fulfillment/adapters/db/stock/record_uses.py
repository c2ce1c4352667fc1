"""What uses an inventory record, looked for when it is to be deleted."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.errors import Use
from services.fulfillment.adapters.db.tables import reservations, stock_movements, supplier_orders

SHOWN = 5
"""Ids of each kind that are named."""
_M, _V, _O = stock_movements.c, reservations.c, supplier_orders.c
_MINE = (_M.record_key == sa.bindparam("k", type_=sa.Uuid()), _M.order_key != "")


def _some(keys: sa.Select[Any]) -> sa.Select[Any]:
    found = keys.distinct().subquery()
    return sa.select(found.c.key, sa.func.count().over().label("number")).order_by(found.c.key).limit(SHOWN)


_HELD = _some(
    sa.select(_M.order_key.label("key"))
    .join_from(stock_movements, reservations, sa.and_(_V.order_key == _M.order_key, _V.attempt == _M.attempt))
    .where(*_MINE, _V.state == "RESERVED")
)
_GIVEN = _some(
    sa.select(sa.func.coalesce(_O.order_id, _M.order_key).label("key"))
    .outerjoin_from(stock_movements, supplier_orders, _O.order_key == _M.order_key)
    .where(*_MINE, _M.kind.not_in(("RESERVE", "RELEASE")))
)
_USES = {"reservation": _HELD, "order": _GIVEN}
"""Attempts by the keys of their orders; and orders that were given units, of which allocations and shipments may speak."""


async def record_uses(tx: Tx, key: uuid.UUID) -> list[Use]:
    """Of every kind that uses it how many there are, and some of them by name: one statement a kind."""
    found: list[Use] = []
    for kind, statement in _USES.items():
        rows = (await tx.execute(statement, {"k": key})).all()
        if rows:
            found.append(Use(kind, rows[0].number, [row.key for row in rows]))
    return found
