"""Attempts in the database."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from libs.db import Json, Tx
from services.order.adapters.db.rows import attempt_of, attempt_row, change_json
from services.order.adapters.db.tables import SUBMISSIONS
from services.order.application.records import Attempt

S = SUBMISSIONS.c


_DECIDE = (
    sa.update(SUBMISSIONS)
    .where(S.order_key == sa.bindparam("key"), S.attempt == sa.bindparam("number"), S.state == "TRYING")
    .values({name: sa.bindparam(f"new_{name}") for name in ("state", "outcome", "reasons", "decide_time", "finished")})
)
_DECIDE_CHANGE = _DECIDE.values(change=sa.bindparam("new_change", type_=Json()))
_FINISH = (
    sa.update(SUBMISSIONS)
    .where(S.order_key == sa.bindparam("key"), S.attempt == sa.bindparam("number"), sa.not_(S.finished), S.state != "TRYING")
    .values(finished=True)
)


class SqlSubmissionStore:
    """The rows that drive a submit or a change to its end."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def insert(self, attempt: Attempt) -> None:
        """A new attempt; a unique index allows one undecided attempt per order."""
        await self._tx.execute(self._tx.insert(SUBMISSIONS), attempt_row(attempt))

    async def get(self, key: uuid.UUID, attempt: int, *, lock: bool = False) -> Attempt | None:
        """An attempt."""
        statement = sa.select(SUBMISSIONS).where(S.order_key == key, S.attempt == attempt)
        row = (await self._tx.execute(statement.with_for_update() if lock else statement)).mappings().first()
        return None if row is None else attempt_of(row)

    async def decide(self, decided: Attempt) -> bool:
        """The only point of no return: False when somebody else has decided."""
        values = {
            "key": decided.order_key,
            "number": decided.attempt,
            "new_state": decided.state,
            "new_outcome": decided.outcome,
            "new_reasons": [asdict(r) for r in decided.reasons],
            "new_decide_time": decided.decide_time,
            "new_finished": decided.finished,
        }
        if decided.change is None:
            return (await self._tx.execute(_DECIDE, values)).rowcount == 1
        return (await self._tx.execute(_DECIDE_CHANGE, {**values, "new_change": change_json(decided.change)})).rowcount == 1

    async def finish(self, key: uuid.UUID, attempt: int) -> bool:
        """Everything that follows from the decision is done."""
        done = await self._tx.execute(_FINISH, {"key": key, "number": attempt})
        return done.rowcount == 1

    async def postpone(self, key: uuid.UUID, attempt: int, until: datetime) -> None:
        """Leaves the attempt alone for a while."""
        await self._tx.execute(
            sa.update(SUBMISSIONS).where(S.order_key == key, S.attempt == attempt).values(next_action_time=until)
        )

    async def any_due(self, now: datetime) -> bool:
        """Whether there is anything to take up; a look that costs no write."""
        due = sa.select(sa.literal(1)).where(sa.not_(S.finished), S.next_action_time <= now).limit(1)
        return (await self._tx.execute(due)).first() is not None

    async def claim_due(self, now: datetime, until: datetime, limit: int) -> list[tuple[uuid.UUID, int]]:
        """Attempts that nobody is driving; they are this caller's until `until`."""
        statement = (
            sa.select(S.order_key, S.attempt)
            .where(sa.not_(S.finished), S.next_action_time <= now)
            .order_by(S.next_action_time)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        due = [(row.order_key, row.attempt) for row in await self._tx.execute(statement)]
        if due:
            mine = (
                sa.update(SUBMISSIONS)
                .where(S.order_key == sa.bindparam("b_key"), S.attempt == sa.bindparam("b_attempt"))
                .values(next_action_time=until)
            )
            await self._tx.execute(mine, [{"b_key": key, "b_attempt": attempt} for key, attempt in due])
        return due
