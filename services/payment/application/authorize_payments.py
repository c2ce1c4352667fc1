"""AuthorizePayments: the second wave. A gateway that is silent leaves a named state, never a guess."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from libs.clock import Clock
from libs.ids import IdSource
from services.payment.application.ports import (
    Answer,
    Card,
    Gateway,
    PaymentStore,
    Transaction,
    Transactions,
    Verdict,
)
from services.payment.application.reserve_payments import key_of
from services.payment.domain.payment import CREDIT_CARD, Payment, Problem
from services.payment.domain.states import Event, State, move


@dataclass(frozen=True, slots=True)
class Authorized:
    """What the gateways said."""

    state: str
    problems: list[Problem]
    pending: bool
    payments: list[Payment]


class AuthorizePayments:
    """Writes that it asks, asks, writes the answer. A repeat looks the answer up instead of asking again."""

    def __init__(
        self, database: Transactions, store: PaymentStore, gateway: Gateway, clock: Clock, ids: IdSource
    ) -> None:
        self._db = database
        self._store = store
        self._gateway = gateway
        self._clock = clock
        self._ids = ids

    async def __call__(self, key: uuid.UUID, attempt: int) -> Authorized:
        """Idempotent by (order, attempt)."""
        async with self._db.transaction() as tx:
            payments = await self._store.of_order(tx, key, lock=True)
            state = await self._store.attempt_state(tx, key, attempt)
            if state != "RESERVED":
                gone = Problem("", "ATTEMPT_RELEASED", "the attempt is not reserved")
                return Authorized(state, [] if state == "CONFIRMED" else [gone], False, payments)
            mine = [p for p in payments if p.type == CREDIT_CARD and p.due and p.attempt == attempt]
            cards = await self._store.cards(tx, {p.credit_card_id for p in mine})
            known = {
                t.payment_id: t
                for t in await self._store.transactions(tx, [p.id for p in mine])
                if t.type == "AUTHORIZE" and t.attempt == attempt
            }
            now = self._clock.now()
            first = [p for p in mine if p.id not in known]
            asking = [self._pending(p, attempt, now) for p in first]
            await self._store.add_transactions(tx, asking)
            await self._store.save(
                tx, [replace(p, state=move(p.id, p.state, Event.ASK), version=p.version + 1) for p in first]
            )
        rows = {**known, **{t.payment_id: t for t in asking}}
        answers = await asyncio.gather(
            *(self._ask(p, rows[p.id], cards.get(p.credit_card_id), p.id not in known) for p in mine)
        )
        return await self._note(key, [(rows[p.id], answer) for p, answer in zip(mine, answers, strict=True)])

    def _pending(self, payment: Payment, attempt: int, now: datetime) -> Transaction:
        return Transaction(
            self._ids.public("ptx"), payment.id, "AUTHORIZE", "PENDING", payment.due, attempt, now,
            key_of(payment.order_key, attempt, payment.id),
        )  # fmt: skip

    async def _ask(self, payment: Payment, row: Transaction, card: Card | None, first: bool) -> Answer:
        if row.result != "PENDING":
            verdict = Verdict.APPROVED if row.result == "SUCCEEDED" else Verdict.DECLINED
            return Answer(verdict, row.gateway_reference, row.message)
        if card is None:
            return Answer(Verdict.DECLINED, "", "the card is gone")
        if not first:
            found = await self._gateway.get_by_key(row.gateway_key)
            if found.verdict is not Verdict.NOTHING:
                return found
        return await self._gateway.authorize(row.gateway_key, card.token, payment.due, payment.currency)

    async def _note(self, key: uuid.UUID, answers: list[tuple[Transaction, Answer]]) -> Authorized:
        problems: list[Problem] = []
        pending = False
        async with self._db.transaction() as tx:
            now = self._clock.now()
            payments = {p.id: p for p in await self._store.of_order(tx, key, lock=True)}
            changed: list[Payment] = []
            for row, answer in answers:
                payment = payments[row.payment_id]
                if answer.verdict is Verdict.UNKNOWN:
                    pending = True
                    continue
                approved = answer.verdict is Verdict.APPROVED
                if not approved:
                    text = answer.message or "the card was declined"
                    problems.append(Problem(payment.id, "CARD_DECLINED", text))
                result = "SUCCEEDED" if approved else "DECLINED"
                new = await self._store.settle_transaction(tx, row.id, result, answer.reference, answer.message, now)
                if new and payment.state is State.AUTHORIZING:
                    event = Event.APPROVE if approved else Event.DECLINE
                    changed.append(
                        replace(
                            payment, state=move(payment.id, payment.state, event), accepted=approved,
                            version=payment.version + 1, update_time=now,
                        )
                    )  # fmt: skip
            await self._store.save(tx, changed)
            payments |= {p.id: p for p in changed}
        return Authorized("RESERVED", problems, pending and not problems, list(payments.values()))
