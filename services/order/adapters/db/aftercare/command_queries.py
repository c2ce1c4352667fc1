"""Cancels and holds that are not carried out yet, by the public ids of their orders, for operators."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.query import Field, Listing
from libs.query.request import Page, PageRequest
from services.order.adapters.db.tables import CANCELLATIONS, HOLD_COMMANDS, ORDERS
from services.order.application.aftercare.operate_commands import OrderCommand

C, H = CANCELLATIONS.c, HOLD_COMMANDS.c
O = ORDERS.c  # noqa: E741 - the columns, as everywhere in adapters
_CANCELS = sa.select(
    C.order_key,
    sa.literal("CANCEL").label("type"),
    (C.state != "FREEZING").label("decided"),
    sa.func.coalesce(C.begin_time, C.next_action_time).label("begin_time"),
    C.next_action_time,
).where(C.state != "FINISHED")
_HOLDS = sa.select(
    H.order_key,
    sa.case((H.held, "HOLD"), else_="RELEASE_HOLD").label("type"),
    sa.true().label("decided"),
    H.begin_time,
    H.next_action_time,
)
_ALL = sa.union_all(_CANCELS, _HOLDS).subquery()
A = _ALL.c
LISTING = Listing(
    {
        "order_id": Field(O.id),
        "buyer_id": Field(O.buyer_id),
        "type": Field(A.type, "enum", {name: name for name in ("CANCEL", "HOLD", "RELEASE_HOLD")}),
        "decided": Field(A.decided, "bool"),
        "begin_time": Field(A.begin_time, "time"),
    },
    sa.cast(A.order_key, sa.String) + "/" + A.type,
    default_order="begin_time",
)
_JOINED = sa.select(_ALL, O.id.label("order_id"), O.buyer_id).join(ORDERS, O.key == A.order_key)


class SqlCommandQueries:
    """Reads commands with the public names of their orders."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def page(self, query: PageRequest) -> Page[OrderCommand]:
        """A page of what is not at its end."""
        plan = LISTING.plan(self._tx.dialect, query)
        return (await plan.read(self._tx, _JOINED)).map(_found)

    async def of_order(self, order_id: str) -> list[OrderCommand] | None:
        """What is unfinished of one buyer order; None when there is no such order."""
        key = (await self._tx.execute(sa.select(O.key).where(O.kind == "BUYER", O.id == order_id))).scalar()
        if key is None:
            return None
        return [_found(row) for row in await self._tx.execute(_JOINED.where(A.order_key == key).order_by(A.type))]


def _found(row: Any) -> OrderCommand:
    return OrderCommand(
        order_key=row.order_key,
        order_id=row.order_id,
        buyer_id=row.buyer_id,
        type=row.type,
        decided=bool(row.decided),
        begin_time=row.begin_time,
        next_action_time=row.next_action_time,
    )
