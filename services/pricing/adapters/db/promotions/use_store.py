"""Which attempts use which promotions, and how many orders do."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from libs.db import Database, Tx
from services.pricing.adapters.db.tables import PROMOTIONS, REDEMPTIONS, USES
from services.pricing.domain.promotions.conditions import Standing
from services.pricing.domain.promotions.uses import OF_ALL, Limits

_P, _R, _U = PROMOTIONS.c, REDEMPTIONS.c, USES.c
_COUNTED = {"": (0, 0), "RESERVED": (1, 0), "CONFIRMED": (0, 1), "RELEASED": (0, 0), "VOIDED": (0, 0)}
"""By the state of an attempt: how often it counts as reserved and as confirmed, with each promotion that it uses."""
_OF_ATTEMPT = sa.and_(_R.order_key == sa.bindparam("o"), _R.attempt == sa.bindparam("n"))
_SAME = sa.and_(_U.promotion_id == _R.promotion_id, sa.or_(_U.user_key == OF_ALL, _U.user_key == _R.user_key))
# Whoever counts locks in the order of these keys, so that two attempts do not wait for each other.
_LOCK = (
    sa.select(USES, _P.redemption_limit, _P.redemption_limit_per_user)
    .select_from(USES.join(REDEMPTIONS, _SAME).outerjoin(PROMOTIONS, _P.id == _U.promotion_id))
    .where(_OF_ATTEMPT)
    .order_by(_U.promotion_id, _U.user_key)
    .with_for_update(of=USES)
)
_SHIFT = (
    sa.update(USES)
    .where(sa.exists().where(_OF_ATTEMPT, _SAME))
    .values(reserved=_U.reserved + sa.bindparam("more_reserved"), confirmed=_U.confirmed + sa.bindparam("more_confirmed"))
)
_FORGET = sa.delete(REDEMPTIONS).where(_OF_ATTEMPT)


class SqlUseStore:
    """Uses are counted beside their promotions, whose versions and feed do not move by it. An attempt that has ended without its
    order keeps none."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def take(
        self, key: uuid.UUID, attempt: int, promotions: Collection[str], user_key: str
    ) -> Mapping[str, tuple[Limits, Standing]]:
        """Notes what a new attempt uses, counted by nobody yet; what stands of each by the others, locked. A promotion that was
        deleted has no limits any more."""
        ordered = sorted(promotions)
        rows = [{"order_key": key, "attempt": attempt, "promotion_id": id, "user_key": user_key} for id in ordered]
        await self._tx.execute(sa.insert(REDEMPTIONS), rows)
        whose = sorted({OF_ALL, user_key})
        none = [{"promotion_id": id, "user_key": one, "reserved": 0, "confirmed": 0} for id in ordered for one in whose]
        await self._tx.execute(self._tx.insert(USES).on_conflict_do_nothing(), none)
        limits: dict[str, Limits] = {}
        in_all: dict[str, Any] = {}
        of_user: dict[str, Any] = {}
        for row in await self._tx.execute(_LOCK, {"o": key, "n": attempt}):
            limits[row.promotion_id] = Limits(row.redemption_limit, row.redemption_limit_per_user)
            (in_all if row.user_key == OF_ALL else of_user)[row.promotion_id] = row
        return {id: (limits[id], _standing(in_all[id], of_user.get(id))) for id in ordered}

    async def count(self, key: uuid.UUID, attempt: int, before: str, after: str) -> None:
        """Counts what an attempt uses as its state has changed; one that uses nothing costs one statement."""
        named = {"o": key, "n": attempt}
        if before and not (await self._tx.execute(_LOCK, named)).all():
            return
        was, now = _COUNTED[before], _COUNTED[after]
        await self._tx.execute(_SHIFT, {**named, "more_reserved": now[0] - was[0], "more_confirmed": now[1] - was[1]})
        if not any(now):
            await self._tx.execute(_FORGET, named)


def _standing(in_all: Any, of_user: Any | None) -> Standing:
    """What is counted, of all and of one user if it is one."""
    if of_user is None:
        return Standing(uses=in_all.confirmed, reserved=in_all.reserved)
    return Standing(
        uses=in_all.confirmed, reserved=in_all.reserved, uses_of_user=of_user.confirmed, reserved_of_user=of_user.reserved
    )


class SqlUseCounts:
    """Reads how many orders have used promotions."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def confirmed(self, ids: Collection[str]) -> Mapping[str, int]:
        """By promotion; of one that is not here no order has."""
        used = sa.select(_U.promotion_id, _U.confirmed).where(_U.promotion_id.in_(sorted(ids)), _U.user_key == OF_ALL)
        if not ids:
            return {}
        async with self._db.reading() as tx:
            return {row.promotion_id: row.confirmed for row in await tx.execute(used)}
