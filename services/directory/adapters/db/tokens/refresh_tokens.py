"""Refresh tokens, as hashes."""

from __future__ import annotations

import sqlalchemy as sa

from libs.auth import Generations
from libs.clock import Clock
from libs.db import Database, Tx
from libs.service.loops import Loop
from services.directory.adapters.db.tables import CLIENTS, REFRESH_TOKENS, USERS
from services.directory.domain.tokens.grants import RefreshGrant

SIDE_BY_SIDE = 50
"""Refresh tokens of one user and client that hold at the same time; of more the newest. The contract says it."""
FORGOTTEN_AT_ONCE = 10_000
FORGET_PAUSE = 600.0
_R, _U, _C = REFRESH_TOKENS.c, USERS.c, CLIENTS.c


class SqlRefreshTokens:
    """Those of all users within one transaction."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def add(self, digest: str, grant: RefreshGrant) -> bool:
        """Stores what a token stands for, and forgets the oldest of too many; False, and nothing is stored, when its user or its
        client has lost something since it signed in."""
        generations = grant.generations
        client = sa.select(_C.id).where(_C.id == grant.client_id, _C.generation == generations.client)
        user = sa.select(_U.id).where(_U.id == grant.user_id, _U.generation == generations.user)
        # Of one user only one signs in at a time, or more than the newest few would stay.
        if (await self._tx.execute(client.with_for_update(read=True, key_share=True))).first() is None:
            return False
        if (await self._tx.execute(user.with_for_update(key_share=True))).first() is None:
            return False
        row = {
            "token_hash": digest,
            "user_id": grant.user_id,
            "client_id": grant.client_id,
            "roles": list(grant.roles),
            "user_generation": generations.user,
            "client_generation": generations.client,
            "company_generation": generations.company,
            "create_time": grant.create_time,
            "expire_time": grant.expire_time,
        }
        await self._tx.execute(self._tx.insert(REFRESH_TOKENS), row)
        others = sa.and_(_R.user_id == grant.user_id, _R.client_id == grant.client_id, _R.token_hash != digest)
        newest = sa.select(_R.token_hash).where(others).order_by(_R.create_time.desc(), _R.token_hash)
        await self._tx.execute(sa.delete(REFRESH_TOKENS).where(_R.token_hash.in_(newest.offset(SIDE_BY_SIDE - 1))))
        return True

    async def find(self, digest: str) -> RefreshGrant | None:
        """What a token stands for."""
        row = (await self._tx.execute(sa.select(REFRESH_TOKENS).where(_R.token_hash == digest))).first()
        if row is None:
            return None
        generations = Generations(row.user_generation, row.client_generation, row.company_generation)
        return RefreshGrant(row.user_id, row.client_id, row.roles, generations, row.create_time, row.expire_time)


def forgetting(database: Database, clock: Clock) -> Loop:
    """A background loop that forgets tokens whose time is over."""

    async def forget() -> None:
        old = sa.select(_R.token_hash).where(_R.expire_time <= clock.now()).limit(FORGOTTEN_AT_ONCE)
        statement = sa.delete(REFRESH_TOKENS).where(_R.token_hash.in_(old))

        async def some(tx: Tx) -> int:
            return int((await tx.execute(statement)).rowcount)

        while await database.retrying(some) >= FORGOTTEN_AT_ONCE:
            pass

    return Loop("forget_refresh_tokens", forget, FORGET_PAUSE, 60.0)
