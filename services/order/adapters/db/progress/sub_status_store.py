"""Sub-statuses, and orders that enter them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from libs.audit.trail import Act, note
from libs.auth import PartyKind
from libs.db import Tx
from libs.ids import valid_id
from libs.relay import feed
from services.order.adapters.db.order_store import FIXED, ORDER_UPDATE, bound
from services.order.adapters.db.reading.visibility import condition
from services.order.adapters.db.rows import event_row, order_of, order_row
from services.order.adapters.db.tables import EVENTS, ORDERS, SUB_STATUSES
from services.order.domain.model import Event, Order
from services.order.domain.reading.visibility import Scope
from services.order.domain.status import OrderStatus
from services.order.domain.sub_statuses import SubStatus

O = ORDERS.c  # noqa: E741 - the columns
S = SUB_STATUSES.c


class SqlSubStatusStore:
    """A constant number of statements for any number of orders."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def number(self) -> int:
        """How many sub-statuses there are."""
        return int((await self._tx.execute(sa.select(sa.func.count()).select_from(SUB_STATUSES))).scalar_one())

    async def initials(self) -> dict[str, str]:
        """By status the id of the initial one."""
        return {row.status: row.id for row in await self._tx.execute(sa.select(S.status, S.id).where(S.initial))}

    async def known(self, ids: Sequence[str]) -> dict[str, SubStatus]:
        """Those of these ids that there are; they are not deleted before the transaction ends."""
        statement = sa.select(SUB_STATUSES).where(S.id.in_([id for id in ids if valid_id(id)]))
        rows = (await self._tx.execute(statement.order_by(S.id).with_for_update(read=True))).mappings()
        return {row["id"]: _sub_status_of(row) for row in rows}

    async def orders(self, ids: Sequence[str], scope: Scope) -> dict[str, Order]:
        """By id, the buyer orders that the scope lets see, locked in the order of their keys."""
        wanted = O.id.in_([id for id in ids if valid_id(id)])
        statement = sa.select(ORDERS).where(O.kind == "BUYER", wanted, condition(scope)).order_by(O.key).with_for_update()
        return {row["id"]: order_of(row) for row in (await self._tx.execute(statement)).mappings()}

    async def save(self, made: Sequence[tuple[Order, Event]]) -> None:
        """Orders that are locked, and their events."""
        if not made:
            return
        rows = [order_row(order) for order, _ in made]
        for row in rows:
            for name in FIXED:
                del row[name]
        its = zip(made, rows, strict=True)
        await self._tx.execute(ORDER_UPDATE, [{"b_key": order.key, **bound(row)} for (order, _), row in its])
        note(self._tx, EVENTS.metadata, [Act("order", order.id, event.time) for order, event in made])
        await feed.append(self._tx, EVENTS, [event_row(event) for _, event in made])


def _sub_status_of(row: Any) -> SubStatus:
    parties = frozenset(PartyKind[name] for name in row["parties"])
    return SubStatus(
        id=row["id"],
        status=OrderStatus(row["status"]),
        follows=frozenset(row["follows"]),
        follows_none=row["follows_none"],
        roles=frozenset(row["roles"]),
        parties=parties or frozenset({PartyKind.SELLER}),
        terminal=row["terminal"],
        closed=row["closed"],
    )
