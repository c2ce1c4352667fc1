"""Schedules, rates, reservations and recorded requests in the database."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.idempotency import outcomes
from libs.idempotency.key import RequestKey
from services.pricing.adapters.db.tables import ASSIGNMENTS, COSTS, FLOORS, REQUESTS, RESERVATIONS, SCHEDULES, TAX_RATES
from services.pricing.application.ports import Priced
from services.pricing.domain.schedules.assignment import Key
from services.pricing.domain.schedules.floor import held
from services.pricing.domain.schedules.schedule import Break, Schedule, SchedulesByProduct, article
from services.pricing.domain.tax.rates import Destination, Rate, Rates

RESERVED, CONFIRMED, VOIDED = "RESERVED", "CONFIRMED", "VOIDED"
MAX_PREFIXES = 2_000
"""Postal prefixes that a statement names; beyond it, all rates of the countries are read."""


_A, _F, _S, _T = ASSIGNMENTS.c, FLOORS.c, SCHEDULES.c, TAX_RATES.c
_SCHEDULES = (
    sa.select(
        _A.product_id,
        _A.buyer_id,
        _A.user_group_id,
        _A.variant_id,
        _S.id,
        _S.currency,
        _S.price_breaks,
        _S.min_quantity,
        _S.max_quantity,
        _S.use_cumulative_quantity,
        _S.restricted_quantity,
        _S.sale_start_time,
        _S.sale_end_time,
        _S.owner_supplier_id,
        _S.tax_included,
        _F.unit_price.label("floor"),
        sa.select(COSTS.c.id).exists().label("costed"),
    )
    .join(SCHEDULES, _S.id == _A.price_schedule_id)
    .outerjoin(FLOORS, sa.and_(_F.product_id == _A.product_id, _F.currency == _S.currency, _S.owner_supplier_id != ""))
    .where(
        _A.product_id.in_(sa.bindparam("products", expanding=True)),
        sa.or_(
            sa.and_(_A.user_group_id == "", _A.buyer_id.in_(("", sa.bindparam("buyer")))),
            sa.and_(_A.user_group_id.in_(sa.bindparam("groups", expanding=True)), _A.buyer_id == sa.bindparam("buyer")),
        ),
    )
    .order_by(_A.product_id, _A.variant_id, _S.id)
)
_OF_VARIANTS = _SCHEDULES.where(_A.variant_id.in_(sa.bindparam("variants", expanding=True)))
_BY_GROUP = sa.select(_A.product_id).where(
    _A.product_id.in_(sa.bindparam("products", expanding=True)), _A.buyer_id == sa.bindparam("buyer"), _A.user_group_id != ""
)
_RATES = sa.select(_T.id, _T.country, _T.region, _T.postal_prefix, _T.tax_class, _T.rate, _T.start_time).where(
    _T.country.in_(sa.bindparam("countries", expanding=True)),
    _T.tax_class.in_(sa.bindparam("classes", expanding=True)),
    sa.or_(_T.start_time.is_(None), _T.start_time <= sa.bindparam("now")),
    sa.or_(_T.end_time.is_(None), _T.end_time > sa.bindparam("now")),
)
_RATES_OF_PREFIXES = _RATES.where(_T.postal_prefix.in_(sa.bindparam("prefixes", expanding=True)))


class SqlPriceStore:
    """Reads for whole orders: one statement each, whatever the number of lines."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def schedules(
        self, buyer_id: str, groups: Collection[str], products: Collection[str], variants: Collection[str] | None = ()
    ) -> SchedulesByProduct:
        """The most specific assignments of each product, and of each of these variants that has any; None is all variants: to the
        groups, else to the buyer, else the default. What a supplier's schedule has below the product's floor costs the floor."""
        return (await self.priced(buyer_id, groups, products, variants)).schedules

    async def priced(
        self, buyer_id: str, groups: Collection[str], products: Collection[str], variants: Collection[str] | None = ()
    ) -> Priced:
        """The same, and whether there is any cost schedule."""
        asked: dict[str, Any] = {"products": list(products), "buyer": buyer_id, "groups": sorted(groups)}
        if variants is not None:
            asked["variants"] = ["", *sorted(variants)]
        # Where no schedule is found, as of products that are priced by hand, nothing is known.
        costed = True
        specific: dict[str, tuple[int, dict[str, Schedule]]] = {}
        for row in await self._tx.execute(_SCHEDULES if variants is None else _OF_VARIANTS, asked):
            costed = bool(row.costed)
            level = Key(row.product_id, row.buyer_id, row.user_group_id).level
            priced = article(row.product_id, row.variant_id)
            best, found = specific.get(priced, (-1, {}))
            if level > best:
                found = {}
                specific[priced] = level, found
            if level >= best and row.id not in found:
                found[row.id] = held(schedule_of(row), row.floor)
        return Priced({priced: tuple(found.values()) for priced, (_, found) in specific.items()}, costed)

    async def priced_by_group(self, buyer_id: str, products: Collection[str]) -> bool:
        """Whether any group of the buyer has a price of its own for any of the products."""
        asked = {"products": list(products), "buyer": buyer_id}
        return (await self._tx.execute(_BY_GROUP.limit(1), asked)).first() is not None

    async def rates(self, places: Collection[Destination], classes: Collection[str], now: datetime) -> Rates:
        """Rates that can hold there now; no place at all is no statement.

        A country may have a rate for each of its postal codes, so those of other codes are not read.
        """
        countries = {place.country for place in places}
        if not countries or not classes:
            return Rates(())
        wanted: dict[str, Any] = {"countries": sorted(countries), "classes": sorted(classes), "now": now}
        prefixes = {prefix for place in places for prefix in place.prefixes()}
        few = len(prefixes) <= MAX_PREFIXES
        if few:
            wanted["prefixes"] = sorted(prefixes)
        return Rates(
            Rate(
                country=r.country,
                region=r.region,
                postal_prefix=r.postal_prefix,
                tax_class=r.tax_class,
                rate=Decimal(r.rate),
                start=r.start_time,
                id=r.id,
            )
            for r in await self._tx.execute(_RATES_OF_PREFIXES if few else _RATES, wanted)
        )

    async def any_rate(self) -> bool:
        """Whether anything is taxed anywhere, at any time."""
        return (await self._tx.execute(sa.select(_T.id).limit(1))).first() is not None


def schedule_of(row: Any) -> Schedule:
    """A schedule as it stands in its row."""
    return Schedule(
        id=row.id,
        currency=row.currency,
        breaks=tuple(Break(*item) for item in row.price_breaks),
        min_quantity=row.min_quantity,
        max_quantity=row.max_quantity,
        cumulative=row.use_cumulative_quantity,
        restricted=row.restricted_quantity,
        sale_start=row.sale_start_time,
        sale_end=row.sale_end_time,
        owner=row.owner_supplier_id,
        tax_included=row.tax_included,
    )


class SqlReservationStore:
    """Reservations by (order, attempt). RESERVED ends in CONFIRMED, RELEASED or VOIDED, and CONFIRMED may still be VOIDED; a
    release that comes first stays."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def reserve(self, key: uuid.UUID, attempt: int, expire: datetime, now: datetime) -> bool:
        """Makes it; False when the attempt has a state already."""
        row = {"order_key": key, "attempt": attempt, "state": RESERVED, "expire_time": expire, "update_time": now}
        made = await self._tx.execute(self._tx.insert(RESERVATIONS).on_conflict_do_nothing(), row)
        return bool(made.rowcount == 1)

    async def end(self, key: uuid.UUID, attempt: int, state: str, now: datetime) -> tuple[str, bool]:
        """Moves RESERVED on, or leaves a tombstone; the state that stands, and whether something reserved has come to it now."""
        if await self._move(key, attempt, state, now):
            return state, True
        row = {"order_key": key, "attempt": attempt, "state": state, "expire_time": now, "update_time": now}
        made = await self._tx.execute(self._tx.insert(RESERVATIONS).on_conflict_do_nothing(), row)
        if made.rowcount == 1:
            return state, False
        # A reserve may have committed while the insert waited for it: then there is something to end after all.
        moved = await self._move(key, attempt, state, now)
        return (state, True) if moved else (await self.state(key, attempt), False)

    async def _move(self, key: uuid.UUID, attempt: int, state: str, now: datetime) -> bool:
        c = RESERVATIONS.c
        moved = await self._tx.execute(
            sa.update(RESERVATIONS)
            .where(c.order_key == key, c.attempt == attempt, c.state == RESERVED)
            .values(state=state, update_time=now)
        )
        return moved.rowcount == 1

    async def state(self, key: uuid.UUID, attempt: int) -> str:
        """The state, or an empty text."""
        c = RESERVATIONS.c
        statement = sa.select(c.state).where(c.order_key == key, c.attempt == attempt)
        return str((await self._tx.execute(statement)).scalar() or "")

    async def void(self, key: uuid.UUID, now: datetime) -> dict[int, str]:
        """Moves RESERVED and CONFIRMED of every attempt of an order to VOIDED; the states that they were in, by attempt."""
        c = RESERVATIONS.c
        standing = sa.and_(c.order_key == key, c.state.in_((RESERVED, CONFIRMED)))
        locked = sa.select(c.attempt, c.state).where(standing).order_by(c.attempt).with_for_update()
        found = {row.attempt: row.state for row in await self._tx.execute(locked)}
        if found:
            await self._tx.execute(sa.update(RESERVATIONS).where(standing).values(state=VOIDED, update_time=now))
        return found

    async def expired(self, now: datetime, limit: int) -> list[tuple[uuid.UUID, int]]:
        """Reservations past their time, the oldest first."""
        c = RESERVATIONS.c
        statement = sa.select(c.order_key, c.attempt).where(c.state == RESERVED, c.expire_time < now)
        rows = await self._tx.execute(statement.order_by(c.expire_time, c.order_key, c.attempt).limit(limit))
        return [(row.order_key, row.attempt) for row in rows]


class SqlRequestStore:
    """Remembers requests for 30 days."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def claim(self, request: RequestKey | None, now: datetime) -> bool:
        """Records the request; False when it was made before."""
        return await outcomes.claim(self._tx, REQUESTS, request, {}, now) is None
