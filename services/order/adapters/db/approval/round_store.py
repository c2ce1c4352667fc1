"""Rounds of approvals in the database."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.query import Field, Listing
from libs.query.request import Page, PageRequest
from services.order.adapters.db.approval.approval_rows import approval_of, approval_rows, case_from, round_row
from services.order.adapters.db.rows import order_of
from services.order.adapters.db.tables import APPROVAL_ROUNDS, APPROVAL_RULES, APPROVALS, ORDERS
from services.order.application.records import Waiting
from services.order.domain.approval.case import Case
from services.order.domain.approval.rounds import Approval, ApprovalStatus, Round
from services.order.domain.approval.rules import ApprovalRule
from services.order.domain.approval.voters import Voter

A = APPROVALS.c
N = APPROVAL_ROUNDS.c
O = ORDERS.c  # noqa: E741 - the columns, as everywhere in adapters
R = APPROVAL_RULES.c
_PENDING = Listing(
    {
        "order_id": Field(O.id),
        "approval_rule_id": Field(A.rule_id),
        "approving_group_id": Field(A.group_id),
        "round": Field(A.round, "int"),
        "create_time": Field(A.create_time, "time"),
    },
    sa.cast(A.order_key, sa.String) + "/" + A.rule_id,
    default_order="create_time",
)

_RULES = (
    sa.select(R.id, R.approving_group_id, R.expression, sa.func.coalesce(sa.func.max(N.number), 0).label("rounds"))
    .select_from(APPROVAL_RULES.outerjoin(APPROVAL_ROUNDS, N.order_key == sa.bindparam("key")))
    .where(R.buyer_id == sa.bindparam("buyer"), R.active)
    .group_by(R.id, R.approving_group_id, R.expression)
    .order_by(R.id)
)


class SqlRoundStore:
    """Each call is one statement, or one for rounds and one for approvals."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def rules(self, buyer_id: str, key: uuid.UUID) -> tuple[tuple[ApprovalRule, ...], int]:
        """The active rules of a buyer, and the number of the order's newest round; 0 where there is none of either."""
        rows = (await self._tx.execute(_RULES, {"buyer": buyer_id, "key": key})).all()
        rules = tuple(ApprovalRule(row.id, row.approving_group_id, row.expression) for row in rows)
        return rules, max((row.rounds for row in rows), default=0)

    async def begin(self, key: uuid.UUID, case: Case) -> None:
        """A new round."""
        await self._tx.execute(self._tx.insert(APPROVAL_ROUNDS), {"order_key": key, **round_row(case)})
        await self._tx.execute(self._tx.insert(APPROVALS), _rows(key, case.round))

    async def newest(self, key: uuid.UUID) -> Case | None:
        """The newest round of an order."""
        return next(iter((await self.of([key])).get(key, [])[-1:]), None)

    async def of(self, keys: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Case]]:
        """The rounds of orders by number, of those that have some."""
        statement = sa.select(APPROVAL_ROUNDS).where(N.order_key.in_(list(keys))).order_by(N.order_key, N.number)
        rounds = (await self._tx.execute(statement)).mappings().all()
        if not rounds:
            return {}
        approvals: dict[tuple[uuid.UUID, int], list[Approval]] = {}
        its = sa.select(APPROVALS).where(A.order_key.in_({row["order_key"] for row in rounds})).order_by(A.position)
        for row in (await self._tx.execute(its)).mappings():
            approvals.setdefault((row["order_key"], row["round"]), []).append(approval_of(row))
        found: dict[uuid.UUID, list[Case]] = {}
        for row in rounds:
            case = case_from(row, approvals.get((row["order_key"], row["number"]), []))
            found.setdefault(row["order_key"], []).append(case)
        return found

    async def save(self, key: uuid.UUID, round: Round) -> None:
        """The approvals of a round as they are now; those that are new are inserted."""
        statement = self._tx.insert(APPROVALS)
        changed = {name: statement.excluded[name] for name in ("status", "user_id", "comment", "complete_time")}
        upsert = statement.on_conflict_do_update(index_elements=["order_key", "round", "rule_id"], set_=changed)
        await self._tx.execute(upsert, _rows(key, round))

    async def withdraw(self, key: uuid.UUID, now: datetime) -> None:
        """What is pending of an order is not wanted any more."""
        await self._tx.execute(
            sa.update(APPROVALS)
            .where(A.order_key == key, A.status == ApprovalStatus.PENDING.value)
            .values(status=ApprovalStatus.WITHDRAWN.value, complete_time=now)
        )

    async def of_order(self, key: uuid.UUID, limit: int) -> list[tuple[int, Approval]]:
        """All approvals of an order, each with its round."""
        statement = sa.select(APPROVALS).where(A.order_key == key).order_by(A.round, A.position).limit(limit)
        return [(row["round"], approval_of(row)) for row in (await self._tx.execute(statement)).mappings()]

    async def pending(self, groups: Collection[str], voter: Voter, query: PageRequest) -> Page[Waiting]:
        """Pending approvals of groups, but of no order of the voter's own."""
        bound = {"user": voter.user_id, "groups": ",".join(sorted(groups))}
        plan = _PENDING.plan(self._tx.dialect, query, bound)
        mine = sa.and_(A.group_id.in_(sorted(groups)), A.status == ApprovalStatus.PENDING.value, O.user_id != voter.user_id)
        joined = sa.select(APPROVALS).join(ORDERS, O.key == A.order_key).where(mine)
        page = await plan.read(self._tx, joined)
        keys = {row.order_key for row in page.items}
        rows = (await self._tx.execute(sa.select(ORDERS).where(O.key.in_(keys)))).mappings() if keys else ()
        orders = {row["key"]: order_of(row) for row in rows}
        return page.map(lambda row: Waiting(orders[row.order_key], row.round, approval_of(row._mapping)))


def _rows(key: uuid.UUID, round: Round) -> list[dict[str, Any]]:
    return [{"order_key": key, **row} for row in approval_rows(round)]
