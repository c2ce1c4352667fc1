"""Secrets of API clients, and what has to be held to command one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from libs.db import Tx
from libs.relay.change import Change
from libs.relay.changes import append
from services.directory.adapters.db.tables import CHANGES, CLIENTS
from services.directory.contract.access import access_of
from services.directory.domain.tokens.grants import ClientAccess


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

    async def set_secret(self, id: str, hashed: str, now: datetime) -> None:
        """Stores the hash, as a new version of the client."""
        c = CLIENTS.c
        values = {"secret_hash": hashed, "version": c.version + 1, "update_time": now}
        statement = sa.update(CLIENTS).where(c.id == id).values(values).returning(c.version)
        versions = (await self._tx.execute(statement)).scalars()
        await append(self._tx, CHANGES, [Change("API client", id, version, now) for version in versions])
