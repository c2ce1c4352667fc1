"""Specs and which products have them, in the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.db.among import among
from services.catalog.adapters.db.tables import PRODUCT_SPECS, PRODUCTS, SPECS, VARIANTS
from services.catalog.domain.choices.specs import MAX_DEFINING, Holder, Spec, spec_of

_S, _P, _H, _V = SPECS.c, PRODUCTS.c, PRODUCT_SPECS.c, VARIANTS.c
_RULED = sa.select(_S.id, _S.owner_supplier_id, _S.defines_variant, _S.options, _S.list_order)


class SqlSpecStore:
    """Fulfils `SpecStore`: a statement or three each, whatever the number of specs and products."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def named(self, ids: Collection[str]) -> Mapping[str, Spec]:
        """Those that exist; nobody changes or deletes them until the transaction ends."""
        select = _RULED.where(among(self._tx.dialect, _S.id, ids)).order_by(_S.id).with_for_update(read=True, key_share=True)
        return {row["id"]: spec_of(dict(row)) for row in (await self._tx.execute(select)).mappings()}

    async def one(self, id: str) -> Spec:
        """A spec that is there, as it is stored."""
        row = (await self._tx.execute(_RULED.where(_S.id == id))).mappings().one()
        return spec_of(dict(row))

    async def holders(self, product_ids: Collection[str], owner: str = "") -> Mapping[str, Holder]:
        """Products that exist, of the owner if there is one; nobody else changes their specs or variants until the transaction
        ends."""
        dialect = self._tx.dialect
        select = sa.select(_P.id, _P.owner_supplier_id).where(among(dialect, _P.id, product_ids))
        if owner:
            select = select.where(_P.owner_supplier_id == owner)
        locked = select.order_by(_P.id).with_for_update(key_share=True)
        owners = {row.id: row.owner_supplier_id for row in await self._tx.execute(locked)}
        having = sa.select(_H.product_id, _S.id, _S.defines_variant).join(SPECS, _S.id == _H.spec_id)
        specs: dict[str, dict[str, bool]] = {}
        for row in await self._tx.execute(having.where(among(dialect, _H.product_id, list(owners)))):
            specs.setdefault(row.product_id, {})[row.id] = row.defines_variant
        made = sa.select(_V.product_id).where(among(dialect, _V.product_id, list(owners))).distinct()
        varied = set((await self._tx.execute(made)).scalars())
        return {id: Holder(of, specs.get(id, {}), id in varied) for id, of in owners.items()}

    async def defining(self, product_id: str) -> Sequence[Spec]:
        """Those that define the variants of a product, in their order; nobody changes them until the transaction ends."""
        having = sa.select(_H.spec_id).where(_H.product_id == product_id)
        select = _RULED.where(_S.id.in_(having), _S.defines_variant).order_by(_S.id)
        rows = (await self._tx.execute(select.with_for_update(read=True, key_share=True))).mappings()
        return sorted((spec_of(dict(row)) for row in rows), key=lambda spec: (spec.list_order, spec.id))

    async def is_varied(self, spec_id: str) -> bool:
        """Whether a product that has the spec has variants."""
        exists = sa.exists().where(_H.spec_id == spec_id, _H.product_id == _V.product_id)
        return bool((await self._tx.execute(sa.select(exists))).scalar())

    async def varied_by(self, spec_id: str, option_ids: Collection[str]) -> Collection[str]:
        """Those of the options that variants have, of the products that have the spec."""
        if not option_ids:
            return ()
        text: Any = sa.literal("/") + _V.combination + "/"
        found = [
            sa.select(sa.literal(option).label("id")).where(
                sa.exists().where(
                    _H.spec_id == spec_id, _H.product_id == _V.product_id, text.contains(f"/{spec_id}={option}/", autoescape=True)
                )
            )
            for option in sorted(option_ids)
        ]
        return frozenset((await self._tx.execute(sa.union_all(*found))).scalars())

    async def fills_up(self, spec_id: str) -> bool:
        """Whether a product that has the spec has as many others that define variants as it may. Nobody else changes the specs of
        those products until the transaction ends."""
        holding = sa.select(_H.product_id).where(_H.spec_id == spec_id)
        await self._tx.execute(sa.select(_P.id).where(_P.id.in_(holding)).order_by(_P.id).with_for_update(key_share=True))
        others = (
            sa.select(_H.product_id)
            .join(SPECS, _S.id == _H.spec_id)
            .where(_H.product_id.in_(holding), _S.defines_variant, _S.id != spec_id)
            .group_by(_H.product_id)
            .having(sa.func.count() >= MAX_DEFINING)
            .limit(1)
        )
        return (await self._tx.execute(others)).first() is not None

    async def strange_to(self, product_id: str, owner: str) -> bool:
        """Whether a product has specs of a supplier who is not this one."""
        strange = sa.exists().where(
            _H.product_id == product_id, _H.spec_id == _S.id, _S.owner_supplier_id != "", _S.owner_supplier_id != owner
        )
        return bool((await self._tx.execute(sa.select(strange))).scalar())
