"""What is captured on shipment, in the database."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from services.order.adapters.db.tables import CAPTURES, ORDERS
from services.order.application.records import ShippedCapture

C = CAPTURES.c
_READ = ("order_key", "value", "number", "begin_time", "next_action_time", "failures", "failure")


class SqlCaptureStore:
    """One row an order. Statements do not grow with the number of orders."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def set_values(self, values: Mapping[uuid.UUID, int], now: datetime) -> None:
        """Whole values, laid over what was known: nothing is added to it."""
        if not values:
            return
        insert = self._tx.insert(CAPTURES)
        x = insert.excluded
        statement = insert.on_conflict_do_update(
            index_elements=["order_key"],
            set_={
                "value": x.value,
                "most": sa.case((x.value > C.most, x.value), else_=C.most),
                "number": C.number + 1,
                "begin_time": x.begin_time,
                "next_action_time": x.next_action_time,
                "failures": x.failures,
                "failure": x.failure,
            },
            where=C.value != x.value,
        )
        await self._tx.execute(statement, [_row(key, value, now) for key, value in sorted(values.items())])

    async def finish(self, row: ShippedCapture) -> None:
        """All is taken of what has shipped."""
        await self._tx.execute(_same(row).values(next_action_time=None))

    async def postpone(self, row: ShippedCapture, until: datetime) -> None:
        """Something is missing."""
        await self._tx.execute(_same(row).values(next_action_time=until))

    async def any_due(self, now: datetime) -> bool:
        """Whether there is anything to take up; a look that costs no write."""
        due = sa.select(sa.literal(1)).where(C.next_action_time <= now).limit(1)
        return (await self._tx.execute(due)).first() is not None

    async def claim_due(self, now: datetime, until: datetime, limit: int) -> list[ShippedCapture]:
        """Those that nobody is driving."""
        statement = (
            sa.select(*(C[name] for name in _READ), ORDERS.c.currency)
            .join(ORDERS, ORDERS.c.key == C.order_key)
            .where(C.next_action_time <= now)
            .order_by(C.next_action_time)
            .limit(limit)
            .with_for_update(skip_locked=True, of=CAPTURES)
        )
        due = [ShippedCapture(**row) for row in (await self._tx.execute(statement)).mappings()]
        if due:
            keys = [row.order_key for row in due]
            await self._tx.execute(sa.update(CAPTURES).where(C.order_key.in_(keys)).values(next_action_time=until))
        return due


def _same(row: ShippedCapture) -> Any:
    return sa.update(CAPTURES).where(C.order_key == row.order_key, C.number == row.number)


def _row(key: uuid.UUID, value: int, now: datetime) -> dict[str, Any]:
    return {
        "order_key": key,
        "value": value,
        "most": value,
        "number": 1,
        "begin_time": now,
        "next_action_time": now,
        "failures": 0,
        "failure": None,
    }
