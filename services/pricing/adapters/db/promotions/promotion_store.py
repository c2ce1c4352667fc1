"""Promotions and their assignments in the database, beside the standard methods."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from libs.db import Database, Tx
from libs.query import Field, Listing
from libs.query.request import Page, PageRequest
from libs.relay.change import assignment_ended, assignment_made
from libs.relay.changes import note
from services.pricing.adapters.db.tables import CHANGES, PROMOTION_ASSIGNMENTS, PROMOTIONS
from services.pricing.domain.promotions.assignment import PromotionAssignment
from services.pricing.domain.promotions.terms import Holder

_NAME = "promotion assignment"
_C, _P = PROMOTION_ASSIGNMENTS.c, PROMOTIONS.c
_KEY = ("promotion_id", "buyer_id", "user_group_id")
_COLUMNS = [_C[name] for name in _KEY]
# The group breaks the ties of this order, and of no other.
_LISTING = Listing({name: Field(_C[name], "text") for name in _KEY}, _C.user_group_id, default_order="promotion_id, buyer_id")


class SqlPromotionStore:
    """Statements, one each, whatever the number of rows."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def active(self, codes: Collection[str]) -> dict[Holder, str]:
        """Ids of active promotions with these codes, by owner and code."""
        statement = sa.select(_P.supplier_id, _P.code, _P.id).where(_P.code.in_(sorted(codes)), _P.active)
        return {(row.supplier_id, row.code): row.id for row in await self._tx.execute(statement)}

    async def known(self, ids: Collection[str], owner: str = "") -> set[str]:
        """Those that exist, of the owner if there is one, locked against removal, in the order of their ids."""
        statement = sa.select(_P.id).where(_P.id.in_(sorted(ids))).order_by(_P.id)
        if owner:
            statement = statement.where(_P.supplier_id == owner)
        return set((await self._tx.execute(statement.with_for_update(read=True, key_share=True))).scalars())

    async def assign(self, assignments: Sequence[PromotionAssignment], now: datetime) -> None:
        """Inserts what does not stand, in the order of the ids, so that two calls do not wait for each other."""
        rows = [dict(zip(_KEY, one.parts, strict=True)) for one in sorted(assignments)]
        await self._tx.execute(self._tx.insert(PROMOTION_ASSIGNMENTS).on_conflict_do_nothing(), rows)
        note(self._tx, CHANGES, [assignment_made(_NAME, list(row.values()), now) for row in rows])

    async def unassign(self, assignments: Sequence[PromotionAssignment], now: datetime, owner: str = "") -> None:
        """Deletes those that stand, with an owner those of its promotions; they are locked in the order of the ids, so that two
        calls do not wait for each other."""
        named = sa.and_(sa.tuple_(*_COLUMNS).in_(sorted({one.parts for one in assignments})), *_owned_by(owner))
        select = sa.select(PROMOTION_ASSIGNMENTS).where(named).order_by(*_COLUMNS).with_for_update()
        gone = (await self._tx.execute(select)).mappings().all()
        if gone:
            await self._tx.execute(sa.delete(PROMOTION_ASSIGNMENTS).where(named))
        note(self._tx, CHANGES, [assignment_ended(_NAME, [row[name] for name in _KEY], now, row) for row in gone])


def _owned_by(owner: str) -> list[sa.ColumnElement[bool]]:
    """Nothing, or that the promotion is its owner's."""
    return [sa.exists().where(_P.id == _C.promotion_id, _P.supplier_id == owner)] if owner else []


class SqlPromotionAssignmentLists:
    """Reads of assignments."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def page(self, request: PageRequest, bound: Mapping[str, str], owner: str = "") -> Page[PromotionAssignment]:
        """A page; with an owner, of assignments of its promotions."""
        plan = _LISTING.plan(self._db.dialect, request, bound)
        async with self._db.reading(snapshot=plan.counts) as tx:
            page = await plan.read(tx, sa.select(PROMOTION_ASSIGNMENTS).where(*_owned_by(owner)))
        return page.map(_assignment)


def _assignment(row: Any) -> PromotionAssignment:
    return PromotionAssignment(row.promotion_id, row.buyer_id, row.user_group_id)
