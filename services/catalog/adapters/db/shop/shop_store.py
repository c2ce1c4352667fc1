"""Products that a customer is shown, in the database.

Every condition is a set of products that an index leads to. Of sets that are small the smallest is where the statement starts;
when none is small but few products are in all that is wanted, it starts at those. Otherwise products are walked in the order of
the list, and many of them fit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from libs.db import Database, Tx
from libs.db.among import among
from libs.query.request import Page, PageRequest
from services.catalog.adapters.db.catalogs.visible import SqlShown, Way, shown_products, ways_shown
from services.catalog.adapters.db.choices.configurations import SqlConfigurations
from services.catalog.adapters.db.products.facet_store import SqlFacetStore, of_facet
from services.catalog.adapters.db.shop.facet_counts import counts_of
from services.catalog.adapters.db.tables import (
    CATALOG_PRODUCTS,
    CATEGORY_PRODUCTS,
    PRODUCT,
    PRODUCT_FACET_VALUES,
    PRODUCT_WORDS,
    PRODUCTS,
)
from services.catalog.domain.catalogs.visibility import Sight
from services.catalog.domain.choices.variants import Configurations
from services.catalog.domain.products.facets import Facet, FacetCount
from services.catalog.domain.products.words import LAST
from services.catalog.domain.shop.shop import Sought, Wanted

SMALL = 500
"""Products that are named in a statement instead of being looked for."""


class SqlShop:
    """Fulfils `Shop`: two statements, one more where several large sets are wanted, one for the number of all, and one for counts
    by facets; where a facet that is counted narrows the list, too, what it leaves out is looked for by one or two more."""

    def __init__(self, database: Database, shown: SqlShown) -> None:
        self._db = database
        self._shown = shown
        self._configurations = SqlConfigurations(database)

    async def one(self, sight: Sight, product_id: str) -> Any:
        """One product, as a message; NOT_FOUND for what is not shown."""
        return await self._shown.products(sight).get(product_id)

    async def configured(self, product_ids: Collection[str]) -> Configurations:
        """What can be chosen of products that are shown, without their variants."""
        return await self._configurations.of(product_ids, active=True)

    async def whole(self, product_id: str) -> Configurations:
        """Of one product that is shown, with all its active variants, by id."""
        return await self._configurations.whole(product_id)

    async def facets(self) -> Sequence[Facet]:
        """Every facet, in the order of a shop."""
        async with self._db.reading() as tx:
            return await SqlFacetStore(tx).all()

    async def page(
        self, sight: Sight, wanted: Wanted, request: PageRequest, bound: Mapping[str, str], facets: Sequence[Facet] = ()
    ) -> Sought:
        """A page of products, as messages, and counts by the facets."""
        page, counts = await self.rows(sight, wanted, request, bound, facets)
        return Sought(page.map(lambda row: PRODUCT.shape.write(row._mapping)), counts)

    async def rows(
        self, sight: Sight, wanted: Wanted, request: PageRequest, bound: Mapping[str, str], facets: Sequence[Facet] = ()
    ) -> tuple[Page[Any], list[FacetCount]]:
        """The same as they are stored."""
        plan = PRODUCT.listing.plan(self._db.dialect, request, bound)
        async with self._db.reading(snapshot=plan.counts or bool(facets)) as tx:
            few = await _narrowest(tx, sight, wanted)
            fits = _fitting(tx.dialect, sight, wanted, few, walking=not plan.counts)
            page = await plan.read(tx, sa.select(PRODUCTS).where(fits))
            if not facets:
                return page, []
            filters: Mapping[str, frozenset[str]] = {}
            if any(facet.id in wanted.facets for facet in facets):
                filters, wanted = wanted.facets, replace(wanted, facets={})
                few = await _narrowest(tx, sight, wanted)
            admitted = sa.select(PRODUCTS.c.id).where(_fitting(tx.dialect, sight, wanted, few))
            return page, await counts_of(tx, plan.kept(admitted), filters, facets, few=few is not None)


def _fitting(
    dialect: str, sight: Sight, wanted: Wanted, few: list[str] | None, *, walking: bool = False
) -> sa.ColumnElement[bool]:
    """Products that are shown and wanted. `few` has them all, if it is known; `walking` is for the first of many."""
    within = (sa.exists().where(id == PRODUCTS.c.id, holds) for id, holds in _sets(dialect, wanted))
    condition = sa.and_(PRODUCTS.c.active, shown_products(dialect, sight, walking=walking), *within)
    return condition if few is None else sa.and_(among(dialect, PRODUCTS.c.id, few), condition)


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
    for at, (facet, values) in enumerate(sorted(wanted.facets.items())):
        has = PRODUCT_FACET_VALUES.alias(f"facet_{at}")
        found.append((has.c.product_id, of_facet(dialect, has, facet, sorted(values))))
    return found


async def _narrowest(tx: Tx, sight: Sight, wanted: Wanted) -> list[str] | None:
    """Few products among which everything is that is shown and wanted, if that is easily found."""
    sets = _sets(tx.dialect, wanted)
    few = await _few(tx, [ways_shown(tx.dialect, sight), *([way] for way in sets)])
    return await _shared(tx, sets) if few is None and len(sets) > 1 else few


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
