"""Attempts to submit by the public ids of their orders, for operators."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.query import Field, Listing
from libs.query.request import Page, PageRequest
from services.order.adapters.db.rows import attempt_of
from services.order.adapters.db.tables import ORDERS, SUBMISSIONS
from services.order.application.submission.operate_submissions import OrderAttempt

S = SUBMISSIONS.c
O = ORDERS.c  # noqa: E741 - the columns, as everywhere in adapters
LISTING = Listing(
    {
        "order_id": Field(O.id),
        "buyer_id": Field(O.buyer_id),
        "attempt": Field(S.attempt, "int"),
        "state": Field(S.state, "enum", {name: name for name in ("TRYING", "ACCEPTED", "REFUSED")}),
        "kind": Field(S.kind, "enum", {name: name for name in ("SUBMIT", "CHANGE")}),
        "finished": Field(S.finished, "bool"),
        "begin_time": Field(S.begin_time, "time"),
        "deadline": Field(S.deadline, "time"),
    },
    sa.cast(S.order_key, sa.String) + "/" + sa.cast(S.attempt, sa.String),
    default_order="begin_time",
)
_JOINED = sa.select(SUBMISSIONS, O.id.label("order_id"), O.buyer_id).join(ORDERS, O.key == S.order_key)


class SqlSubmissionQueries:
    """Reads attempts with the public names of their orders."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def page(self, query: PageRequest) -> Page[OrderAttempt]:
        """A page; unfinished attempts unless a filter is given."""
        plan = LISTING.plan(self._tx.dialect, query)
        select = _JOINED if query.filter else _JOINED.where(sa.not_(S.finished))
        return (await plan.read(self._tx, select)).map(lambda row: _found(row._mapping))

    async def find(self, order_id: str, number: int) -> OrderAttempt | None:
        """One attempt of an order, the newest when `number` is 0."""
        select = _JOINED.where(O.kind == "BUYER", O.id == order_id)
        if number:
            select = select.where(S.attempt == number)
        row = (await self._tx.execute(select.order_by(S.attempt.desc()).limit(1))).mappings().first()
        return None if row is None else _found(row)


def _found(row: Any) -> OrderAttempt:
    return OrderAttempt(row["order_id"], row["buyer_id"], attempt_of(row))
