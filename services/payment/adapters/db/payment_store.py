"""Payments and what belongs to them, in the database."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from libs import idempotency
from libs.db import Tx
from services.payment.adapters.db.tables import (
    ACCOUNT_ASSIGNMENTS,
    ACCOUNTS,
    ATTEMPTS,
    CARDS,
    LEDGER,
    PAYMENTS,
    REQUESTS,
    RESERVATIONS,
    TRANSACTIONS,
)
from services.payment.application.ports import Account, Card, Request, Transaction
from services.payment.domain.ledger import Movement, account_changes
from services.payment.domain.payment import SPENDING_ACCOUNT, Payment
from services.payment.domain.states import State

P, T, A, R = PAYMENTS.c, TRANSACTIONS.c, ATTEMPTS.c, RESERVATIONS.c
_NAMES = [column.name for column in PAYMENTS.columns]
_SAVE = (
    sa.update(PAYMENTS)
    .where(P.id == sa.bindparam("b_id"))
    .values({n: sa.bindparam(f"b_{n}", type_=P[n].type) for n in _NAMES if n != "id"})
)


def payment_of(row: Any) -> Payment:
    """A payment."""
    values = {name: row[name] for name in _NAMES}
    values["state"] = State(values["state"])
    return Payment(**values)


def payment_row(payment: Payment) -> dict[str, Any]:
    """The columns of a payment."""
    row = asdict(payment)
    row["state"] = payment.state.value
    row["xp"] = dict(payment.xp)
    return row


class SqlPaymentStore:
    """Rows are locked in the order of their ids; balances change by sums, in one statement."""

    async def of_order(self, tx: Tx, key: uuid.UUID, *, lock: bool = False) -> list[Payment]:
        """Payments of an order, oldest first."""
        statement = sa.select(PAYMENTS).where(P.order_key == key).order_by(P.position, P.id)
        return [payment_of(r) for r in (await tx.execute(_locked(statement, lock))).mappings()]

    async def of_orders(self, tx: Tx, keys: Collection[uuid.UUID]) -> list[Payment]:
        """Payments of several orders."""
        statement = sa.select(PAYMENTS).where(P.order_key.in_(list(keys))).order_by(P.position, P.id)
        return [payment_of(r) for r in (await tx.execute(statement)).mappings()]

    async def get(self, tx: Tx, payment_id: str, *, lock: bool = False) -> Payment | None:
        """One payment."""
        statement = sa.select(PAYMENTS).where(P.id == payment_id)
        row = (await tx.execute(_locked(statement, lock))).mappings().first()
        return None if row is None else payment_of(row)

    async def insert(self, tx: Tx, payments: Sequence[Payment]) -> None:
        """New ones."""
        if payments:
            await tx.execute(tx.insert(PAYMENTS), [payment_row(p) for p in payments])

    async def save(self, tx: Tx, payments: Sequence[Payment]) -> None:
        """Changed ones, in one statement."""
        if payments:
            rows = [{f"b_{k}": v for k, v in payment_row(p).items()} for p in payments]
            await tx.execute(_SAVE, rows)

    async def remove(self, tx: Tx, payment_ids: Sequence[str]) -> None:
        """Removed ones."""
        await tx.execute(sa.delete(PAYMENTS).where(P.id.in_(list(payment_ids))))

    async def taken_ids(self, tx: Tx, ids: Collection[str]) -> set[str]:
        """Ids that are in use."""
        return set((await tx.execute(sa.select(P.id).where(P.id.in_(list(ids))))).scalars())

    async def accounts(self, tx: Tx, ids: Collection[str], *, lock: bool = False) -> dict[str, Account]:
        """Spending accounts with their assignments."""
        if not ids:
            return {}
        a, s = ACCOUNTS.c, ACCOUNT_ASSIGNMENTS.c
        statement = sa.select(ACCOUNTS).where(a.id.in_(sorted(ids))).order_by(a.id)
        rows = (await tx.execute(_locked(statement, lock))).all()
        assigned = (await tx.execute(sa.select(ACCOUNT_ASSIGNMENTS).where(s.spending_account_id.in_(sorted(ids))))).all()
        users: dict[str, dict[str, bool]] = {}
        for row in assigned:
            users.setdefault(row.spending_account_id, {})[row.user_id] = row.allow_exceed
        return {
            r.id: Account(
                r.id, r.buyer_id, r.currency, r.active, r.start_time, r.end_time, r.balance, r.reserved,
                users.get(r.id, {}),
            )
            for r in rows
        }  # fmt: skip

    async def cards(self, tx: Tx, ids: Collection[str]) -> dict[str, Card]:
        """Cards by id."""
        if not ids:
            return {}
        c = CARDS.c
        rows = await tx.execute(sa.select(c.id, c.buyer_id, c.user_id, c.token).where(c.id.in_(sorted(ids))))
        return {r.id: Card(r.id, r.buyer_id, r.user_id, r.token) for r in rows}

    async def attempt_state(self, tx: Tx, key: uuid.UUID, attempt: int) -> str:
        """The state of an attempt; empty for an unknown one."""
        statement = sa.select(A.state).where(A.order_key == key, A.attempt == attempt)
        return str((await tx.execute(statement)).scalar() or "")

    async def open_attempt(
        self, tx: Tx, key: uuid.UUID, attempt: int, state: str, expire: datetime, now: datetime
    ) -> str:
        """Writes the attempt, or returns the state that stands there."""
        row = {"order_key": key, "attempt": attempt, "state": state, "expire_time": expire, "update_time": now}
        made = await tx.execute(tx.insert(ATTEMPTS).on_conflict_do_nothing(), row)
        return state if made.rowcount == 1 else await self.attempt_state(tx, key, attempt)

    async def end_attempt(self, tx: Tx, key: uuid.UUID, attempt: int, state: str, now: datetime) -> str:
        """Moves RESERVED on. Returns the state before: RESERVED when this call has moved it."""
        moved = await tx.execute(
            sa.update(ATTEMPTS)
            .where(A.order_key == key, A.attempt == attempt, A.state == "RESERVED")
            .values(state=state, update_time=now)
        )
        return "RESERVED" if moved.rowcount == 1 else await self.attempt_state(tx, key, attempt)

    async def expired(self, tx: Tx, now: datetime, limit: int) -> list[tuple[uuid.UUID, int]]:
        """Attempts past their time."""
        statement = sa.select(A.order_key, A.attempt).where(A.state == "RESERVED", A.expire_time < now).limit(limit)
        return [(row.order_key, row.attempt) for row in await tx.execute(statement)]

    async def reserve_balances(self, tx: Tx, payments: Sequence[Payment], attempt: int) -> None:
        """Holds what account payments stand for; the caller has locked and checked the accounts."""
        held = [p for p in payments if p.type == SPENDING_ACCOUNT and p.due]
        rows = [
            {
                "payment_id": p.id, "attempt": attempt, "order_key": p.order_key,
                "spending_account_id": p.spending_account_id, "amount": p.due, "state": "RESERVED",
            }
            for p in held
        ]  # fmt: skip
        if rows:
            await tx.execute(tx.insert(RESERVATIONS), rows)
            await _change(tx, "reserved", [(p.spending_account_id, p.due) for p in held])

    async def end_reservations(self, tx: Tx, key: uuid.UUID, attempt: int, state: str) -> None:
        """Frees what the attempt holds."""
        held = sa.select(R.spending_account_id, R.amount).where(
            R.order_key == key, R.attempt == attempt, R.state == "RESERVED"
        )
        rows = (await tx.execute(held)).all()
        if rows:
            await tx.execute(
                sa.update(RESERVATIONS)
                .where(R.order_key == key, R.attempt == attempt, R.state == "RESERVED")
                .values(state=state)
            )
            await _change(tx, "reserved", [(r.spending_account_id, -r.amount) for r in rows])

    async def post(self, tx: Tx, movements: Sequence[Movement], now: datetime) -> None:
        """Writes movements, and balances as their sums."""
        rows = [
            {
                "transaction_id": m.id, "account": e.account, "amount": e.amount, "currency": m.currency,
                "order_id": m.order_id, "payment_id": m.payment_id, "description": m.description, "entry_time": now,
            }
            for m in movements
            for e in m.entries
        ]  # fmt: skip
        if rows:
            await tx.execute(tx.insert(LEDGER), rows)
            await _change(tx, "balance", list(account_changes(movements).items()))

    async def add_transactions(self, tx: Tx, rows: Sequence[Transaction]) -> None:
        """New ones."""
        if rows:
            await tx.execute(tx.insert(TRANSACTIONS), [asdict(row) for row in rows])

    async def settle_transaction(
        self, tx: Tx, id: str, result: str, reference: str, message: str, now: datetime
    ) -> bool:
        """Writes the result of a pending one; False when it is known already."""
        done = await tx.execute(
            sa.update(TRANSACTIONS)
            .where(T.id == id, T.result == "PENDING")
            .values(result=result, gateway_reference=reference, message=message[:200], result_time=now)
        )
        return done.rowcount == 1

    async def transactions(self, tx: Tx, payment_ids: Collection[str]) -> list[Transaction]:
        """Transactions of payments, oldest first."""
        if not payment_ids:
            return []
        statement = sa.select(TRANSACTIONS).where(T.payment_id.in_(list(payment_ids)))
        rows = (await tx.execute(statement.order_by(T.create_time, T.id))).mappings()
        return [Transaction(**row) for row in rows]

    async def in_state(self, tx: Tx, state: str, limit: int) -> list[Payment]:
        """Payments in a state."""
        statement = sa.select(PAYMENTS).where(P.state == state).order_by(P.update_time).limit(limit)
        return [payment_of(r) for r in (await tx.execute(statement)).mappings()]


def _locked(statement: Any, lock: bool) -> Any:
    return statement.with_for_update() if lock else statement


async def _change(tx: Tx, column: str, gains: Sequence[tuple[str, int]]) -> None:
    sums: dict[str, int] = {}
    for id, amount in gains:
        sums[id] = sums.get(id, 0) + amount
    if sums:
        c = ACCOUNTS.c[column]
        statement = sa.update(ACCOUNTS).where(ACCOUNTS.c.id == sa.bindparam("b_id"))
        await tx.execute(
            statement.values({column: c + sa.bindparam("b_gain", type_=sa.BigInteger)}),
            [{"b_id": id, "b_gain": gain} for id, gain in sorted(sums.items())],
        )


class SqlRequestStore:
    """Outcomes of idempotent requests."""

    async def find(self, tx: Tx, request: Request) -> dict[str, Any] | None:
        """The outcome of an earlier call."""
        return await idempotency.find(tx, REQUESTS, request)

    async def claim(self, tx: Tx, request: Request, outcome: dict[str, Any], now: datetime) -> dict[str, Any] | None:
        """None for the first call, the recorded outcome for every other."""
        return await idempotency.claim(tx, REQUESTS, request, outcome, now)
