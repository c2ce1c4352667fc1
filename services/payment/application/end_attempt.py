"""ConfirmPayments and ReleasePayments: commands, idempotent by (order, attempt)."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime

from libs.clock import Clock
from libs.ids import IdSource
from services.payment.application.ports import PaymentStore, Transaction, Transactions
from services.payment.domain import ledger
from services.payment.domain.payment import CREDIT_CARD, Payment
from services.payment.domain.states import Event, State, move


class EndAttempt:
    """RESERVED ends in CONFIRMED or RELEASED; repeats return that state."""

    def __init__(self, database: Transactions, store: PaymentStore, clock: Clock, ids: IdSource) -> None:
        self._db = database
        self._store = store
        self._clock = clock
        self._ids = ids

    async def confirm(self, key: uuid.UUID, attempt: int) -> tuple[str, list[Payment]]:
        """Debits accounts, notes receivables, keeps authorizations for capture. Never refused."""
        async with self._db.transaction() as tx:
            now = self._clock.now()
            payments = await self._store.of_order(tx, key, lock=True)
            before = await self._store.end_attempt(tx, key, attempt, "CONFIRMED", now)
            if before != "RESERVED":
                return before, payments
            mine = [p for p in payments if p.attempt == attempt]
            done = [
                replace(
                    p, state=move(p.id, p.state, Event.CONFIRM), accepted=True, version=p.version + 1,
                    update_time=now,
                )
                for p in mine
            ]  # fmt: skip
            await self._store.save(tx, done)
            await self._store.end_reservations(tx, key, attempt, "CONFIRMED")
            notes = [self._note(p, "CONFIRM", attempt, now) for p in done if p.due]
            await self._store.add_transactions(tx, notes)
            movements = [ledger.confirmed(f"{p.id}/confirm", p) for p in done]
            await self._store.post(tx, [m for m in movements if m is not None], now)
            kept = {p.id: p for p in [*payments, *done]}
        return "CONFIRMED", list(kept.values())

    async def release(self, key: uuid.UUID, attempt: int) -> str:
        """Frees balances at once; what a gateway may hold becomes VOID_PENDING and is voided beside."""
        async with self._db.transaction() as tx:
            now = self._clock.now()
            payments = await self._store.of_order(tx, key, lock=True)
            before = await self._store.end_attempt(tx, key, attempt, "RELEASED", now)
            if not before:
                return await self._store.open_attempt(tx, key, attempt, "RELEASED", now, now)
            if before != "RESERVED":
                return before
            mine = [p for p in payments if p.attempt == attempt]
            ended = [self._released(p, now) for p in mine]
            await self._store.save(tx, ended)
            await self._store.end_reservations(tx, key, attempt, "RELEASED")
            await self._store.add_transactions(
                tx, [self._note(p, "RELEASE", attempt, now) for p in mine if p.due and p.type != CREDIT_CARD]
            )
        return "RELEASED"

    def _released(self, payment: Payment, now: datetime) -> Payment:
        at_gateway = payment.state in (State.AUTHORIZING, State.AUTHORIZED)
        event = Event.DOUBT if at_gateway else Event.RELEASE
        return replace(
            payment, state=move(payment.id, payment.state, event), version=payment.version + 1, update_time=now,
            accepted=payment.type != CREDIT_CARD,
        )  # fmt: skip

    def _note(self, payment: Payment, type: str, attempt: int, now: datetime) -> Transaction:
        return Transaction(
            self._ids.public("ptx"), payment.id, type, "SUCCEEDED", payment.due, attempt, now, result_time=now
        )


