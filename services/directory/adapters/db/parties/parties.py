"""Which companies and users there are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.ids import valid_id
from services.directory.adapters.db.tables import BUYERS, SELLERS, SUPPLIERS, USERS

_TABLES = (("BUYER", BUYERS), ("SUPPLIER", SUPPLIERS), ("SELLER", SELLERS))


class SqlParties:
    """Looks companies and members up, in a constant number of statements."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def existing(self, parties: Collection[str]) -> set[str]:
        """Those companies that exist, locked against removal."""
        found: set[str] = set()
        for kind, table in _TABLES:
            ids = sorted({id for k, _, id in (party.partition(":") for party in parties) if k == kind})
            ids = [id for id in ids if valid_id(id)]
            if ids:
                rows = await self._tx.execute(_kept(sa.select(table.c.id).where(table.c.id.in_(ids)), table))
                found |= {f"{kind}:{id}" for id in rows.scalars()}
        return found

    async def active(self, party: str) -> bool:
        """Whether a buyer or supplier takes part; the seller always does."""
        kind, _, id = party.partition(":")
        table = dict(_TABLES)[kind]
        if "active" not in table.c:
            return True
        return bool((await self._tx.execute(sa.select(table.c.active).where(table.c.id == id))).scalar())

    async def members(self, users: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those (company, user id) that exist, locked against removal."""
        ids = sorted({id for _, id in users if valid_id(id)})
        if not ids:
            return set()
        u = USERS.c
        statement = _kept(sa.select(u.party, u.id).where(u.id.in_(ids)), USERS)
        return {(row.party, row.id) for row in await self._tx.execute(statement)}


def _kept(statement: sa.Select[Any], table: sa.Table) -> sa.Select[Any]:
    """Rows that nobody deletes until this transaction ends, locked in the order of their ids."""
    return statement.order_by(table.c.id).with_for_update(read=True, key_share=True)
