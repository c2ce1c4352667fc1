"""Names and passwords."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from libs.auth import Principal
from libs.db import Tx
from libs.ids import valid_id
from libs.relay.change import Change
from libs.relay.changes import append
from services.directory.adapters.db.people.held_roles import of_users
from services.directory.adapters.db.resources import managed_users
from services.directory.adapters.db.tables import CHANGES, USERS
from services.directory.application.ports import KnownUser

_U = USERS.c
_KNOWN = (_U.id, _U.username, _U.active, _U.roles, _U.party)


class SqlUsers:
    """What a user signs in with."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def names(self, keys: Collection[str]) -> dict[str, str]:
        """User id by folded name."""
        wanted = sorted(key for key in keys if key and "\0" not in key)
        if not wanted:
            return {}
        rows = await self._tx.execute(sa.select(_U.username_key, _U.id).where(_U.username_key.in_(wanted)))
        return {row.username_key: row.id for row in rows}

    async def known(self, ids: Collection[str]) -> dict[str, KnownUser]:
        """Users by id, locked against removal."""
        wanted = sorted(id for id in ids if valid_id(id))
        if not wanted:
            return {}
        statement = sa.select(*_KNOWN).where(_U.id.in_(wanted)).order_by(_U.id)
        rows = (await self._tx.execute(statement.with_for_update(read=True, key_share=True))).all()
        return {user.id: user for user in await self._known(rows)}

    async def keep(self, secrets: Sequence[tuple[str, str, str | None]]) -> None:
        """Stores (id, folded name, password hash); without a hash the password stays."""
        statement = (
            sa.update(USERS)
            .where(_U.id == sa.bindparam("b_id"))
            .values(
                username_key=sa.bindparam("b_key"),
                password_hash=sa.func.coalesce(sa.bindparam("b_hash", type_=sa.String), _U.password_hash),
            )
        )
        await self._tx.execute(statement, [{"b_id": id, "b_key": key, "b_hash": hash} for id, key, hash in secrets])

    async def managed(self, caller: Principal, id: str) -> KnownUser | None:
        """A user that the caller may change, locked."""
        statement = sa.select(*_KNOWN).where(_U.id == id).with_for_update()
        managed = managed_users(caller)
        rows = (await self._tx.execute(statement if managed is None else statement.where(managed))).all()
        return next(iter(await self._known(rows)), None)

    async def _known(self, rows: Sequence[Any]) -> list[KnownUser]:
        """Users with all that they hold."""
        given = await of_users(self._tx, [row.id for row in rows])
        held = {row.id: frozenset(row.roles) | given.get(row.id, frozenset()) for row in rows}
        return [KnownUser(r.id, r.username, r.active, r.roles, held[r.id], r.party) for r in rows]

    async def set_password(self, id: str, hashed: str, now: datetime) -> None:
        """Stores the hash, as a new version of the user."""
        await self._set_password(_U.id == id, id, hashed, now)

    async def change_password(self, id: str, former: str, hashed: str, now: datetime) -> bool:
        """The same, unless another hash than the former one is stored by now: then False."""
        return await self._set_password(sa.and_(_U.id == id, _U.password_hash == former), id, hashed, now)

    async def _set_password(self, which: sa.ColumnElement[bool], id: str, hashed: str, now: datetime) -> bool:
        values = {"password_hash": hashed, "version": _U.version + 1, "update_time": now}
        statement = sa.update(USERS).where(which).values(values).returning(_U.version)
        changes = [Change("user", id, version, now) for version in (await self._tx.execute(statement)).scalars()]
        await append(self._tx, CHANGES, changes)
        return bool(changes)
