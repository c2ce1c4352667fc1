"""Rows that are nothing but a key: memberships, and assignments that say no more than to whom."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.relay.change import assignment_ended, assignment_made
from libs.relay.changes import note
from services.directory.adapters.db.tables import CHANGES

Key = tuple[str, ...]
"""A row of a table whose columns are all of its key."""


class Pairs:
    """Rows that are nothing but a key: they are there or not, and each is a change of its own."""

    def __init__(self, resource: str, table: sa.Table) -> None:
        self._resource = resource
        self._table = table
        self._columns = tuple(table.c)
        self._names = tuple(column.name for column in table.c)

    async def add(self, tx: Tx, keys: Collection[Key], now: datetime) -> None:
        """Adds those that are not there."""
        wanted = sorted(set(keys))
        if not wanted:
            return
        there = await self.there(tx, wanted)
        new = [key for key in wanted if key not in there]
        if new:
            insert = tx.insert(self._table).on_conflict_do_nothing()
            await tx.execute(insert, [dict(zip(self._names, key, strict=True)) for key in new])
        note(tx, CHANGES, [assignment_made(self._resource, key, now) for key in new])

    async def there(self, tx: Tx, keys: Collection[Key]) -> set[Key]:
        """Those that are there."""
        if not keys:
            return set()
        rows = await tx.execute(sa.select(*self._columns).where(sa.tuple_(*self._columns).in_(sorted(set(keys)))))
        return {tuple(str(part) for part in row) for row in rows}

    async def remove(self, tx: Tx, keys: Collection[Key], now: datetime) -> list[Key]:
        """Removes those that are there, and returns them."""
        return await self.remove_where(tx, sa.tuple_(*self._columns).in_(sorted(set(keys))), now) if keys else []

    async def remove_where(self, tx: Tx, which: sa.ColumnElement[bool], now: datetime) -> list[Key]:
        """Removes whatever meets a condition, and returns it."""
        select = sa.select(*self._columns).where(which).order_by(*self._columns)
        gone = (await tx.execute(select.with_for_update())).mappings().all()
        if gone:
            await tx.execute(sa.delete(self._table).where(which))
        ended = [assignment_ended(self._resource, [str(row[name]) for name in self._names], now, row) for row in gone]
        note(tx, CHANGES, ended)
        return [tuple(str(row[name]) for name in self._names) for row in gone]


def kept(statement: sa.Select[Any], id: sa.ColumnElement[str], ids: Collection[str]) -> sa.Select[Any]:
    """Rows that nobody deletes until this transaction ends, locked in the order of their ids."""
    return statement.where(id.in_(sorted(ids))).order_by(id).with_for_update(read=True, key_share=True)
