"""What is counted of attempts to sign in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from libs.audit import trail
from libs.clock import Clock
from libs.db import Database, Tx
from libs.service.loops import Loop
from services.directory.adapters.db.tables import METADATA, SIGN_INS
from services.directory.application.tokens.throttle import Refusing, Tally

SWEPT_AT_ONCE = 10_000
SWEEP_PAUSE = 60.0
SIGN_IN = "sign-in"
"""The resource in the log of acts."""
NAMED = 400
"""Characters that the log has room for."""
_S = SIGN_INS.c


class SqlSignIns:
    """Counts in one statement each, whatever the number of keys."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def tallies(self, keys: Sequence[str], now: datetime) -> Mapping[str, Tally]:
        """Those that count now."""
        statement = sa.select(_S.key, _S.attempts, _S.end_time).where(_S.key.in_(sorted(keys)))
        async with self._db.reading() as tx:
            rows = (await tx.execute(statement)).all()
        return {row.key: Tally(row.attempts, row.end_time) for row in rows if row.end_time > now}

    async def count(self, keys: Mapping[str, Refusing], now: datetime, end: datetime) -> Mapping[str, int]:
        """One more under each. Rows are written in the order of their keys, so that no two of these wait for each other.

        Every count is had by one attempt alone, so the one that gets to a limit is the only one that notes it.
        """
        rows = [{"key": key, "attempts": 1, "end_time": end} for key in sorted(keys)]

        async def write(tx: Tx) -> dict[str, int]:
            insert = tx.insert(SIGN_INS).values(rows)
            counts = _S.end_time > sa.literal(now, _S.end_time.type)
            changes = {
                "attempts": sa.case((counts, _S.attempts + 1), else_=insert.excluded.attempts),
                "end_time": sa.case((counts, _S.end_time), else_=insert.excluded.end_time),
            }
            statement = insert.on_conflict_do_update(index_elements=["key"], set_=changes).returning(_S.key, _S.attempts)
            counted = {row.key: row.attempts for row in (await tx.execute(statement)).all()}
            begun = [refusing for key, refusing in keys.items() if counted[key] == refusing.limit]
            trail.note(tx, METADATA, [trail.Act(SIGN_IN, one.who[:NAMED], now, action=one.action) for one in begun])
            return counted

        return await self._db.retrying(write)

    async def remember(self, key: str, now: datetime, end: datetime) -> None:
        """The key counts until then, whatever it did before."""

        async def write(tx: Tx) -> None:
            insert = tx.insert(SIGN_INS).values([{"key": key, "attempts": 1, "end_time": end}])
            await tx.execute(insert.on_conflict_do_update(index_elements=["key"], set_={"end_time": insert.excluded.end_time}))

        await self._db.retrying(write)

    def sweeping(self, clock: Clock) -> Loop:
        """A background loop that forgets what counts no more."""

        async def sweep() -> None:
            async def some(tx: Tx) -> int:
                over = sa.select(_S.key).where(_S.end_time <= sa.literal(clock.now(), _S.end_time.type)).limit(SWEPT_AT_ONCE)
                return int((await tx.execute(sa.delete(SIGN_INS).where(_S.key.in_(over)))).rowcount)

            while await self._db.retrying(some) >= SWEPT_AT_ONCE:
                pass

        return Loop("sweep_sign_ins", sweep, SWEEP_PAUSE, 30.0)
