"""Payment's own invariants as SQL sums in one snapshot, and its facts about orders.

Every rule selects what breaks it: `subject` and `detail`. No row means that it holds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import sqlalchemy as sa

from libs.audit import Fact, Finding, Record, Summary
from libs.db import Database, Tx
from services.payment.adapters.db.tables import ACCOUNTS, ATTEMPTS, GATEWAY, LEDGER, PAYMENTS, TRANSACTIONS
from services.payment.domain.types import CREDIT_CARD, SPENDING_ACCOUNT

CONTEXT = "payment"
A, L, P, T, X, G = ACCOUNTS.c, LEDGER.c, PAYMENTS.c, TRANSACTIONS.c, ATTEMPTS.c, GATEWAY.c
HELD = ("RESERVED", "AUTHORIZING", "AUTHORIZED")
PERMANENT = ("CONFIRMED", "CAPTURED", "REFUNDED")


def _sum(column: Any) -> Any:
    return sa.func.coalesce(sa.func.sum(column), 0)


def _text(column: Any) -> Any:
    return sa.cast(column, sa.String)


def _detail(*parts: Any) -> Any:
    joined: Any = sa.literal("")
    for part in parts:
        joined = joined + (sa.literal(part) if isinstance(part, str) else _text(part))
    return joined.label("detail")


def _attempt(*states: str) -> Any:
    return sa.exists().where(X.order_key == P.order_key, X.attempt == P.attempt, X.state.in_(states))


def _transaction(type: str, result: str, *more: Any) -> Any:
    return sa.exists().where(T.payment_id == P.id, T.type == type, T.result == result, *more)


def rules() -> Mapping[str, sa.Select[Any]]:
    """What breaks each rule."""
    return {**_ledger_rules(), **_attempt_rules(), **_money_rules(), **_gateway_rules()}


def _ledger_rules() -> dict[str, sa.Select[Any]]:
    entries = sa.select(L.account, L.currency, sa.func.sum(L.amount).label("sum"))
    sums = entries.group_by(L.account, L.currency).subquery()
    on_account = sa.and_(
        sums.c.account == sa.literal("spending_account:") + A.id, sums.c.currency == A.currency
    )
    booked = sa.func.coalesce(sums.c.sum, 0)
    reservations = (
        sa.select(P.spending_account_id, sa.func.sum(P.resolved_amount).label("sum"))
        .where(P.type == SPENDING_ACCOUNT, P.state == "RESERVED")
        .group_by(P.spending_account_id)
        .subquery()
    )
    held = sa.func.coalesce(reservations.c.sum, 0)
    return {
        "ledger_movement_balances": sa.select(
            L.transaction_id.label("subject"), _detail("adds up to ", sa.func.sum(L.amount))
        )
        .group_by(L.transaction_id, L.currency)
        .having(sa.func.sum(L.amount) != 0),
        "balance_is_ledger_sum": sa.select(
            A.id.label("subject"), _detail(A.balance, ", the ledger says ", booked)
        )
        .select_from(ACCOUNTS.outerjoin(sums, on_account))
        .where(A.balance != booked),
        "reserved_is_sum_of_reservations": sa.select(
            A.id.label("subject"), _detail(A.reserved, ", payments say ", held)
        )
        .select_from(ACCOUNTS.outerjoin(reservations, reservations.c.spending_account_id == A.id))
        .where(A.reserved != held),
    }


def _attempt_rules() -> dict[str, sa.Select[Any]]:
    subject, detail = P.id.label("subject"), _detail(P.state, " in attempt ", P.attempt)
    return {
        "held_payment_has_attempt": sa.select(subject, detail).where(P.state.in_(HELD), ~_attempt("RESERVED")),
        "permanent_payment_has_attempt": sa.select(subject, detail).where(
            P.state.in_(PERMANENT), ~_attempt("CONFIRMED")
        ),
        "one_open_attempt": sa.select(
            _text(sa.func.max(P.order_id)).label("subject"), _detail(sa.func.count(), " attempts are reserved")
        )
        .select_from(ATTEMPTS.outerjoin(PAYMENTS, sa.and_(P.order_key == X.order_key, P.attempt == X.attempt)))
        .where(X.state == "RESERVED")
        .group_by(X.order_key)
        .having(sa.func.count(sa.distinct(X.attempt)) > 1),
        "void_pending_has_void": sa.select(subject, detail).where(
            P.state == "VOID_PENDING", ~_transaction("VOID", "PENDING")
        ),
        "authorizing_has_authorization": sa.select(subject, detail).where(
            P.state == "AUTHORIZING", ~_transaction("AUTHORIZE", "PENDING", T.attempt == P.attempt)
        ),
        "held_card_is_authorized": sa.select(subject, detail).where(
            P.type == CREDIT_CARD, P.resolved_amount > 0, P.state.in_(("AUTHORIZED", *PERMANENT)),
            ~_transaction("AUTHORIZE", "SUCCEEDED", T.attempt == P.attempt),
        ),
    }  # fmt: skip


def _money_rules() -> dict[str, sa.Select[Any]]:
    def done(type: str) -> Any:
        return (
            sa.select(_sum(T.amount))
            .where(T.payment_id == P.id, T.type == type, T.result == "SUCCEEDED")
            .scalar_subquery()
        )

    due = sa.func.coalesce(P.resolved_amount, 0)
    taken = sa.case((P.type == CREDIT_CARD, P.captured), else_=due)
    subject = P.id.label("subject")
    # A canceled promise or account payment goes back without a refund of its own.
    refunds = sa.and_(P.refunded != done("REFUND"), sa.or_(P.type == CREDIT_CARD, P.state != "VOIDED"))
    return {
        "amount_is_resolved": sa.select(subject, _detail(P.resolved_amount, " of ", P.amount)).where(
            P.amount.is_not(None), P.resolved_amount.is_not(None), P.amount != P.resolved_amount
        ),
        "captured_is_within_authorization": sa.select(subject, _detail(P.captured, " of ", due)).where(
            sa.or_(P.captured < 0, P.captured > due)
        ),
        "refunded_is_within_taken": sa.select(subject, _detail(P.refunded, " of ", taken)).where(
            sa.or_(P.refunded < 0, P.refunded > taken)
        ),
        "captured_is_sum_of_captures": sa.select(
            subject, _detail(P.captured, ", captures say ", done("CAPTURE"))
        ).where(P.captured != done("CAPTURE")),
        "refunded_is_sum_of_refunds": sa.select(
            subject, _detail(P.refunded, ", refunds say ", done("REFUND"))
        ).where(refunds),
        "ledger_shows_what_is_kept": _kept_in_ledger(),
    }


def _kept_in_ledger() -> sa.Select[Any]:
    sums = (
        sa.select(L.payment_id, sa.func.sum(L.amount).label("sum"))
        .where(L.account.in_(("marketplace:receipts", "marketplace:receivable")))
        .group_by(L.payment_id)
        .subquery()
    )
    shown = sa.func.coalesce(sums.c.sum, 0)
    due = sa.func.coalesce(P.resolved_amount, 0)
    kept = sa.case(
        (P.type == CREDIT_CARD, P.captured - P.refunded),
        (P.state.in_(PERMANENT), due - P.refunded),
        else_=0,
    )
    return (
        sa.select(P.id.label("subject"), _detail(kept, ", the ledger says ", shown))
        .select_from(PAYMENTS.outerjoin(sums, sums.c.payment_id == P.id))
        .where(kept != shown)
    )


def _gateway_rules() -> dict[str, sa.Select[Any]]:
    """The test gateway can be looked into: it holds nothing that nobody wants."""
    wanted = (
        sa.exists()
        .where(T.gateway_key == G.key, T.type == "AUTHORIZE", P.id == T.payment_id, P.attempt == T.attempt)
        .where(P.state.in_(("AUTHORIZING", "AUTHORIZED", "ATTENTION", *PERMANENT)))
    )
    # A void or a renewal that is still asked about ends, or takes over, what is held.
    asked = TRANSACTIONS.alias().c
    ending = sa.exists().where(
        asked.gateway_key == G.key, asked.result == "PENDING", sa.or_(asked.type == "VOID", asked.cause == "RENEWAL")
    )
    renewed = (
        sa.select(P.id.label("subject"), _detail(sa.func.count(), " authorizations are held for one payment"))
        .select_from(PAYMENTS.join(TRANSACTIONS, T.payment_id == P.id).join(GATEWAY, G.key == T.gateway_key))
        .where(T.type == "AUTHORIZE", G.operation == "authorize", G.state == "DONE", ~ending)
        .group_by(P.id)
        .having(sa.func.count() > 1)
    )
    return {
        "gateway_holds_what_is_wanted": sa.select(
            G.key.label("subject"), _detail(G.amount, " is held at the test gateway")
        ).where(G.operation == "authorize", G.state == "DONE", ~wanted, ~ending),
        "one_authorization_a_payment": renewed,
    }


class Audit:
    """Movements balance; balances and reservations are sums; nothing is held that nobody wants."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def __call__(self) -> AsyncIterator[Record]:
        """Findings and facts, then the summary."""
        findings: list[Finding] = []
        async with self._db.reading(snapshot=True) as tx:
            for rule, broken in rules().items():
                findings += [
                    Finding(CONTEXT, rule, str(row.subject), str(row.detail)) for row in await tx.execute(broken)
                ]
            facts = await _facts(tx)
            rows = sum([await _count(tx, table) for table in (ACCOUNTS, PAYMENTS, TRANSACTIONS, LEDGER)])
        for finding in findings:
            yield finding
        for fact in facts:
            yield fact
        yield Summary(CONTEXT, len(rules()), rows, len(findings))


async def _count(tx: Tx, table: sa.Table) -> int:
    return int((await tx.execute(sa.select(sa.func.count()).select_from(table))).scalar_one())


async def _facts(tx: Tx) -> list[Fact]:
    reserved = sa.select(X.order_key, X.attempt, X.state).where(X.state == "RESERVED")
    facts = [
        Fact(CONTEXT, "payment_attempt", str(row.order_key), {"attempt": str(row.attempt), "state": row.state})
        for row in await tx.execute(reserved)
    ]
    pending = sa.select(P.order_key, T.type).where(T.payment_id == P.id, T.result == "PENDING")
    facts += [
        Fact(CONTEXT, "pending", str(row.order_key), {"type": row.type}) for row in await tx.execute(pending)
    ]
    confirmed = (
        sa.select(
            P.order_key, P.currency, _sum(P.resolved_amount).label("total"), sa.func.count().label("count")
        )
        .where(P.state.in_(PERMANENT))
        .group_by(P.order_key, P.currency)
    )
    return facts + [
        Fact(
            CONTEXT, "payments", str(row.order_key),
            {"confirmed_total": str(int(row.total)), "currency": row.currency, "count": str(row.count)},
        )
        for row in await tx.execute(confirmed)
    ]  # fmt: skip
