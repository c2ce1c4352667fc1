"""What can be chosen of products, read from the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from libs.db import Database, Tx
from libs.db.among import among
from services.catalog.adapters.db.tables import PRODUCT_SPECS, SPECS, VARIANTS
from services.catalog.domain.choices.variants import Choice, Configurations, Configured, determined

_H, _S, _V = PRODUCT_SPECS.c, SPECS.c, VARIANTS.c


class SqlConfigurations:
    """Fulfils `Configuring`: two statements, and one more for variants, whatever their number and that of products."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def of(self, product_ids: Collection[str], choices: Sequence[Choice] = (), *, active: bool) -> Configurations:
        """Of these products, with the variants that are chosen; with `active` only variants that are."""
        if not product_ids:
            return Configurations()
        async with self._db.reading(snapshot=True) as tx:
            found = await _configured(tx, product_ids, active)
            wanted = [choice for choice in choices if choice.product_id in found]
            variants = await _chosen(tx, wanted, found, active) if wanted else []
        return Configurations(found, variants)

    async def whole(self, product_id: str) -> Configurations:
        """Of one product with all its active variants, by id."""
        async with self._db.reading(snapshot=True) as tx:
            found = await _configured(tx, [product_id], True)
            if not found:
                return Configurations()
            rows = await tx.execute(sa.select(VARIANTS).where(_V.product_id == product_id, _V.active).order_by(_V.id))
            return Configurations(found, [dict(row) for row in rows.mappings()])


async def _configured(tx: Tx, product_ids: Collection[str], active: bool) -> dict[str, Configured]:
    having = sa.select(_H.product_id, SPECS).join(SPECS, _S.id == _H.spec_id)
    having = having.where(among(tx.dialect, _H.product_id, product_ids)).order_by(_H.product_id, _S.list_order, _S.id)
    specs: dict[str, list[dict[str, Any]]] = {}
    for row in (await tx.execute(having)).mappings():
        specs.setdefault(row["product_id"], []).append({**row, "options": _in_order(row["options"])})
    if not specs:
        return {}
    counting = sa.select(_V.product_id, sa.func.count().label("number")).where(among(tx.dialect, _V.product_id, list(specs)))
    if active:
        counting = counting.where(_V.active)
    counts = {row.product_id: row.number for row in await tx.execute(counting.group_by(_V.product_id))}
    return {id: Configured(rows, counts.get(id, 0)) for id, rows in specs.items()}


def _in_order(options: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(options, key=lambda option: (int(option.get("list_order", 0)), option["id"]))


async def _chosen(tx: Tx, choices: Sequence[Choice], found: Mapping[str, Configured], active: bool) -> list[dict[str, Any]]:
    named = {(choice.product_id, choice.variant_id) for choice in choices if choice.variant_id}
    defining = {id: {str(spec["id"]) for spec in of.specs if spec["defines_variant"]} for id, of in found.items()}
    combined: set[tuple[str, str]] = set()
    for choice in choices:
        if not choice.variant_id and (text := determined(defining[choice.product_id], choice.options)) is not None:
            combined.add((choice.product_id, text))
    if not named and not combined:
        return []
    by_id, by_options = sa.tuple_(_V.product_id, _V.id), sa.tuple_(_V.product_id, _V.combination)
    select = sa.select(VARIANTS).where(sa.or_(by_id.in_(sorted(named)), by_options.in_(sorted(combined))))
    rows = await tx.execute(select.where(_V.active) if active else select)
    return [dict(row) for row in rows.mappings()]
