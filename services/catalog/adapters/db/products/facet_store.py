"""Facets, and the values that products have by them, in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from libs.db import Tx
from libs.db.among import among
from libs.query.fields import by_bytes
from services.catalog.adapters.db.tables import PRODUCT_FACET_VALUES, PRODUCT_FACETS, PRODUCTS
from services.catalog.application.ports import Collecting
from services.catalog.domain.products.facets import Facet

_F, _V, _P = PRODUCT_FACETS.c, PRODUCT_FACET_VALUES.c, PRODUCTS.c
_ALL = sa.select(_F.id, _F.name, _F.xp_path, _F.min_count, _F.collected).order_by(_F.list_order, _F.id)
# On SQLite there is one writer at a time.
_KEY = "hashtext(current_schema() || '.product_facets')"
_SHARED, _ALONE = (sa.text(f"SELECT pg_advisory_xact_lock{how}({_KEY})") for how in ("_shared", ""))


class SqlFacetStore:
    """Writes, a statement or two each, whatever the number of products and values."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def all(self) -> list[Facet]:
        """Every facet, in the order of a shop."""
        return [Facet(row.id, row.name, row.xp_path, row.min_count, row.collected) for row in await self._tx.execute(_ALL)]

    async def paths(self, *, alone: bool = False) -> dict[str, str]:
        """The path of every facet. Until the transaction ends nobody declares, changes or ends one, or with `alone` reads them
        here to write a product by them."""
        if self._tx.dialect == "postgresql":
            await self._tx.execute(_ALONE if alone else _SHARED)
        return {row.id: row.xp_path for row in await self._tx.execute(sa.select(_F.id, _F.xp_path))}

    async def put(self, values: Mapping[str, frozenset[tuple[str, str]]]) -> None:
        """Notes the values of products, as (facet, value); those that are noted already stay."""
        rows = [
            {"facet_id": facet, "value": value, "product_id": id}
            for id, of in sorted(values.items())
            for facet, value in sorted(of)
        ]
        if rows:
            await self._tx.execute(self._tx.insert(PRODUCT_FACET_VALUES).on_conflict_do_nothing(), rows)

    async def replace(self, product_id: str, values: frozenset[tuple[str, str]]) -> None:
        """What a product has from now on; its row is locked."""
        found = await self._tx.execute(sa.select(_V.facet_id, _V.value).where(_V.product_id == product_id))
        known = frozenset((row.facet_id, row.value) for row in found)
        if gone := known - values:
            which = sa.tuple_(_V.facet_id, _V.value).in_(sorted(gone))
            await self._tx.execute(sa.delete(PRODUCT_FACET_VALUES).where(_V.product_id == product_id, which))
        await self.put({product_id: values - known})

    async def remove(self, product_id: str) -> None:
        """The product is counted no more."""
        await self._tx.execute(sa.delete(PRODUCT_FACET_VALUES).where(_V.product_id == product_id))

    async def clear(self, facet_id: str) -> None:
        """Nothing is counted by the facet, and nothing has been collected for it."""
        await self._tx.execute(sa.delete(PRODUCT_FACET_VALUES).where(_V.facet_id == facet_id))
        anew = sa.update(PRODUCT_FACETS).where(_F.id == facet_id).values(collected=False, collected_to="")
        await self._tx.execute(anew)

    async def collecting(self, facet_id: str = "") -> Collecting | None:
        """A facet whose values are not all collected and that nobody else collects for, locked."""
        due = sa.select(_F.id, _F.xp_path, _F.collected_to).where(_F.collected == sa.false()).order_by(_F.create_time, _F.id)
        if facet_id:
            due = due.where(_F.id == facet_id)
        row = (await self._tx.execute(due.limit(1).with_for_update(skip_locked=True))).first()
        return None if row is None else Collecting(row.id, row.xp_path, row.collected_to)

    async def some_xp(self, after: str, most: int) -> list[tuple[str, object]]:
        """Products with their xp, in the order of the bytes of their ids, locked against change."""
        id = by_bytes(self._tx.dialect, _P.id)
        some = sa.select(_P.id, _P.xp).where(id > after).order_by(id).limit(most).with_for_update(read=True)
        return [(row.id, row.xp) for row in await self._tx.execute(some)]

    async def collected(self, facet_id: str, to: str, whole: bool) -> None:
        """The values of products are kept up to one; or of all."""
        done = sa.update(PRODUCT_FACETS).where(_F.id == facet_id).values(collected=whole, collected_to=to)
        await self._tx.execute(done)


def of_facet(dialect: str, table: sa.FromClause, facet_id: str, values: Sequence[str]) -> sa.ColumnElement[bool]:
    """Rows of `product_facet_values`, or of an alias of it, with one of the values."""
    return sa.and_(table.c.facet_id == facet_id, among(dialect, table.c.value, values))
