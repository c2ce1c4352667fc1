"""Reads the whole database for the audit."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from libs.db import Database
from libs.retries import told
from services.pricing.adapters.db.tables import ASSIGNMENTS, RESERVATIONS, SCHEDULES, TAX_RATES
from services.pricing.application.ports import Census, Held
from services.pricing.domain.assignment import Key
from services.pricing.domain.schedule import Break, misordered

_ALL = (SCHEDULES, ASSIGNMENTS, TAX_RATES, RESERVATIONS)
_ENDED = ("CONFIRMED", "RELEASED")


class CensusReader:
    """`CensusStore` over the service's database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def take(self) -> Census:
        """One snapshot."""
        a, s, t, r = ASSIGNMENTS.c, SCHEDULES.c, TAX_RATES.c, RESERVATIONS.c
        counts = [sa.select(sa.func.count()).select_from(table).scalar_subquery() for table in _ALL]
        lost = sa.select(a.product_id, a.buyer_id, a.price_schedule_id).where(~sa.exists().where(s.id == a.price_schedule_id))
        open_ones = sa.select(RESERVATIONS).where(r.state.not_in(_ENDED)).order_by(r.order_key)
        async with self._db.reading(snapshot=True) as tx:
            counted = (await tx.execute(sa.select(*counts))).one()
            dangling = (await tx.execute(lost)).all()
            schedules = (await tx.execute(sa.select(s.id, s.price_breaks))).all()
            rates = (await tx.execute(sa.select(t.id, t.rate))).all()
            states = (await tx.execute(open_ones)).all()
        return Census(
            {table.name: int(number) for table, number in zip(_ALL, counted, strict=True)},
            tuple((Key(row.product_id, row.buyer_id), row.price_schedule_id) for row in dangling),
            tuple(row.id for row in schedules if misordered([Break(*item) for item in row.price_breaks])),
            tuple(row.id for row in rates if not 0 <= Decimal(row.rate) <= 1),
            tuple(_held(row) for row in states),
        )

    async def reservations(self, order_keys: Sequence[str]) -> Sequence[Held]:
        """What is held for these orders."""
        r = RESERVATIONS.c
        keys = [uuid.UUID(key) for key in order_keys]
        held = sa.select(RESERVATIONS).where(r.state.not_in(_ENDED), r.order_key.in_(keys))
        async with self._db.reading() as tx:
            return [_held(row) for row in await tx.execute(held.order_by(r.order_key))]


def _held(row: Any) -> Held:
    return Held(row.order_key, row.attempt, row.state, told(row))
