"""Payment's own invariants, and its facts about orders."""

from __future__ import annotations

from collections.abc import AsyncIterator

import sqlalchemy as sa

from libs.audit import Fact, Finding, Record, Summary
from libs.db import Database
from services.payment.adapters.db.tables import ACCOUNTS, ATTEMPTS, LEDGER, PAYMENTS, RESERVATIONS

CONTEXT = "payment"
RULES = 5


class Audit:
    """Movements balance; balances and reservations are sums; nothing is held without an attempt."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def __call__(self) -> AsyncIterator[Record]:
        """Findings and facts, then the summary."""
        ledger, a, r, t = LEDGER.c, ACCOUNTS.c, RESERVATIONS.c, ATTEMPTS.c
        async with self._db.reading(snapshot=True) as tx:
            unbalanced = (
                await tx.execute(
                    sa.select(ledger.transaction_id, sa.func.sum(ledger.amount).label("sum"))
                    .group_by(ledger.transaction_id, ledger.currency)
                    .having(sa.func.sum(ledger.amount) != 0)
                )
            ).all()
            sums = {
                row.account: int(row.sum)
                for row in await tx.execute(
                    sa.select(ledger.account, sa.func.sum(ledger.amount).label("sum"))
                    .where(ledger.account.like("spending_account:%"))
                    .group_by(ledger.account)
                )
            }
            held = {
                row.spending_account_id: int(row.sum)
                for row in await tx.execute(
                    sa.select(r.spending_account_id, sa.func.sum(r.amount).label("sum"))
                    .where(r.state == "RESERVED")
                    .group_by(r.spending_account_id)
                )
            }
            accounts = (await tx.execute(sa.select(a.id, a.balance, a.reserved))).all()
            reserved = (await tx.execute(sa.select(t.order_key, t.attempt).where(t.state == "RESERVED"))).all()
            payments = (await tx.execute(sa.select(PAYMENTS))).all()
        findings = [
            Finding(CONTEXT, "ledger_movement_balances", m.transaction_id, f"adds up to {m.sum}") for m in unbalanced
        ]
        for account in accounts:
            ledger_sum = sums.get(f"spending_account:{account.id}", 0)
            if ledger_sum != account.balance:
                text = f"{account.balance}, the ledger says {ledger_sum}"
                findings.append(Finding(CONTEXT, "balance_is_ledger_sum", account.id, text))
            if held.get(account.id, 0) != account.reserved:
                text = f"{account.reserved}, reservations say {held.get(account.id, 0)}"
                findings.append(Finding(CONTEXT, "reserved_is_sum_of_reservations", account.id, text))
        running = {(row.order_key, row.attempt) for row in reserved}
        confirmed: dict[str, tuple[int, str, int]] = {}
        for row in payments:
            if row.state in ("RESERVED", "AUTHORIZING", "AUTHORIZED") and (row.order_key, row.attempt) not in running:
                findings.append(Finding(CONTEXT, "held_payment_has_attempt", row.id, row.state))
            if row.captured > (row.resolved_amount or 0) or row.refunded > max(row.captured, row.resolved_amount or 0):
                findings.append(Finding(CONTEXT, "money_within_bounds", row.id, f"{row.captured}, {row.refunded}"))
            if row.state in ("CONFIRMED", "CAPTURED"):
                amount, currency, count = confirmed.get(str(row.order_key), (0, row.currency, 0))
                confirmed[str(row.order_key)] = (amount + (row.resolved_amount or 0), currency, count + 1)
        for finding in findings:
            yield finding
        for row in reserved:
            values = {"attempt": str(row.attempt), "state": "RESERVED"}
            yield Fact(CONTEXT, "payment_attempt", str(row.order_key), values)
        for key, (amount, currency, count) in confirmed.items():
            values = {"confirmed_total": str(amount), "currency": currency, "count": str(count)}
            yield Fact(CONTEXT, "payments", key, values)
        yield Summary(CONTEXT, RULES, len(accounts) + len(payments), len(findings))


