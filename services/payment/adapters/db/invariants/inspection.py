"""Payment's inspection in one snapshot: its own rules, and its facts about orders."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa

from libs.db import Database, Tx
from libs.db.invariants import count, in_parts, judged, readable, total
from libs.invariants import Fact, Finding, Record, RuleResult, Summary
from libs.relay.marks import parked, tried
from libs.service.retries import failures_of
from services.payment.adapters.db.invariants.causes import PERMANENT
from services.payment.adapters.db.invariants.outside import BY_CAPTURES
from services.payment.adapters.db.invariants.rules import rules
from services.payment.adapters.db.invariants.worth import worth_in_units
from services.payment.adapters.db.tables import ACCOUNTS, ALERTS, ATTEMPTS, LEDGER, LOCK, ORDERS, PAYMENTS, TRANSACTIONS
from services.payment.adapters.db.watching.alert_store import KIND

CONTEXT = "payment"
PAGE = 500
P, T, X = PAYMENTS.c, TRANSACTIONS.c, ATTEMPTS.c
_GIVEN_UP = (
    sa.exists()
    .where(T.payment_id == P.id, sa.or_(T.type == "LAPSE", sa.and_(T.type == "VOID", T.cause == "REQUEST")))
    .correlate(PAYMENTS)
)
"""Payments of which a person gave something back, or the gateway let it go at its time: nobody asks for that any more."""


class Inspection:
    """Movements balance; balances and reservations are sums; nothing is held that nobody wants."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def __call__(self, order_keys: Sequence[str] = ()) -> AsyncIterator[Record]:
        """Findings, facts and the summary; with order keys only the facts about these orders."""
        results: list[RuleResult] = []
        rows = 0
        async with self._db.inspecting() as tx:
            if not order_keys:
                parts = in_parts(CONTEXT, rules=judged(tx, CONTEXT, rules(tx.dialect)), units=worth_in_units(tx, CONTEXT))
                async for record in parts:
                    if isinstance(record, Finding):
                        yield record
                    else:
                        results.append(record)
                for table in (ACCOUNTS, PAYMENTS, TRANSACTIONS, LEDGER):
                    rows += await count(tx, table)
            async for fact in _facts(tx, [uuid.UUID(key) for key in order_keys]):
                yield fact
        yield Summary(CONTEXT, len(results), rows, sum(r.broken for r in results), results)


async def _facts(tx: Tx, keys: Sequence[uuid.UUID]) -> AsyncIterator[Fact | Finding]:
    """A page of orders at a time, in the order of their keys."""
    if keys:
        async for fact in readable(CONTEXT, "order", keys, partial(_of, tx)):
            yield fact
        return
    last = uuid.UUID(int=0)
    while page := await _page(tx, last):
        async for fact in readable(CONTEXT, "order", page, partial(_of, tx)):
            yield fact
        last = page[-1]


async def _page(tx: Tx, last: uuid.UUID) -> list[uuid.UUID]:
    def keys(table: sa.Table) -> Any:
        c = table.c.order_key
        return sa.select(c).where(c > last).group_by(c).order_by(c).limit(PAGE).subquery().select()

    known = sa.union(keys(ATTEMPTS), keys(PAYMENTS), keys(ORDERS)).subquery()
    found = await tx.execute(sa.select(known.c.order_key).order_by(known.c.order_key).limit(PAGE))
    return [row.order_key for row in found]


# Long because the facts of a page of orders are one list.
async def _of(tx: Tx, keys: Sequence[uuid.UUID]) -> list[Fact]:
    attempts = sa.select(X.order_key, X.attempt, X.state, X.failures, X.failure)
    made = [
        _fact(
            row,
            "payment_attempt",
            attempt=row.attempt,
            state=row.state,
            finished=int(row.state != "RESERVED"),
            **failures_of(row),
        )
        for row in await tx.execute(attempts.where(X.order_key.in_(keys), X.attempt != LOCK))
    ]
    pending = sa.select(P.order_key, T.id, T.type, T.create_time, T.failures, T.failure).join_from(
        TRANSACTIONS, PAYMENTS, sa.and_(T.payment_id == P.id, T.result == "PENDING")
    )
    made += [
        _fact(row, "pending", id=row.id, type=row.type, since=row.create_time.isoformat(), **failures_of(row))
        for row in await tx.execute(pending.where(P.order_key.in_(keys)))
    ]
    # Of a payment of which nothing is held any more, an old failure is of no account.
    failing = sa.select(P.order_key, P.id, P.failures, P.failure).where(
        P.order_key.in_(keys),
        P.failures > 0,
        P.state.in_(PERMANENT),
        P.due > P.captured,
        P.authorization_expire_time.is_not(None),
    )
    made += [_fact(row, "renewal", payment=row.id, **failures_of(row)) for row in await tx.execute(failing)]
    for row in await tx.execute(sa.select(ALERTS).where(ALERTS.c.order_key.in_(keys))):
        waits = row.report_parked_time is not None
        ended = int(row.report_time is None or waits)
        made.append(_fact(row, "alert", payment=row.id, finished=ended, since=row.update_time.isoformat(), **tried(row)))
        if waits:
            made.append(parked(CONTEXT, KIND, row))
    taken = sa.case((BY_CAPTURES, P.captured), else_=P.resolved_amount)
    due = sa.case((BY_CAPTURES, P.due), else_=P.resolved_amount)
    # What has to go back outside counts as given back: when that is done, somebody will record it.
    beyond = P.captured - P.refunded - P.due
    back = P.refunded + sa.case((sa.and_(P.external, beyond > 0), beyond), else_=0)
    kept = sa.case((sa.and_(P.type == "credit_card", P.captured < P.due), P.captured), else_=P.due)
    states = [
        total(sa.case((P.state.in_(states), amount), else_=0)).label(name)
        for name, states, amount in (
            ("confirmed", PERMANENT, due),
            ("due", PERMANENT, P.due),
            ("promised", (*PERMANENT, "ATTENTION"), P.due),
            ("charged", PERMANENT, taken),
            ("refunded", PERMANENT, back),
            ("taken", (*PERMANENT, "ATTENTION"), kept),
        )
    ]
    states += [
        # What nobody asks for any more, and what its payments were of when they were made.
        total(sa.case((_GIVEN_UP, P.resolved_amount - P.due), else_=0)).label("given_up"),
        total(P.resolved_amount).label("resolved"),
        total(sa.case((P.resolved_amount.is_(None), 1), else_=0)).label("unresolved"),
    ]
    version = sa.func.sum(P.version).label("version")
    whose = P.order_id + "/" + P.buyer_id + "/" + P.user_id
    stated_for = (sa.func.min(whose).label("first"), sa.func.max(whose).label("last"))
    statement = sa.select(P.order_key, P.currency, sa.func.count().label("count"), version, *stated_for, *states)
    for row in await tx.execute(statement.where(P.order_key.in_(keys)).group_by(P.order_key, P.currency)):
        made.append(
            _fact(
                row,
                "payments",
                currency=row.currency,
                count=int(row._mapping["count"]),
                version=int(row.version),
                confirmed_total=int(row.confirmed),
                promised=int(row.promised),
                taken=int(row.taken),
                due=int(row.due),
                stated_for=" ".join(sorted({row.first, row.last})),
                charged=int(row.charged),
                refunded=int(row.refunded),
                given_up=int(row.given_up),
                resolved=int(row.resolved),
                unresolved=int(row.unresolved),
            )
        )
    shipped = (T.type == "CAPTURE", T.cause == "SHIPMENT", T.result == "SUCCEEDED")
    charged = sa.select(P.order_key, sa.func.sum(T.amount).label("amount"))
    charged = charged.join_from(TRANSACTIONS, PAYMENTS, T.payment_id == P.id)
    for row in await tx.execute(charged.where(P.order_key.in_(keys), *shipped).group_by(P.order_key)):
        made.append(_fact(row, "captured_on_shipment", amount=int(row.amount)))
    for row in await tx.execute(sa.select(ORDERS).where(ORDERS.c.order_key.in_(keys), ORDERS.c.lowered_attempt > 0)):
        made.append(_fact(row, "lowered", attempt=row.lowered_attempt))
    return sorted(made, key=lambda fact: fact.order_key)


def _fact(row: Any, kind: str, /, **values: Any) -> Fact:
    return Fact(CONTEXT, kind, str(row.order_key), {name: str(value) for name, value in values.items()})
