"""Products that a customer is shown, in the database.

Every condition is a set of products that an index leads to. Of sets that are small the smallest is where the statement starts;
when none is small but few products are in all that is wanted, it starts at those. Otherwise products are walked in the order of
the list, and many of them fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from libs.db import Database, Tx
from libs.db.among import among
from libs.query.request import Page, PageRequest
from services.catalog.adapters.db.tables import CATALOG_PRODUCTS, CATEGORY_PRODUCTS, PRODUCT, PRODUCT_WORDS, PRODUCTS
from services.catalog.adapters.db.visible import SqlShown, Way, shown_products, ways_shown
from services.catalog.domain.shop import Wanted
from services.catalog.domain.visibility import Sight
from services.catalog.domain.words import LAST

SMALL = 500
"""Products that are named in a statement instead of being looked for."""


class SqlShop:
    """Fulfils `Shop`: two statements, one more where several large sets are wanted, and one for the number of all."""

    def __init__(self, database: Database, shown: SqlShown) -> None:
        self._db = database
        self._shown = shown

    async def one(self, sight: Sight, product_id: str) -> Any:
        """One product, as a message; NOT_FOUND for what is not shown."""
        return await self._shown.products(sight).get(product_id)

    async def page(self, sight: Sight, wanted: Wanted, request: PageRequest, bound: Mapping[str, str]) -> Page[Any]:
        """A page of products, as messages."""
        page = await self.rows(sight, wanted, request, bound)
        return page.map(lambda row: PRODUCT.shape.write(row._mapping))

    async def rows(self, sight: Sight, wanted: Wanted, request: PageRequest, bound: Mapping[str, str]) -> Page[Any]:
        """The same as they are stored."""
        dialect = self._db.dialect
        plan = PRODUCT.listing.plan(dialect, request, bound)
        sets = _sets(dialect, wanted)
        within = (sa.exists().where(id == PRODUCTS.c.id, holds) for id, holds in sets)
        condition = sa.and_(PRODUCTS.c.active, shown_products(dialect, sight, walking=not plan.counts), *within)
        async with self._db.reading(snapshot=plan.counts) as tx:
            few = await _few(tx, [ways_shown(dialect, sight), *([way] for way in sets)])
            if few is None and len(sets) > 1:
                few = await _shared(tx, sets)
            if few is not None:
                condition = sa.and_(among(dialect, PRODUCTS.c.id, few), condition)
            return await plan.read(tx, sa.select(PRODUCTS).where(condition))


def _sets(dialect: str, wanted: Wanted) -> list[Way]:
    """The sets that a product has to be in: the column that names it, and the rows."""
    found: list[Way] = []
    stands, shelved = CATALOG_PRODUCTS.c, CATEGORY_PRODUCTS.c
    if wanted.catalogs is not None:
        found.append((stands.product_id, among(dialect, stands.catalog_id, wanted.catalogs)))
    if wanted.categories is not None:
        found.append((shelved.product_id, among(dialect, shelved.category_id, wanted.categories)))
    said = PRODUCT_WORDS.c
    for word in sorted(wanted.words):
        found.append((said.product_id, sa.and_(said.word >= word, said.word < word + LAST)))
    return found


async def _few(tx: Tx, sets: list[list[Way]]) -> list[str] | None:
    """The products of the smallest set, if any is small. Each is the union of its parts, which are read as far as that: with more
    rows it is large, even if they name few products."""
    parts = [(number, *way) for number, ways in enumerate(sets) for way in ways]
    if not parts:
        return [] if sets else None
    selects = []
    for at, (_, id, holds) in enumerate(parts):
        some = sa.select(id.label("id")).where(holds).limit(SMALL + 1).subquery()
        selects.append(sa.select(sa.literal(at).label("at"), some.c.id))
    rows: list[list[str]] = [[] for _ in parts]
    found: Sequence[Any] = (await tx.execute(sa.union_all(*selects))).all()
    for at, id in found:
        rows[at].append(id)
    large = {number for (number, *_), ids in zip(parts, rows, strict=True) if len(ids) > SMALL}
    named: list[set[str]] = [set() for _ in sets]
    for (number, *_), ids in zip(parts, rows, strict=True):
        named[number].update(ids)
    small = sorted((ids for number, ids in enumerate(named) if number not in large), key=len)
    return sorted(small[0]) if small else None


async def _shared(tx: Tx, sets: list[Way]) -> list[str] | None:
    """The products that all sets share, if those are few. Many are found early; few are found by one pass over one set."""
    (first, holds), *others = sets
    shared = sa.select(first.label("id")).where(holds)
    for at, (id, rows) in enumerate(others):
        there = sa.select(id.label("id")).where(rows).subquery(f"set_{at}")
        shared = shared.where(sa.exists().where(there.c.id == first))
    found: Sequence[Any] = (await tx.execute(shared.limit(SMALL + 1))).all()
    return sorted({id for (id,) in found}) if len(found) <= SMALL else None
