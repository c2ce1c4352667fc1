"""Orders that are gone, until nothing of theirs is left elsewhere."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from libs.db import Tx
from services.order.adapters.db.tables import DELETED_ORDERS
from services.order.application.records import Deleted

_D = DELETED_ORDERS.c


class SqlDeletionStore:
    """Fulfils `DeletionStore`."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def unfinished(self, after: tuple[datetime, uuid.UUID] | None, limit: int) -> list[Deleted]:
        """One statement, which an index answers in this order."""
        statement = sa.select(_D.key, _D.id, _D.version, _D.delete_time).where(_D.payments_left)
        if after is not None:
            time, key = after
            statement = statement.where(_D.delete_time >= time, sa.or_(_D.delete_time > time, _D.key > key))
        rows = await self._tx.execute(statement.order_by(_D.delete_time, _D.key).limit(limit))
        return [Deleted(row.key, row.id, row.version, row.delete_time) for row in rows]

    async def finish(self, keys: Sequence[uuid.UUID]) -> None:
        """One statement."""
        await self._tx.execute(sa.update(DELETED_ORDERS).where(_D.key.in_(list(keys))).values(payments_left=False))
