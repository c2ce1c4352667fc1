"""Decisions about holds that fulfillment does not have yet, in the database."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from libs.db import Tx
from services.order.adapters.db.tables import HOLD_COMMANDS
from services.order.application.records import HoldCommand

H = HOLD_COMMANDS.c


class SqlHoldStore:
    """One row an order while fulfillment does not have the newest decision."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def set_command(self, command: HoldCommand) -> None:
        """The newest decision; the order is locked."""
        insert = self._tx.insert(HOLD_COMMANDS)
        x = insert.excluded
        await self._tx.execute(
            insert.on_conflict_do_update(
                index_elements=["order_key"],
                set_={name: x[name] for name in ("held", "version", "begin_time", "next_action_time", "failures", "failure")},
            ),
            asdict(command),
        )

    async def command(self, key: uuid.UUID) -> HoldCommand | None:
        """The decision about an order that fulfillment does not have yet."""
        row = (await self._tx.execute(sa.select(HOLD_COMMANDS).where(H.order_key == key))).mappings().first()
        return None if row is None else HoldCommand(**row)

    async def acknowledge(self, command: HoldCommand) -> None:
        """Fulfillment has it; a newer decision stays."""
        await self._tx.execute(sa.delete(HOLD_COMMANDS).where(H.order_key == command.order_key, H.version == command.version))

    async def any_due(self, now: datetime) -> bool:
        """Whether there is anything to take up; a look that costs no write."""
        due = sa.select(sa.literal(1)).where(H.next_action_time <= now).limit(1)
        return (await self._tx.execute(due)).first() is not None

    async def claim_due(self, now: datetime, until: datetime, limit: int) -> list[HoldCommand]:
        """Commands that nobody is driving."""
        statement = (
            sa.select(HOLD_COMMANDS)
            .where(H.next_action_time <= now)
            .order_by(H.next_action_time)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        due = [HoldCommand(**row) for row in (await self._tx.execute(statement)).mappings()]
        if due:
            keys = [command.order_key for command in due]
            await self._tx.execute(sa.update(HOLD_COMMANDS).where(H.order_key.in_(keys)).values(next_action_time=until))
        return due
