"""Types of payment that the marketplace declares, and who may pay with them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from libs.db import Tx
from services.payment.adapters.db.means.assignment_store import Kind
from services.payment.adapters.db.tables import TYPE_ASSIGNMENTS, TYPES
from services.payment.domain.means.declared import DeclaredType, Key
from services.payment.domain.means.means import Payer

Y, S = TYPES.c, TYPE_ASSIGNMENTS.c
_KIND = Kind("payment type assignment", TYPE_ASSIGNMENTS)


class SqlTypeStore:
    """Whatever is assigned is locked against removal first, in the order of ids."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def of_ids(self, ids: Collection[str], payer: Payer | None = None, *, lock: bool = False) -> dict[str, DeclaredType]:
        """Types by id, with those of their assignments that count for the payer, in two statements at most."""
        if not ids:
            return {}
        statement = sa.select(Y.id, Y.acceptance, Y.active, Y.restricted).where(Y.id.in_(sorted(ids))).order_by(Y.id)
        rows = (await self._tx.execute(statement.with_for_update(read=True) if lock else statement)).all()
        users: dict[str, list[str]] = {}
        groups: dict[str, list[str]] = {}
        restricted = [row.id for row in rows if row.restricted]
        if restricted and payer is not None:
            its = sa.and_(S.user_id.in_(sorted({"", *payer.user_ids})), S.user_group_id.in_(sorted({"", *payer.groups})))
            assigned = sa.select(TYPE_ASSIGNMENTS).where(S.payment_type_id.in_(restricted), S.buyer_id == payer.buyer_id, its)
            for row in await self._tx.execute(assigned):
                kind, who = (groups, row.user_group_id) if row.user_group_id else (users, row.user_id)
                kind.setdefault(row.payment_type_id, []).append(who)
        return {
            r.id: DeclaredType(r.id, r.acceptance, r.active, r.restricted, users.get(r.id, ()), groups.get(r.id, ()))
            for r in rows
        }

    async def assign(self, keys: Collection[Key], now: datetime) -> list[str]:
        """Writes those that do not stand yet; returns types that do not exist, and stores nothing if there are any."""
        ids = sorted({key[0] for key in keys})
        there = sa.select(Y.id).where(Y.id.in_(ids)).order_by(Y.id)
        known = set((await self._tx.execute(there.with_for_update(key_share=True))).scalars())
        missing = [id for id in ids if id not in known]
        new = [] if missing else await _KIND.new(self._tx, sorted(keys))
        if new:
            assigned = sorted({key[0] for key in new})
            await self._tx.execute(sa.update(TYPES).where(Y.id.in_(assigned), ~Y.restricted).values(restricted=True))
            await self._tx.execute(self._tx.insert(TYPE_ASSIGNMENTS), [_KIND.values(key) for key in new])
            _KIND.made(self._tx, new, now)
        return missing

    async def unassign(self, keys: Collection[Key], now: datetime) -> None:
        """Ends those that stand."""
        await _KIND.end(self._tx, keys, now)
