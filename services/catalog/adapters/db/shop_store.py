"""Products that a customer is shown, in the database.

Every condition is a set of products that an index leads to. Of sets that are small the smallest is where the statement starts;
when none is small, products are walked in the order of the list, and most of them fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from libs.db import Database, Tx
from libs.db.lists import among
from libs.query.request import Page, PageRequest
from services.catalog.adapters.db.tables import CATALOG_PRODUCTS, CATEGORY_PRODUCTS, PRODUCT, PRODUCTS
from services.catalog.adapters.db.visible import Way, shown_products, ways_shown
from services.catalog.domain.shop import Wanted
from services.catalog.domain.visibility import Sight

SMALL = 500
"""Products that are named in a statement instead of being looked for."""


class SqlShop:
    """Fulfils `Shop`: two statements, and one more for the number of all."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def page(self, sight: Sight, wanted: Wanted, request: PageRequest, bound: Mapping[str, str]) -> Page[Any]:
        """A page of products, as messages."""
        dialect = self._db.dialect
        plan = PRODUCT.listing.plan(dialect, request, bound)
        sets = _sets(dialect, wanted)
        within = (sa.exists().where(id == PRODUCTS.c.id, holds) for id, holds in sets)
        condition = sa.and_(PRODUCTS.c.active, shown_products(dialect, sight), *within)
        async with self._db.reading(snapshot=plan.counts) as tx:
            few = await _few(tx, [ways_shown(dialect, sight), *([way] for way in sets)])
            if few is not None:
                condition = sa.and_(among(dialect, PRODUCTS.c.id, few), condition)
            page = await plan.read(tx, sa.select(PRODUCTS).where(condition))
        return page.map(lambda row: PRODUCT.shape.write(row._mapping))


def _sets(dialect: str, wanted: Wanted) -> list[Way]:
    """The sets that a product has to be in: the column that names it, and the rows."""
    found: list[Way] = []
    stands, shelved = CATALOG_PRODUCTS.c, CATEGORY_PRODUCTS.c
    if wanted.catalogs is not None:
        found.append((stands.product_id, among(dialect, stands.catalog_id, wanted.catalogs)))
    if wanted.categories is not None:
        found.append((shelved.product_id, among(dialect, shelved.category_id, wanted.categories)))
    return found


async def _few(tx: Tx, sets: list[list[Way]]) -> list[str] | None:
    """The products of the smallest set, if any is small; each set is the union of its parts, and is read as far as that."""
    parts = []
    for number, set_ in enumerate(sets):
        for id, holds in set_:
            some = sa.select(id.label("id")).where(holds).limit(SMALL + 1).subquery()
            parts.append(sa.select(sa.literal(number).label("number"), some.c.id))
    found: list[set[str]] = [set() for _ in sets]
    rows: Sequence[Any] = (await tx.execute(sa.union_all(*parts))).all() if parts else ()
    for number, id in rows:
        found[number].add(id)
    small = sorted((ids for ids in found if len(ids) <= SMALL), key=len)
    return sorted(small[0]) if small else None
