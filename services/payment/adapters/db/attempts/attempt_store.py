"""Attempts to submit, one row each. A release that comes first leaves a tombstone: the late try is refused."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from libs.db import Tx, inserting
from services.payment.adapters.db.tables import ATTEMPTS, LOCK

A = ATTEMPTS.c
_THIS = sa.and_(A.order_key == sa.bindparam("b_key"), A.attempt == sa.bindparam("b_attempt"))
_END = (
    sa.update(ATTEMPTS)
    .where(_THIS, A.state == "RESERVED")
    .values(state=sa.bindparam("b_state"), update_time=sa.bindparam("b_now", type_=A.update_time.type))
)
_STATE = sa.select(A.state).where(_THIS)
_LIVE = sa.select(sa.func.max(A.attempt)).where(A.order_key == sa.bindparam("b_key"), A.state.in_(("RESERVED", "CONFIRMED")))


@cache
def _locking(dialect: str) -> Any:
    insert = inserting(dialect, ATTEMPTS)
    return insert.on_conflict_do_update(
        index_elements=["order_key", "attempt"], set_={"update_time": insert.excluded.update_time}
    )


class SqlAttemptStore:
    """RESERVED ends in CONFIRMED or RELEASED, by conditional updates."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def open(self, key: uuid.UUID, attempt: int, state: str, expire: datetime, now: datetime) -> str:
        """Writes the attempt and returns an empty text, or returns the state that stands there."""
        row = {"order_key": key, "attempt": attempt, "state": state, "expire_time": expire, "update_time": now}
        made = await self._tx.execute(self._tx.insert(ATTEMPTS).on_conflict_do_nothing(), row)
        return "" if made.rowcount == 1 else await self.state(key, attempt)

    async def lock(self, key: uuid.UUID, now: datetime) -> None:
        """Locks the row LOCK, which is made for it when the order has none."""
        row = {"order_key": key, "attempt": LOCK, "state": "LOCK", "expire_time": now, "update_time": now}
        await self._tx.execute(_locking(self._tx.dialect), row)

    async def lock_all(self, keys: Collection[uuid.UUID], now: datetime) -> None:
        """The same of several orders, in the order of their keys."""
        lock = {"attempt": LOCK, "state": "LOCK", "expire_time": now, "update_time": now}
        await self._tx.execute(_locking(self._tx.dialect), [{"order_key": key, **lock} for key in sorted(keys)])

    async def live_of(self, keys: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
        """The attempts of several orders that are reserved or confirmed."""
        newest = sa.select(A.order_key, sa.func.max(A.attempt).label("attempt")).group_by(A.order_key)
        rows = await self._tx.execute(newest.where(A.order_key.in_(list(keys)), A.state.in_(("RESERVED", "CONFIRMED"))))
        return {row.order_key: row.attempt for row in rows}

    async def live(self, key: uuid.UUID) -> int:
        """The attempt that is reserved or confirmed; 0 for none."""
        return int((await self._tx.execute(_LIVE, {"b_key": key})).scalar() or 0)

    async def end(self, key: uuid.UUID, attempt: int, state: str, now: datetime) -> tuple[bool, str]:
        """Moves RESERVED on, or leaves the end of an unknown attempt. Returns whether it moved, and what stands."""
        values = {"b_key": key, "b_attempt": attempt, "b_state": state, "b_now": now}
        if (await self._tx.execute(_END, values)).rowcount == 1:
            return True, state
        stands = await self.open(key, attempt, state, now, now) or state
        if stands == "RESERVED":
            # The update has not seen a try that was not yet committed; the insert has waited for it.
            return (await self._tx.execute(_END, values)).rowcount == 1, state
        return False, stands

    async def end_all(self, key: uuid.UUID, state: str, now: datetime) -> None:
        """Moves every RESERVED attempt of the order on."""
        statement = sa.update(ATTEMPTS).where(A.order_key == key, A.state == "RESERVED")
        await self._tx.execute(statement.values(state=state, update_time=now))

    async def state(self, key: uuid.UUID, attempt: int) -> str:
        """The state of an attempt; empty for an unknown one."""
        return str((await self._tx.execute(_STATE, {"b_key": key, "b_attempt": attempt})).scalar() or "")

    async def any_expired(self, now: datetime) -> bool:
        """Whether a reserved one is past its time."""
        statement = sa.select(A.attempt).where(A.state == "RESERVED", A.expire_time <= now).limit(1)
        return (await self._tx.execute(statement)).first() is not None

    async def claim_expired(self, now: datetime, again: datetime, limit: int) -> list[tuple[uuid.UUID, int]]:
        """Reserved ones past their time; other replicas leave them alone until `again`."""
        statement = (
            sa.select(A.order_key, A.attempt)
            .where(A.state == "RESERVED", A.expire_time <= now)
            .order_by(A.expire_time)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        found = [(row.order_key, row.attempt) for row in await self._tx.execute(statement)]
        if found:
            later = sa.update(ATTEMPTS).where(_THIS, A.state == "RESERVED").values(expire_time=again)
            await self._tx.execute(later, [{"b_key": key, "b_attempt": attempt} for key, attempt in found])
        return found
