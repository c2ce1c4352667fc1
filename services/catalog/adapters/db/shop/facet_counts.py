"""How many products of a shop have which values of facets: one statement, however many facets are counted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.db.among import among
from services.catalog.adapters.db.products.facet_store import of_facet
from services.catalog.adapters.db.tables import PRODUCT_FACET_VALUES
from services.catalog.domain.products.facets import SHOWN, Facet, FacetCount

_V = PRODUCT_FACET_VALUES.c
Filters = Mapping[str, Collection[str]]
"""By facet the values of which a product has one."""


async def counts_of(
    tx: Tx, products: sa.Select[Any], filters: Filters, facets: Sequence[Facet], *, few: bool = False
) -> list[FacetCount]:
    """`products` selects the ids of what everything but the filters admits. A facet is counted without its own filter. With `few`
    values are found by these products, else by the facets."""
    ready = [facet for facet in facets if facet.ready]
    counted: dict[str, list[tuple[str, int]]] = {}
    if ready:
        for row in await tx.execute(_statement(tx.dialect, products, filters, [facet.id for facet in ready], few)):
            counted.setdefault(row.facet_id, []).append((row.value, int(row.number)))
    return [FacetCount.of(facet, counted.get(facet.id, ())) for facet in facets]


def _statement(dialect: str, products: sa.Select[Any], filters: Filters, ids: Sequence[str], few: bool) -> sa.Select[Any]:
    """Of each facet the values that most products have, one more than are shown."""
    shown = products.cte("shown")
    narrowing = [id for id in ids if id in filters]
    others = [id for id in ids if id not in filters]
    parts = [_part(dialect, shown, [id], {of: filters[of] for of in filters if of != id}, few) for id in narrowing]
    if others:
        parts.append(_part(dialect, shown, others, filters, few))
    each = (sa.union_all(*parts) if len(parts) > 1 else parts[0]).subquery("each_value").c
    place = sa.func.row_number().over(partition_by=each.facet_id, order_by=(each.number.desc(), each.value)).label("place")
    ranked = sa.select(each.facet_id, each.value, each.number, place).subquery("ranked").c
    first = sa.select(ranked.facet_id, ranked.value, ranked.number).where(ranked.place <= SHOWN + 1)
    return first.order_by(ranked.facet_id, ranked.place)


def _part(dialect: str, shown: sa.CTE, ids: Sequence[str], filters: Filters, few: bool) -> sa.Select[Any]:
    # An expression has no index: SQLite, which has no statistics, would read all values of the facets for few products, too.
    facet: sa.ColumnElement[str] = _V.facet_id.concat("") if few else _V.facet_id
    select = sa.select(_V.facet_id, _V.value, sa.func.count().label("number"))
    # Not a join: SQLite would look at a product once for each of its values.
    select = select.where(among(dialect, facet, ids), _V.product_id.in_(sa.select(shown.c.id)))
    for at, (id, values) in enumerate(sorted(filters.items())):
        has = PRODUCT_FACET_VALUES.alias(f"has_{at}")
        fits = sa.select(sa.literal(1)).where(has.c.product_id == _V.product_id, of_facet(dialect, has, id, sorted(values)))
        select = select.where(fits.correlate(PRODUCT_FACET_VALUES).exists())
    return select.group_by(_V.facet_id, _V.value)
