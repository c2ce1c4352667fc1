"""Assignments of every kind in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from libs.db import Database, Tx
from libs.query import Field, Listing
from libs.query.request import Page, PageRequest
from libs.relay.change import assignment_ended, assignment_made
from libs.relay.changes import note
from services.catalog.adapters.db.tables import ASSIGNMENTS, CHANGES, PRODUCTS
from services.catalog.domain.catalogs.assignment import CATEGORY_PRODUCT, KINDS, Key, Kind, Row


class SqlAssignmentStore:
    """Writes, a statement or two each, whatever their number."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def put(self, kind: Kind, rows: Sequence[Row], now: datetime, *, follows: bool = False) -> None:
        """Inserts or replaces, in the order of the keys, so that two calls do not wait for each other."""
        insert = self._tx.insert(ASSIGNMENTS[kind])
        if kind.said:
            said = {name: insert.excluded[name] for name in kind.said}
            insert = insert.on_conflict_do_update(index_elements=kind.fields, set_=said)
        else:
            insert = insert.on_conflict_do_nothing()
        by_key = sorted(rows, key=kind.key)
        await self._tx.execute(insert, [dict(row) for row in by_key])
        note(self._tx, CHANGES, [assignment_made(kind.name, kind.key(row), now) for row in by_key], follows=follows)

    async def remove(self, kind: Kind, keys: Sequence[Key], now: datetime, *, follows: bool = False) -> list[Key]:
        """Deletes those that stand; they are locked in the order of the keys, so that two calls do not wait for each other."""
        if not keys:
            return []
        return await self._remove(kind, sa.tuple_(*_key_of(kind)).in_(sorted(set(keys))), now, follows)

    async def remove_all(self, kind: Kind, field: str, id: str, now: datetime) -> None:
        """Deletes all that name something."""
        await self._remove(kind, ASSIGNMENTS[kind].c[field] == id, now, True)

    async def standing(self, kind: Kind, keys: Sequence[Key]) -> frozenset[Key]:
        """Those that stand, locked in their order."""
        columns = _key_of(kind)
        select = sa.select(*columns).where(sa.tuple_(*columns).in_(sorted(set(keys)))).order_by(*columns).with_for_update()
        return frozenset(tuple(row) for row in await self._tx.execute(select))

    async def _remove(self, kind: Kind, which: sa.ColumnElement[bool], now: datetime, follows: bool) -> list[Key]:
        table = ASSIGNMENTS[kind]
        select = sa.select(table).where(which).order_by(*_key_of(kind)).with_for_update()
        gone = (await self._tx.execute(select)).mappings().all()
        if gone:
            await self._tx.execute(sa.delete(table).where(which))
        ended = [assignment_ended(kind.name, [row[name] for name in kind.fields], now, row) for row in gone]
        note(self._tx, CHANGES, ended, follows=follows)
        return [tuple(str(row[name]) for name in kind.fields) for row in gone]


def _key_of(kind: Kind) -> list[sa.Column[Any]]:
    return [ASSIGNMENTS[kind].c[name] for name in kind.fields]


_FILTERS = {
    "list_order": "int",
    **dict.fromkeys(("visible", "view_all_categories", "view_all_products", "needs_approval", "may_set_prices"), "bool"),
}
_UNFILTERED = ("writable_fields", "comment")


def _listing(kind: Kind) -> Listing:
    """In the order of the key, whose last part breaks the ties; products of a category as the seller has ordered them."""
    c = ASSIGNMENTS[kind].c
    *first, last = kind.fields
    order = [*first, *(["list_order"] if kind is CATEGORY_PRODUCT else [])]
    fields = {name: Field(c[name], _FILTERS.get(name, "text")) for name in (*kind.fields, *kind.said)}
    fields = {name: field for name, field in fields.items() if name not in _UNFILTERED}
    return Listing(fields, c[last], default_order=", ".join(order))


def _of(kind: Kind, supplier_id: str) -> sa.Select[Any]:
    """All, or what is a supplier's or of its products."""
    table = ASSIGNMENTS[kind]
    if not supplier_id:
        return sa.select(table)
    if "supplier_id" in kind.fields:
        return sa.select(table).where(table.c.supplier_id == supplier_id)
    owned = sa.exists().where(PRODUCTS.c.id == table.c.product_id, PRODUCTS.c.owner_supplier_id == supplier_id)
    return sa.select(table).where(owned)


_LISTINGS = {kind: _listing(kind) for kind in KINDS}


class SqlAssignmentLists:
    """Reads of assignments."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def page(self, kind: Kind, request: PageRequest, bound: Mapping[str, str], supplier_id: str = "") -> Page[Row]:
        """A page in the order of the keys; with a supplier, of what is the supplier's or of its products."""
        plan = _LISTINGS[kind].plan(self._db.dialect, request, bound)
        async with self._db.reading(snapshot=plan.counts) as tx:
            page = await plan.read(tx, _of(kind, supplier_id))
        return page.map(lambda row: {name: row._mapping[name] for name in (*kind.fields, *kind.said)})
