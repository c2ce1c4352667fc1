"""Secrets of API clients, and what has to be held to command one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from libs.db import Tx
from libs.relay.change import Change
from libs.relay.changes import append
from services.directory.adapters.db.tables import CHANGES, CLIENT_SECRETS, CLIENTS
from services.directory.contract.access import access_of
from services.directory.domain.tokens.client_secrets import ClientSecret
from services.directory.domain.tokens.grants import ClientAccess

_S = CLIENT_SECRETS.c
_SECRET = (_S.id, _S.name, _S.clue, _S.secret_hash, _S.create_time, _S.end_time)


class SqlClientSecrets:
    """Secrets of API clients."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def limits(self, id: str) -> tuple[str, Sequence[str]] | None:
        """Default user and role limit of a client, locked; none if there is no such client."""
        c = CLIENTS.c
        row = (await self._tx.execute(sa.select(c.default_user_id, c.roles).where(c.id == id).with_for_update())).first()
        return None if row is None else (row.default_user_id, row.roles)

    async def access(self, id: str) -> ClientAccess | None:
        """Whom a client admits, and with what."""
        row = (await self._tx.execute(sa.select(CLIENTS).where(CLIENTS.c.id == id))).mappings().first()
        return None if row is None else access_of(dict(row))

    async def every(self, id: str) -> list[ClientSecret]:
        """Those of a client, oldest first."""
        rows = await self._tx.execute(sa.select(*_SECRET).where(_S.client_id == id).order_by(_S.create_time, _S.id))
        return [ClientSecret(**row) for row in rows.mappings()]

    async def add(self, id: str, secret: ClientSecret, now: datetime) -> None:
        """Stores one more, as a new version of the client, and forgets those that have ended."""
        await self._tx.execute(
            sa.delete(CLIENT_SECRETS).where(_S.client_id == id, _S.end_time <= sa.literal(now, _S.end_time.type))
        )
        await self._tx.execute(self._tx.insert(CLIENT_SECRETS), {"client_id": id, **asdict(secret)})
        await self.note_change(id, now, has_secret=True)

    async def end(self, id: str, secret_ids: Collection[str], end_time: datetime) -> None:
        """Lets secrets end at that time; those that end before keep their own."""
        later = sa.or_(_S.end_time.is_(None), _S.end_time > sa.literal(end_time, _S.end_time.type))
        which = sa.and_(_S.client_id == id, _S.id.in_(sorted(secret_ids)), later)
        await self._tx.execute(sa.update(CLIENT_SECRETS).where(which).values(end_time=end_time))

    async def note_change(self, id: str, now: datetime, **values: bool) -> None:
        """A new version of the client, whose secrets are others."""
        c = CLIENTS.c
        statement = sa.update(CLIENTS).where(c.id == id).values(version=c.version + 1, update_time=now, **values)
        versions = (await self._tx.execute(statement.returning(c.version))).scalars()
        await append(self._tx, CHANGES, [Change("API client", id, version, now) for version in versions])
