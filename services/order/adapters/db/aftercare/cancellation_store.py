"""Cancels of open orders on their way, in the database."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from libs.db import Tx
from services.order.adapters.db.tables import CANCELLATIONS
from services.order.application.records import Cancellation

C = CANCELLATIONS.c


class SqlCancellationStore:
    """The rows that drive a cancel to its end."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def insert(self, row: Cancellation) -> bool:
        """False when the order is being canceled already."""
        made = await self._tx.execute(self._tx.insert(CANCELLATIONS).on_conflict_do_nothing(), asdict(row))
        return made.rowcount == 1

    async def get(self, key: uuid.UUID) -> Cancellation | None:
        """The cancel of an order, if any."""
        row = (await self._tx.execute(sa.select(CANCELLATIONS).where(C.order_key == key))).mappings().first()
        return None if row is None else Cancellation(**row)

    async def set_state(self, key: uuid.UUID, state: str) -> None:
        """Moves a cancel on."""
        await self._tx.execute(sa.update(CANCELLATIONS).where(C.order_key == key).values(state=state))

    async def drop(self, key: uuid.UUID) -> None:
        """Forgets a cancel that was refused."""
        await self._tx.execute(sa.delete(CANCELLATIONS).where(C.order_key == key))

    async def any_due(self, now: datetime) -> bool:
        """Whether there is anything to take up; a look that costs no write."""
        due = sa.select(sa.literal(1)).where(C.state != "FINISHED", C.next_action_time <= now).limit(1)
        return (await self._tx.execute(due)).first() is not None

    async def claim_due(self, now: datetime, until: datetime, limit: int) -> list[Cancellation]:
        """Cancels that nobody is driving; they are this caller's until `until`."""
        statement = (
            sa.select(CANCELLATIONS)
            .where(C.state != "FINISHED", C.next_action_time <= now)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        due = [Cancellation(**row) for row in (await self._tx.execute(statement)).mappings()]
        if due:
            keys = [item.order_key for item in due]
            await self._tx.execute(sa.update(CANCELLATIONS).where(C.order_key.in_(keys)).values(next_action_time=until))
        return due
