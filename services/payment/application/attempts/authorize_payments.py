"""AuthorizePayments: the second wave. A gateway that is silent leaves a named state, never a guess."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from libs.failpoints import Failpoints
from services.payment.application.gateway.ask_gateway import NO_CARD, UNKNOWN, AskGateway
from services.payment.application.gateway.ports import Answer, Gateway, Verdict
from services.payment.application.ports import PaymentWork
from services.payment.application.record_changes import Books
from services.payment.domain.means.means import Card
from services.payment.domain.money.course import Change
from services.payment.domain.money.settlement import answered, authorized
from services.payment.domain.payments.payment import Payment, Problem
from services.payment.domain.payments.states import Event, State
from services.payment.domain.payments.transaction import Entry, Result, Transaction, TransactionType
from services.payment.domain.payments.types import Holding
from waybill.payment.v1 import reasons


@dataclass(frozen=True, slots=True)
class Authorized:
    """What the gateways said."""

    state: str
    problems: list[Problem]
    pending: bool
    payments: list[Payment]


@dataclass(slots=True)
class _Asking:
    """What one call asks about."""

    state: str
    payments: list[Payment]
    rows: dict[str, Transaction] = field(default_factory=dict)
    """The authorization of each card payment."""
    asked_before: set[str] = field(default_factory=set)
    cards: Mapping[str, Card] = field(default_factory=dict)


class AuthorizePayments:
    """Writes that it asks, asks, writes the answer. A repeat looks the answer up before it asks again, by the same
    key: nothing is authorized twice."""

    def __init__(self, books: Books, ask: AskGateway, failpoints: Failpoints) -> None:
        self._units, self._record, self._clock = books.units, books.record, books.clock
        self._ask = ask
        self._failpoints = failpoints

    async def __call__(self, key: uuid.UUID, attempt: int, deadline: datetime) -> Authorized:
        """Idempotent by (order, attempt)."""
        asking = await self._units.retrying(lambda work: self._begin(work, key, attempt))
        if asking.state != "RESERVED":
            late = [Problem("", reasons.ATTEMPT_RELEASED, "the attempt is not reserved")]
            return Authorized(asking.state, [] if asking.state == "CONFIRMED" else late, False, asking.payments)
        await self._failpoints.reach("payment.authorize.begun")
        waiting = [p for p in asking.payments if p.id in asking.rows and _pending(asking.rows[p.id])]
        left = (deadline - self._clock.now()).total_seconds()
        answers = await asyncio.gather(*(self._answer(p, asking, left) for p in waiting))
        await self._failpoints.reach("payment.authorize.answered")
        known = {p.id: a for p, a in zip(waiting, answers, strict=True) if a.verdict is not Verdict.UNKNOWN}
        payments = asking.payments
        if known:
            payments = await self._units.retrying(lambda work: self._note(work, key, asking, known))
        problems = _declined(asking.rows.values(), known)
        return Authorized("RESERVED", problems, len(known) < len(waiting), payments)

    async def _begin(self, work: PaymentWork, key: uuid.UUID, attempt: int) -> _Asking:
        payments = await work.payments.of_order(key, lock=True)
        state = await work.attempts.state(key, attempt)
        if state != "RESERVED":
            return _Asking(state, payments)
        mine = [p for p in payments if p.holding is Holding.GATEWAY and p.due and p.attempt == attempt]
        rows = {
            row.payment_id: row
            for row in await work.payments.transactions([p.id for p in mine])
            if row.type is TransactionType.AUTHORIZE and row.attempt == attempt
        }
        asked_before = set(rows)
        now = self._clock.now()
        fresh = [
            Change(p.moved(Event.ASK, now), Entry(TransactionType.AUTHORIZE, p.due, pending=True))
            for p in mine
            if p.id not in rows
        ]
        if fresh:
            rows |= {row.payment_id: row for row in await self._record(work, fresh, now)}
        waiting = {p.credit_card_id for p in mine if _pending(rows[p.id])}
        cards = await work.means.cards(waiting)
        changed = {c.payment.id: c.payment for c in fresh}
        return _Asking(state, [changed.get(p.id, p) for p in payments], rows, asked_before, cards)

    async def _answer(self, payment: Payment, asking: _Asking, within: float) -> Answer:
        row = asking.rows[payment.id]
        card = asking.cards.get(payment.credit_card_id)

        async def operate(gateway: Gateway) -> Answer:
            if payment.id in asking.asked_before:
                found = await gateway.get_by_key(row.gateway_key)
                if found.verdict is not Verdict.NOTHING:
                    return found
            if card is None:
                return await _without_card(gateway, row.gateway_key, payment.id in asking.asked_before)
            return await gateway.authorize(row.gateway_key, card.token, row.amount, payment.currency)

        return await self._ask(payment.type, operate, within)

    async def _note(self, work: PaymentWork, key: uuid.UUID, asking: _Asking, known: Mapping[str, Answer]) -> list[Payment]:
        now = self._clock.now()
        payments = {p.id: p for p in await work.payments.of_order(key, lock=True)}
        changes: list[Change] = []
        for id, answer in known.items():
            row, payment = asking.rows[id], payments[id]
            approved = answer.verdict is Verdict.APPROVED
            result = Result.SUCCEEDED if approved else Result.DECLINED
            new = await work.payments.settle(row.id, result, answer.reference, answer.message, now, answer.expire_time)
            if new and payment.state is State.AUTHORIZING and payment.attempt == row.attempt:
                changes.append(Change(authorized(payment, approved, now, answer.expire_time)))
            elif approved:
                changes += await self._late(work, payment, row, new, now)
        if changes:
            await self._record(work, changes, now)
        payments |= {c.payment.id: c.payment for c in changes}
        return list(payments.values())

    async def _late(self, work: PaymentWork, payment: Payment, row: Transaction, new: bool, now: datetime) -> list[Change]:
        """An approval that came when its attempt had ended: what nobody wants of it is voided.

        One that was recorded as declined, when a void found nothing held, came after that.
        """
        rows = await work.payments.transactions([row.payment_id])
        if not new and not any(o.id == row.id and o.result is Result.DECLINED for o in rows):
            return []
        return answered(payment, row, True, rows, now)


def _declined(rows: Iterable[Transaction], known: Mapping[str, Answer]) -> list[Problem]:
    found: list[Problem] = []
    for row in rows:
        answer = known.get(row.payment_id)
        no = row.result is Result.DECLINED if answer is None else answer.verdict is not Verdict.APPROVED
        if no:
            found.append(_why(row.payment_id, row.message if answer is None else answer.message))
    return found


async def _without_card(gateway: Gateway, key: str, asked_before: bool) -> Answer:
    """The card was deleted after the reserve. What an earlier call may have sent is ended before that is the answer."""
    ended = not asked_before or (await gateway.void(key)).verdict in (Verdict.APPROVED, Verdict.NOTHING)
    return NO_CARD if ended else UNKNOWN


def _why(payment_id: str, message: str) -> Problem:
    if message == NO_CARD.message:
        return Problem(payment_id, reasons.CARD_NOT_FOUND, "the card was deleted", field="credit_card_id")
    return Problem(payment_id, reasons.CARD_DECLINED, f"the card was declined: {message}" if message else "the card was declined")


def _pending(row: Transaction) -> bool:
    return row.result is Result.PENDING
