"""The promotions that an order asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from services.pricing.adapters.db.tables import PROMOTION_ASSIGNMENTS, PROMOTIONS, USES
from services.pricing.domain.promotions.asked import MAX_AUTOMATIC, Asked, Known
from services.pricing.domain.promotions.conditions import Standing
from services.pricing.domain.promotions.promotion import Promotion, Target
from services.pricing.domain.promotions.uses import OF_ALL

_A, _P = PROMOTION_ASSIGNMENTS.c, PROMOTIONS.c
_ALL, _OWN = USES.alias("used"), USES.alias("used_by_user")
_COUNTED = {
    "uses": _ALL.c.confirmed,
    "reserved": _ALL.c.reserved,
    "uses_of_user": _OWN.c.confirmed,
    "reserved_of_user": _OWN.c.reserved,
}
"""What is counted of a promotion, by its name in `Standing`."""
_RANK = (sa.case((_P.priority.is_(None), 1), else_=0), _P.priority, _P.id)


class SqlAskedPromotionStore:
    """One statement, whatever is asked for."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def known(self, asked: Asked, now: datetime) -> Sequence[Known]:
        """Those that are kept, the active ones by their codes, in the order of their ids; who asks for none reads nothing.

        Of those that nobody enters only what holds now for whoever orders, so that others take no place of theirs.
        """
        wanted: list[sa.ColumnElement[bool]] = []
        if on_order := sorted(asked.standing | asked.unentered):
            wanted.append(_P.id.in_(on_order))
        if codes := sorted(asked.entered - {""}):
            wanted.append(sa.and_(_P.code.in_(codes), _P.code != "", _P.active))
        assigned = _assigned(asked)
        if asked.automatic:
            wanted.append(_P.id.in_(_automatic(assigned, now)))
        if not wanted:
            return ()
        counted = [column.label(name) for name, column in _COUNTED.items()]
        found = sa.select(PROMOTIONS, assigned.label("assigned"), *counted).select_from(_counted(asked)).where(sa.or_(*wanted))
        return [Known(_promotion(row), _standing(row)) for row in await self._tx.execute(found.order_by(_P.id))]

    async def any_automatic(self) -> bool:
        """Whether any is active that nobody has to enter."""
        return (await self._tx.execute(sa.select(_P.id).where(_P.active, _P.auto_apply).limit(1))).first() is not None


def _assigned(asked: Asked) -> sa.ColumnElement[bool]:
    """Whether a promotion is assigned to the buyer, or to one of the groups of its user."""
    groups = sorted({"", *asked.group_ids})
    return sa.exists().where(_A.promotion_id == _P.id, _A.buyer_id == asked.buyer_id, _A.user_group_id.in_(groups))


def _counted(asked: Asked) -> sa.Join:
    """Promotions with the uses of all and of the user. Those of all are nobody's own."""
    in_all = sa.and_(_ALL.c.promotion_id == _P.id, _ALL.c.user_key == OF_ALL)
    of_user = sa.and_(_OWN.c.promotion_id == _P.id, _OWN.c.user_key == asked.user_key, _OWN.c.user_key != OF_ALL)
    return PROMOTIONS.outerjoin(_ALL, in_all).outerjoin(_OWN, of_user)


def _standing(row: Any) -> Standing:
    return Standing(bool(row.assigned), **{name: getattr(row, name) or 0 for name in _COUNTED})


def _automatic(assigned: sa.ColumnElement[bool], now: datetime) -> sa.Select[Any]:
    holds = [
        _P.active,
        _P.auto_apply,
        sa.or_(_P.start_time.is_(None), _P.start_time <= now),
        sa.or_(_P.end_time.is_(None), _P.end_time > now),
        sa.or_(_P.all_buyers, assigned),
    ]
    return sa.select(_P.id).where(*holds).order_by(*_RANK).limit(MAX_AUTOMATIC)


def _promotion(row: Any) -> Promotion:
    return Promotion(
        id=row.id,
        target=Target(row.target),
        value_expression=row.value_expression,
        eligible_expression=row.eligible_expression,
        supplier_id=row.supplier_id,
        code=row.code,
        active=row.active,
        start_time=row.start_time,
        end_time=row.end_time,
        can_combine=row.can_combine,
        auto_apply=row.auto_apply,
        priority=row.priority,
        redemption_limit=row.redemption_limit,
        redemption_limit_per_user=row.redemption_limit_per_user,
        quantity_limit_per_order=row.quantity_limit_per_order,
        item_limit_per_order=row.item_limit_per_order,
        item_order=row.item_order,
        all_buyers=row.all_buyers,
        api_client_ids=tuple(row.api_client_ids),
    )
