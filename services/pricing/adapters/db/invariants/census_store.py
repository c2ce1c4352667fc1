"""Reads the whole database for the inspection."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from libs.db import Database
from libs.service.retries import failures_of
from services.pricing.adapters.db.tables import (
    ASSIGNMENTS,
    COSTS,
    PROMOTION_ASSIGNMENTS,
    PROMOTIONS,
    RESERVATIONS,
    SCHEDULES,
    TAX_RATES,
)
from services.pricing.application.ports import Census, Held
from services.pricing.domain.promotions.assignment import PromotionAssignment
from services.pricing.domain.schedules.assignment import Key
from services.pricing.domain.schedules.schedule import Break, misordered

_ALL = (SCHEDULES, ASSIGNMENTS, COSTS, TAX_RATES, RESERVATIONS, PROMOTIONS, PROMOTION_ASSIGNMENTS)
_STATED = ("RESERVED", "CONFIRMED")
PART = 5_000
"""Reservations in memory at a time."""


class CensusReader:
    """`CensusStore` over the service's database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def take(self) -> Census:
        """One snapshot."""
        a, s, t, r = ASSIGNMENTS.c, SCHEDULES.c, TAX_RATES.c, RESERVATIONS.c
        counts = [sa.select(sa.func.count()).select_from(table).scalar_subquery() for table in _ALL]
        lost = sa.select(a.product_id, a.buyer_id, a.user_group_id, a.variant_id, a.price_schedule_id).where(
            ~sa.exists().where(s.id == a.price_schedule_id)
        )
        gone = sa.select(PROMOTION_ASSIGNMENTS).where(~sa.exists().where(PROMOTIONS.c.id == PROMOTION_ASSIGNMENTS.c.promotion_id))
        unknown = sa.select(RESERVATIONS).where(r.state.not_in((*_STATED, "RELEASED", "VOIDED"))).order_by(r.order_key)
        async with self._db.reading(snapshot=True) as tx:
            counted = (await tx.execute(sa.select(*counts))).one()
            dangling = (await tx.execute(lost)).all()
            schedules = (await tx.execute(sa.select(s.id, s.price_breaks))).all()
            costs = (await tx.execute(sa.select(COSTS.c.id, COSTS.c.price_breaks))).all()
            rates = (await tx.execute(sa.select(t.id, t.rate))).all()
            states = (await tx.execute(unknown)).all()
            unpromoted = (await tx.execute(gone)).all()
        return Census(
            {table.name: int(number) for table, number in zip(_ALL, counted, strict=True)},
            tuple(
                (Key(row.product_id, row.buyer_id, row.user_group_id, row.variant_id), row.price_schedule_id) for row in dangling
            ),
            tuple(row.id for row in schedules if not _ascend(row.price_breaks)),
            tuple(row.id for row in costs if not _ascend(row.price_breaks)),
            tuple(row.id for row in rates if not _is_share(row.rate)),
            tuple(_held(row) for row in states),
            tuple(PromotionAssignment(row.promotion_id, row.buyer_id, row.user_group_id) for row in unpromoted),
        )

    async def reservations(self, order_keys: Sequence[str]) -> Sequence[Held]:
        """What is held for these orders."""
        r = RESERVATIONS.c
        keys = [uuid.UUID(key) for key in order_keys]
        held = sa.select(RESERVATIONS).where(r.state.in_(_STATED), r.order_key.in_(keys))
        async with self._db.reading() as tx:
            return [_held(row) for row in await tx.execute(held.order_by(r.order_key))]

    async def stated(self) -> AsyncIterator[Held]:
        """What is reserved or confirmed, in the order of the orders' keys, a part at a time."""
        r = RESERVATIONS.c
        ordered = sa.select(RESERVATIONS).where(r.state.in_(_STATED)).order_by(r.order_key, r.attempt).limit(PART)
        part = ordered
        async with self._db.inspecting() as tx:
            while rows := (await tx.execute(part)).all():
                for row in rows:
                    yield _held(row)
                last = rows[-1]
                later = sa.and_(r.order_key == last.order_key, r.attempt > last.attempt)
                part = ordered.where(sa.or_(r.order_key > last.order_key, later))


def _ascend(stored: Any) -> bool:
    """Whether what is stored are price breaks at all, and in their order."""
    try:
        return not misordered([Break(*item) for item in stored])
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return False


def _is_share(stored: Any) -> bool:
    """Whether a rate is a number from 0 to 1."""
    try:
        return 0 <= Decimal(stored) <= 1
    except (ArithmeticError, TypeError, ValueError):
        return False


def _held(row: Any) -> Held:
    return Held(row.order_key, row.attempt, row.state, failures_of(row))
