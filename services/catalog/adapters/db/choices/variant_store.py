"""Variants of products in the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from google.protobuf.json_format import MessageToDict

from libs.db import Database, Tx
from libs.query.request import Page, PageRequest
from libs.relay.change import Change
from libs.relay.changes import note
from services.catalog.adapters.db.tables import CHANGES, VARIANT, VARIANTS
from services.catalog.domain.choices.variants import NewVariant, Row, VariantKey

_V = VARIANTS.c
_KEY = sa.tuple_(_V.product_id, _V.id)
_SET = (*VARIANT.shape.attributes, "version", "update_time")
_UPDATE = (
    sa.update(VARIANTS)
    .where(_V.product_id == sa.bindparam("of_product"), _V.id == sa.bindparam("of_variant"))
    .values({name: sa.bindparam(f"to_{name}", type_=_V[name].type) for name in _SET if name != "product_id"})
)


class SqlVariantStore:
    """Fulfils `VariantStore`: a statement or two each, whatever the number of variants."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def combinations(self, product_id: str) -> Mapping[str, str]:
        """By id the combinations of the variants that a product has."""
        rows = await self._tx.execute(sa.select(_V.id, _V.combination).where(_V.product_id == product_id))
        return {row.id: row.combination for row in rows}

    async def add(self, product_id: str, made: Sequence[NewVariant], now: datetime) -> None:
        """Stores new ones, which are active."""
        nothing = dict.fromkeys(("description", "weight_kg", "length_cm", "width_cm", "height_cm"))
        usual = {"product_id": product_id, "active": True, "xp": {}, "version": 1, "create_time": now, "update_time": now}
        rows = [
            {**nothing, **usual, "id": each.id, "name": each.name, "combination": each.combination}
            for each in sorted(made, key=lambda each: each.id)
        ]
        if rows:
            await self._tx.execute(self._tx.insert(VARIANTS), rows)
        note(self._tx, CHANGES, [_change(row, now) for row in rows])

    async def named(self, keys: Collection[VariantKey]) -> Mapping[VariantKey, Row]:
        """Those that there are."""
        if not keys:
            return {}
        rows = (await self._tx.execute(sa.select(VARIANTS).where(_KEY.in_(sorted(keys))))).mappings()
        return {(row["product_id"], row["id"]): dict(row) for row in rows}

    async def replace(self, rows: Sequence[Row], fields: Collection[str], now: datetime) -> None:
        """Stores them as they have become; `fields` have changed."""
        values = [
            {"of_product": row["product_id"], "of_variant": row["id"], **{f"to_{n}": row[n] for n in _SET if n != "product_id"}}
            for row in rows
        ]
        await self._tx.execute(_UPDATE, values)
        note(self._tx, CHANGES, [_change(row, now, tuple(fields)) for row in rows])

    async def remove(self, key: VariantKey, now: datetime) -> None:
        """Deletes one."""
        await self._remove(_KEY.in_([key]), now, follows=False)

    async def remove_all(self, product_id: str, now: datetime) -> None:
        """Deletes those of a product that goes."""
        await self._remove(_V.product_id == product_id, now, follows=True)

    async def _remove(self, which: sa.ColumnElement[bool], now: datetime, *, follows: bool) -> None:
        gone = (await self._tx.execute(sa.select(VARIANTS).where(which))).mappings().all()
        if not gone:
            return
        await self._tx.execute(sa.delete(VARIANTS).where(which))
        bodies = [MessageToDict(VARIANT.shape.write(row), preserving_proto_field_name=True) for row in gone]
        ended = [_change(row, now, body=body) for row, body in zip(gone, bodies, strict=True)]
        note(self._tx, CHANGES, ended, follows=follows)


def _change(row: Mapping[Any, Any], now: datetime, fields: tuple[str, ...] = (), body: Mapping[str, Any] | None = None) -> Change:
    return Change("variant", f"{row['product_id']}/{row['id']}", row["version"], now, body, fields=fields)


class SqlVariants:
    """Fulfils `Variants`: reads of the variants of a product that the caller sees."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def one(self, key: VariantKey, *, active: bool) -> Row | None:
        """One, if it is there; with `active` only if it is that."""
        async with self._db.reading() as tx:
            row = (await tx.execute(_of(key[0], active).where(_V.id == key[1]))).mappings().first()
        return None if row is None else dict(row)

    async def page(self, product_id: str, request: PageRequest, bound: Mapping[str, str], *, active: bool) -> Page[Row]:
        """A page of them; `bound` is what else its token belongs to."""
        plan = VARIANT.listing.plan(self._db.dialect, request, {**bound, "product": product_id})
        async with self._db.reading(snapshot=plan.counts) as tx:
            page = await plan.read(tx, _of(product_id, active))
        return page.map(lambda row: dict(row._mapping))


def _of(product_id: str, active: bool) -> sa.Select[Any]:
    rows = sa.select(VARIANTS).where(_V.product_id == product_id)
    return rows.where(_V.active) if active else rows
