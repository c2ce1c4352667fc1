"""Which units wait for stock, as it is shown: a constant number of statements for any number of records and orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.db import Tx
from services.fulfillment.adapters.db.tables import (
    HELD,
    WAITING_CHANGED,
    allocations,
    inventory_records,
    reservations,
    supplier_orders,
)
from services.fulfillment.domain.stock.waiting import Held, Source, Wait

_A, _O, _R, _V = allocations.c, supplier_orders.c, inventory_records.c, reservations.c
_WANTED: sa.BindParameter[Any] = sa.bindparam("wanted", expanding=True)
_CHANGED = sa.select(_R.key).where(WAITING_CHANGED).order_by(_R.key).limit(sa.bindparam("limit"))
_SUBMITTED = sa.select(sa.func.min(_V.create_time)).where(_V.order_key == _O.order_key, _V.state == "CONFIRMED").scalar_subquery()
_HELD = (
    sa.select(
        _A.key, _A.supplier_order_key, _A.record_key, (_A.quantity - _A.shipped).label("units"), _A.backordered, _A.expected_time
    )
    .join_from(allocations, supplier_orders, _O.key == _A.supplier_order_key)
    .where(HELD, _A.record_key.in_(_WANTED))
    .order_by(_A.record_key, _SUBMITTED, _O.order_key, _A.key)
)
_SOURCES = (
    sa.select(_R.key, _R.on_hand, _R.expected_time, (_R.version + _R.bookings).label("edition"))
    .where(_R.key.in_(_WANTED))
    .order_by(_R.key)
)
_LOCKED = _SOURCES.with_for_update()
_SHOW = (
    sa.update(allocations)
    .where(_A.key == sa.bindparam("k"))
    .values(backordered=sa.bindparam("new_units"), expected_time=sa.bindparam("new_time"))
)
_SHOWN = (
    sa.update(inventory_records)
    .where(_R.key == sa.bindparam("k"))
    .values(waiting=sa.bindparam("new_units"), waiting_shown=sa.bindparam("new_edition"))
)


class SqlWaitingStore:
    """Fulfils `WaitingStore`."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def changed(self, limit: int) -> list[UUID]:
        """Keys of records that units wait for, or waited for, and that have moved or were edited since that was shown."""
        return list((await self._tx.execute(_CHANGED, {"limit": limit})).scalars())

    async def held(self, records: Iterable[UUID]) -> list[Held]:
        """Open units of records: by record, those of the order that was submitted first coming first."""
        rows = await self._tx.execute(_HELD, {"wanted": sorted(set(records))})
        # What has left meanwhile is shown no more, whatever is stored.
        return [
            Held(r.key, r.supplier_order_key, r.record_key, r.units, min(r.backordered, r.units), r.expected_time) for r in rows
        ]

    async def sources(self, records: Iterable[UUID], lock: bool = False) -> dict[UUID, Source]:
        """Records; with `lock` in the order of their keys."""
        rows = await self._tx.execute(_LOCKED if lock else _SOURCES, {"wanted": sorted(set(records))})
        return {r.key: Source(r.on_hand, r.expected_time, r.edition) for r in rows}

    async def show(self, waits: Mapping[Held, Wait], looked: Mapping[UUID, Source], waiting: Mapping[UUID, int]) -> None:
        """Stores what is shown of allocations, and that the records were looked at, with how many units wait for each: two
        statements."""
        if waits:
            await self._tx.execute(
                _SHOW, [{"k": h.allocation_key, "new_units": w.units, "new_time": w.expected_time} for h, w in waits.items()]
            )
        if looked:
            await self._tx.execute(
                _SHOWN, [{"k": k, "new_units": waiting.get(k, 0), "new_edition": source.edition} for k, source in looked.items()]
            )
