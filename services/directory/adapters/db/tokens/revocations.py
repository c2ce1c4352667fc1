"""Generations of users, API clients and companies, and what raises them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa

from libs.auth import PartyKind
from libs.auth.revocations import CLIENT, LONGEST, USER, Revocation, RevocationPage
from libs.clock import Clock
from libs.db import Database, Tx
from libs.service.loops import Loop
from services.directory.adapters.db.tables import BUYERS, CLIENTS, MEMBERS, REVOCATIONS, SELLERS, SUPPLIERS, USERS

PAGE = 10_000
FORGOTTEN_AT_ONCE = 10_000
FORGET_PAUSE = 600.0
COMPANIES = {PartyKind.SELLER.value: SELLERS, PartyKind.BUYER.value: BUYERS, PartyKind.SUPPLIER.value: SUPPLIERS}
_R, _U, _M = REVOCATIONS.c, USERS.c, MEMBERS.c


class SqlRevocations:
    """Raises generations in the transaction of what takes something away: three statements, however many are concerned."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def users(self, ids: Collection[str], now: datetime) -> None:
        """Ends the tokens of these users."""
        if ids:
            await self._raise(USER, USERS, _U.id.in_(sorted(ids)), now)

    async def members(self, group_ids: Collection[str], now: datetime) -> None:
        """Ends the tokens of everyone who is in one of these groups."""
        if group_ids:
            of_groups = sa.select(_M.user_id).where(_M.user_group_id.in_(sorted(group_ids)))
            await self._raise(USER, USERS, _U.id.in_(of_groups), now)

    async def client(self, id: str, now: datetime) -> None:
        """Ends the tokens of everyone who came through an API client."""
        await self._raise(CLIENT, CLIENTS, CLIENTS.c.id == id, now)

    async def companies(self, parties: Collection[str], now: datetime) -> None:
        """Ends the tokens of everyone in these companies, `BUYER:acme`."""
        for kind, table in COMPANIES.items():
            ids = sorted({id for k, _, id in (party.partition(":") for party in parties) if k == kind})
            if ids:
                await self._raise(kind, table, table.c.id.in_(ids), now)

    async def _raise(self, kind: str, table: sa.Table, which: sa.ColumnElement[bool], now: datetime) -> None:
        raised = await self._tx.execute(sa.update(table).where(which).values(generation=table.c.generation + 1))
        if not raised.rowcount:
            return
        if self._tx.dialect == "postgresql":
            # One at a time, so that positions are in the order of commits: who has read one has read all before it.
            name = f'"{REVOCATIONS.schema}"."{REVOCATIONS.name}"' if REVOCATIONS.schema else f'"{REVOCATIONS.name}"'
            await self._tx.execute(sa.text(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE"))
        time = sa.literal(now, _R.time.type)
        rows = sa.select(sa.literal(kind), table.c.id, table.c.generation, time).where(which)
        await self._tx.execute(sa.insert(REVOCATIONS).from_select(["kind", "subject_id", "generation", "time"], rows))
        self._tx.announce(REVOCATIONS)


class SqlRevocationLists:
    """Reads revocations, and forgets those that no token is old enough for."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def after(self, position: int) -> RevocationPage:
        """The page after a position; the first one when there was no such position."""
        newest = sa.select(sa.func.coalesce(sa.func.max(_R.position), 0))
        async with self._db.reading(snapshot=True) as tx:
            last = int((await tx.execute(newest)).scalar_one())
            restart = position > last or position < 0
            begin = 0 if restart else position
            statement = sa.select(REVOCATIONS).where(_R.position > begin).order_by(_R.position).limit(PAGE)
            rows = (await tx.execute(statement)).all() if last > begin else []
        found = [Revocation((row.kind, row.subject_id), row.generation, row.time.timestamp()) for row in rows]
        end = int(rows[-1].position) if rows else begin
        return RevocationPage(found, end, end < last, restart)

    def forgetting(self, clock: Clock) -> Loop:
        """A background loop that forgets what is older than the longest token. The newest stays, so that a position that was
        never given is known as such."""

        async def forget() -> None:
            newest = sa.select(sa.func.max(_R.position)).scalar_subquery()
            long_ago = clock.now() - timedelta(seconds=LONGEST)
            old = sa.select(_R.position).where(_R.time < long_ago, _R.position < newest).limit(FORGOTTEN_AT_ONCE)
            statement = sa.delete(REVOCATIONS).where(_R.position.in_(old))

            async def some(tx: Tx) -> int:
                return int((await tx.execute(statement)).rowcount)

            while await self._db.retrying(some) >= FORGOTTEN_AT_ONCE:
                pass

        return Loop("forget_revocations", forget, FORGET_PAUSE, 60.0)
