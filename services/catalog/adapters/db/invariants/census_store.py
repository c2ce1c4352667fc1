"""Reads every product for the inspection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from libs.db import Database
from services.catalog.adapters.db.tables import (
    PRODUCT_FACET_VALUES,
    PRODUCT_FACETS,
    PRODUCT_SPECS,
    PRODUCT_WORDS,
    PRODUCTS,
    SPECS,
    VARIANTS,
)
from services.catalog.domain.products.product import MEASURES, StoredProduct
from services.catalog.domain.products.words import SEARCHED

PART = 5_000
"""Products in memory at a time."""


_W = PRODUCT_WORDS.c
_WORDS = sa.select(_W.product_id, _W.word)
_V, _F = PRODUCT_FACET_VALUES.c, PRODUCT_FACETS.c
_VALUES = sa.select(_V.product_id, _V.facet_id, _V.value)
_H, _S, _M = PRODUCT_SPECS.c, SPECS.c, VARIANTS.c
_DEFINING = sa.select(_H.product_id, _S.id, _S.options).join(SPECS, _S.id == _H.spec_id).where(_S.defines_variant)
_MADE = sa.select(_M.product_id, _M.combination)
_FACETS = sa.select(_F.id, _F.xp_path, _F.collected, _F.collected_to)


class CensusReader:
    """`CensusStore` over the service's database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def take(self) -> AsyncIterator[Sequence[StoredProduct]]:
        """One snapshot, in parts by id."""
        c = PRODUCTS.c
        names = (*SEARCHED, "xp", "default_supplier_id", "supplier_ids", "quantity_multiplier", *MEASURES)
        statement = sa.select(*(c[name] for name in names)).order_by(c.id).limit(PART)
        last = ""
        async with self._db.inspecting() as tx:
            facets = (await tx.execute(_FACETS)).all()
            while rows := (await tx.execute(statement.where(c.id > last))).all():
                first, last = last, rows[-1].id
                said: dict[str, set[str]] = {}
                for found in await tx.execute(_WORDS.where(_W.product_id > first, _W.product_id <= last)):
                    said.setdefault(found.product_id, set()).add(found.word)
                counted: dict[str, set[tuple[str, str]]] = {}
                for found in await tx.execute(_VALUES.where(_V.product_id > first, _V.product_id <= last)):
                    counted.setdefault(found.product_id, set()).add((found.facet_id, found.value))
                defining: dict[str, dict[str, frozenset[str]]] = {}
                for spec in await tx.execute(_DEFINING.where(_H.product_id > first, _H.product_id <= last)):
                    defining.setdefault(spec.product_id, {})[spec.id] = _ids(spec.options)
                made: dict[str, list[str]] = {}
                for variant in await tx.execute(_MADE.where(_M.product_id > first, _M.product_id <= last)):
                    made.setdefault(variant.product_id, []).append(variant.combination)
                yield [
                    replace(
                        _stored(row, frozenset(said.get(row.id, ())), frozenset(counted.get(row.id, ())), facets),
                        defining=defining.get(row.id, {}),
                        combinations=made.get(row.id, ()),
                    )
                    for row in rows
                ]


def _ids(options: Any) -> frozenset[str]:
    """Ids of what is stored as options, as far as it is any."""
    known = options if isinstance(options, list) else []
    return frozenset(str(option.get("id", "")) for option in known if isinstance(option, dict))


def _stored(row: Any, words: frozenset[str], values: frozenset[tuple[str, str]], facets: Sequence[Any]) -> StoredProduct:
    collected = {facet.id: facet.xp_path for facet in facets if facet.collected or row.id <= facet.collected_to}
    others = {facet.id: facet.xp_path for facet in facets if facet.id not in collected}
    measures = [getattr(row, name) for name in MEASURES]
    texts = {name: getattr(row, name) for name in SEARCHED}
    fulfilled = (row.default_supplier_id, row.supplier_ids, row.quantity_multiplier)
    return StoredProduct(row.id, *fulfilled, measures, texts, words, row.xp, values, collected, others)
