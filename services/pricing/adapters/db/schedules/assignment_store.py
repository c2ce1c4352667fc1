"""Assignments of price schedules in the database."""

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
from services.pricing.adapters.db.stores import schedule_of
from services.pricing.adapters.db.tables import ASSIGNMENTS, CHANGES, SCHEDULES
from services.pricing.domain.schedules.assignment import Assignment, Key
from services.pricing.domain.schedules.schedule import Schedule

_NAME = "price assignment"
_C = ASSIGNMENTS.c
_KEY = ("product_id", "buyer_id", "user_group_id", "variant_id")
_COLUMNS = [_C[name] for name in _KEY]
# A product has one assignment per buyer, group and variant, so the variant breaks the ties of this order, and of no other.
_LISTING = Listing(
    {name: Field(_C[name], "text") for name in (*_KEY, "price_schedule_id")},
    _C.variant_id,
    default_order="product_id, buyer_id, user_group_id",
)


class SqlAssignmentStore:
    """Writes, one statement each, whatever their number."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def schedules(self, ids: Collection[str], owner: str = "") -> dict[str, Schedule]:
        """Those that exist, of the owner if there is one, locked against removal and change. An owner's are locked against
        each other's assignments, too, so that what they price can be counted."""
        statement = sa.select(SCHEDULES).where(SCHEDULES.c.id.in_(sorted(ids))).order_by(SCHEDULES.c.id)
        if owner:
            statement = statement.where(SCHEDULES.c.owner_supplier_id == owner)
        rows = await self._tx.execute(statement.with_for_update(read=not owner, key_share=True))
        return {row.id: schedule_of(row) for row in rows}

    async def put(self, assignments: Sequence[Assignment], now: datetime) -> None:
        """Inserts or replaces, in the order of the keys, so that two calls do not wait for each other."""
        insert = self._tx.insert(ASSIGNMENTS)
        rows = [
            {**dict(zip(_KEY, _parts(a.key), strict=True)), "price_schedule_id": a.schedule_id}
            for a in sorted(assignments, key=lambda a: _parts(a.key))
        ]
        await self._tx.execute(
            insert.on_conflict_do_update(index_elements=_KEY, set_={"price_schedule_id": insert.excluded.price_schedule_id}), rows
        )
        note(self._tx, CHANGES, [assignment_made(_NAME, [row[name] for name in _KEY], now) for row in rows])

    async def remove(self, keys: Sequence[Key], now: datetime, owner: str = "") -> None:
        """Deletes those that stand, with an owner those that lead to its schedules; they are locked in the order of the keys, so
        that two calls do not wait for each other."""
        named = sa.and_(sa.tuple_(*_COLUMNS).in_(sorted({_parts(key) for key in keys})), *_leading_to(owner))
        select = sa.select(ASSIGNMENTS).where(named).order_by(*_COLUMNS).with_for_update()
        gone = (await self._tx.execute(select)).mappings().all()
        if gone:
            await self._tx.execute(sa.delete(ASSIGNMENTS).where(named))
        note(self._tx, CHANGES, [assignment_ended(_NAME, [row[name] for name in _KEY], now, row) for row in gone])

    async def priced_by(self, schedule_id: str, limit: int) -> list[str]:
        """The products that a schedule prices, each once."""
        statement = sa.select(_C.product_id).where(_C.price_schedule_id == schedule_id).distinct()
        return list((await self._tx.execute(statement.order_by(_C.product_id).limit(limit))).scalars())

    async def overfull(self, schedule_ids: Collection[str], limit: int) -> set[str]:
        """Those of the schedules that price more products than that."""
        number = sa.func.count(_C.product_id.distinct())
        statement = sa.select(_C.price_schedule_id).where(_C.price_schedule_id.in_(sorted(schedule_ids)))
        return set((await self._tx.execute(statement.group_by(_C.price_schedule_id).having(number > limit))).scalars())


def _leading_to(owner: str) -> list[sa.ColumnElement[bool]]:
    """Nothing, or that a schedule is its owner's."""
    owned = sa.exists().where(SCHEDULES.c.id == _C.price_schedule_id, SCHEDULES.c.owner_supplier_id == owner)
    return [owned] if owner else []


def _defaults_of(owner: str) -> list[sa.ColumnElement[bool]]:
    """Nothing, or that it is a default that leads to a schedule of the owner."""
    return [_C.buyer_id == "", _C.user_group_id == "", *_leading_to(owner)] if owner else []


class SqlAssignmentLists:
    """Reads of assignments."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def of_products(self, product_ids: Sequence[str], owner: str = "") -> list[Assignment]:
        """Of these products, by product, buyer and group; with an owner, defaults that lead to its schedules."""
        statement = sa.select(ASSIGNMENTS).where(_C.product_id.in_(list(product_ids)), *_defaults_of(owner))
        async with self._db.reading() as tx:
            rows = (await tx.execute(statement.order_by(*_COLUMNS))).all()
        return [_assignment(row) for row in rows]

    async def page(self, request: PageRequest, bound: Mapping[str, str], owner: str = "") -> Page[Assignment]:
        """A page of the same."""
        plan = _LISTING.plan(self._db.dialect, request, bound)
        async with self._db.reading(snapshot=plan.counts) as tx:
            page = await plan.read(tx, sa.select(ASSIGNMENTS).where(*_defaults_of(owner)))
        return page.map(_assignment)


def _assignment(row: Any) -> Assignment:
    return Assignment(Key(row.product_id, row.buyer_id, row.user_group_id, row.variant_id), row.price_schedule_id)


def _parts(key: Key) -> tuple[str, str, str, str]:
    """As the columns of `_KEY` hold it."""
    return key.product_id, key.buyer_id, key.group_id, key.variant_id
