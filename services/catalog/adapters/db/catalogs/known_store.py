"""What there is of what requests name, locked against removal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.db.among import among
from libs.ids import valid_id
from services.catalog.adapters.db.tables import CATALOG_PRODUCTS, CATALOGS, CATEGORIES, CATEGORY_PRODUCTS, PRODUCTS
from services.catalog.domain.catalogs.assignment import CATALOG_PRODUCT, CATEGORY_PRODUCT, Key, Kind, Known, Row
from services.catalog.domain.catalogs.tree import Parents

_C, _G, _P = CATALOGS.c, CATEGORIES.c, PRODUCTS.c


def _kept(statement: sa.Select[Any], *key: sa.ColumnElement[str]) -> sa.Select[Any]:
    """Rows that nobody deletes until this transaction ends, locked in the order of their keys."""
    return statement.order_by(*key).with_for_update(read=True, key_share=True)


class SqlKnownStore:
    """One statement for each kind of thing, in the same order everywhere: catalogs, categories, products, where they stand."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def named(self, kind: Kind, rows: Sequence[Row], owner: str = "") -> Known:
        """What assignments name; with an owner, of products those of that supplier."""
        catalogs: frozenset[str] = frozenset()
        products: frozenset[str] = frozenset()
        categories: dict[str, str] = {}
        standing: frozenset[tuple[str, str]] = frozenset()
        if "catalog_id" in kind.fields:
            catalogs = await self._ids(_C.id, rows, "catalog_id")
        if "category_id" in kind.fields:
            select = sa.select(_G.id, _G.catalog_id).where(self._named(_G.id, rows, "category_id"))
            categories = {row.id: row.catalog_id for row in await self._tx.execute(_kept(select, _G.id))}
        if "product_id" in kind.fields:
            products = await self._products({str(row["product_id"]) for row in rows}, owner, settling=kind is CATALOG_PRODUCT)
        if kind is CATEGORY_PRODUCT:
            standing = await self._standing(set(categories.values()), products)
        return Known(catalogs, categories, products, standing)

    async def settled(self, products: Collection[str], owner: str = "") -> frozenset[str]:
        """Those that exist, of the owner if there is one. Nobody else settles where they stand until the transaction ends."""
        return await self._products(products, owner, settling=True)

    async def _products(self, ids: Collection[str], owner: str, *, settling: bool) -> frozenset[str]:
        select = sa.select(_P.id).where(among(self._tx.dialect, _P.id, ids))
        if owner:
            select = select.where(_P.owner_supplier_id == owner)
        locked = select.order_by(_P.id).with_for_update(key_share=True) if settling else _kept(select, _P.id)
        return frozenset((await self._tx.execute(locked)).scalars())

    def _named(self, id: sa.ColumnElement[str], rows: Sequence[Row], field: str) -> sa.ColumnElement[bool]:
        return among(self._tx.dialect, id, {str(row[field]) for row in rows})

    async def _ids(self, id: sa.ColumnElement[str], rows: Sequence[Row], field: str) -> frozenset[str]:
        statement = _kept(sa.select(id).where(self._named(id, rows, field)), id)
        return frozenset((await self._tx.execute(statement)).scalars())

    async def _standing(self, catalogs: Collection[str], products: Collection[str]) -> frozenset[tuple[str, str]]:
        c, dialect = CATALOG_PRODUCTS.c, self._tx.dialect
        select = sa.select(c.catalog_id, c.product_id).where(
            among(dialect, c.product_id, products), among(dialect, c.catalog_id, catalogs)
        )
        rows = await self._tx.execute(_kept(select, c.catalog_id, c.product_id))
        return frozenset((row.catalog_id, row.product_id) for row in rows)

    async def within(self, pairs: Sequence[Key]) -> list[Key]:
        """The categories of these catalogs that these products stand in, each with its product."""
        c, dialect = CATEGORY_PRODUCTS.c, self._tx.dialect
        select = sa.select(c.category_id, c.product_id, _G.catalog_id).join(CATEGORIES, _G.id == c.category_id)
        select = select.where(
            among(dialect, c.product_id, {product for _, product in pairs}),
            among(dialect, _G.catalog_id, {catalog for catalog, _ in pairs}),
        )
        gone = set(pairs)
        rows = await self._tx.execute(select)
        return [(row.category_id, row.product_id) for row in rows if (row.catalog_id, row.product_id) in gone]

    async def taking_products(self) -> list[str]:
        """The catalogs that take new products."""
        return list((await self._tx.execute(_kept(sa.select(_C.id).where(_C.takes_new_products), _C.id))).scalars())

    async def trees(self, catalogs: Collection[str]) -> Mapping[str, Parents]:
        """The trees of those that exist. Their catalogs are locked first, so what is read is as the last change left it."""
        dialect, wanted = self._tx.dialect, [id for id in catalogs if valid_id(id)]
        locked = sa.select(_C.id).where(among(dialect, _C.id, wanted)).order_by(_C.id).with_for_update(key_share=True)
        trees: dict[str, dict[str, str]] = {id: {} for id in (await self._tx.execute(locked)).scalars()}
        select = sa.select(_G.id, _G.catalog_id, _G.parent_id).where(among(dialect, _G.catalog_id, list(trees)))
        for row in await self._tx.execute(select):
            trees[row.catalog_id][row.id] = row.parent_id
        return trees
