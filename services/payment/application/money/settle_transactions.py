"""Voids, captures, refunds and renewals: asked until the gateway answers, each answer written once.

The gateway is asked outside of any transaction; our key makes every repeat the same operation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from libs.obs import get_logger
from libs.service.loops import Pace, put_off
from services.payment import metrics
from services.payment.application.gateway.ask_gateway import BROKEN, NO_CARD, UNKNOWN, AskGateway
from services.payment.application.gateway.ports import Answer, Gateway, Verdict
from services.payment.application.ports import PaymentWork
from services.payment.application.record_changes import Books
from services.payment.domain.money import replacement
from services.payment.domain.money.settlement import answered
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import State
from services.payment.domain.payments.transaction import Cause, Result, Transaction, TransactionType

_LOG = get_logger("payment.gateway")


class SettleTransactions:
    """Also a background loop, safe in every replica: rows are claimed, answers are written by conditional updates."""

    def __init__(self, books: Books, ask: AskGateway, patience: float, pace: Pace) -> None:
        """`patience`: seconds that callers wait for an answer."""
        self._units, self._record, self._clock = books.units, books.record, books.clock
        self._ask = ask
        self._patience = patience
        self._pace = pace

    async def once(self) -> int:
        """Asks about everything that is due; returns how much is settled now."""
        now = self._clock.now()
        async with self._units.reading() as work:
            # Most looks find nothing: those take no write lock.
            if not await work.payments.any_due(now):
                return 0
        due = await self._units.retrying(lambda work: work.payments.claim_due(now, now + self._pace.again, self._pace.batch))
        answers = await asyncio.gather(*(self._guarded(row) for row in due))
        return sum(answer.verdict is not Verdict.UNKNOWN for answer in answers)

    async def promptly(self, rows: Sequence[Transaction]) -> None:
        """Tries at once, for a short time; what is not answered is left to the loop."""
        await asyncio.gather(*(self._guarded(row, self._patience) for row in rows))

    async def _guarded(self, row: Transaction, within: float | None = None) -> Answer:
        """What one fails by keeps no other from its answer: it is noted, and asked about again after a while."""
        try:
            answer = await self.settle(row, within)
            if answer == BROKEN:
                await self._pace.tries.failed(row.id, BROKEN.message)
            return answer
        except Exception as error:
            await put_off(row.id, error, _LOG, self._pace.tries)
            return UNKNOWN

    async def settle(self, row: Transaction, within: float | None = None) -> Answer:
        """Asks about one pending transaction and writes the answer."""
        async with self._units.reading() as work:
            payment = await work.payments.get(row.payment_id)
            others = await work.payments.transactions([row.payment_id])
            renewal = row.type is TransactionType.AUTHORIZE and payment is not None
            cards = await work.means.cards({payment.credit_card_id}) if payment and renewal else {}
        if payment is None:
            return Answer(Verdict.UNKNOWN)
        asked: list[tuple[Transaction, Answer]] = []

        async def operate(gateway: Gateway) -> Answer:
            if row.type is TransactionType.AUTHORIZE:
                found = await gateway.get_by_key(row.gateway_key)
                card = cards.get(payment.credit_card_id)
                if found.verdict is not Verdict.NOTHING:
                    return found
                if card is None:
                    return NO_CARD
                return await gateway.authorize(row.gateway_key, card.token, row.amount, payment.currency)
            if row.type is TransactionType.CAPTURE:
                return await gateway.capture(row.gateway_key, row.authorization_key, row.amount, payment.currency)
            if row.type is TransactionType.REFUND:
                return await gateway.refund(row.gateway_key, row.authorization_key, row.amount, payment.currency)
            for other in others:
                if other.gateway_key == row.gateway_key and _waits(other):
                    # The void would wipe out what became of it.
                    asked.append((other, await gateway.get_by_key(row.gateway_key)))
            if any(found.verdict is Verdict.UNKNOWN for _, found in asked):
                return Answer(Verdict.UNKNOWN)
            return await gateway.void(row.gateway_key)

        answer = await self._ask(payment.type, operate, within)
        if row.type is TransactionType.VOID and answer.verdict is Verdict.NOTHING:
            answer = Answer(Verdict.APPROVED, answer.reference, answer.message)
        if answer.verdict in (Verdict.APPROVED, Verdict.DECLINED):
            await self._write([(row, answer), *asked])
            return answer
        return answer if answer == BROKEN else UNKNOWN

    async def _write(self, answers: Sequence[tuple[Transaction, Answer]]) -> None:
        # The gateway has moved the money by now: what others undo is written again at once, not after another question.
        if await self._units.retrying(lambda work: self._note(work, answers)):
            metrics.PAYMENTS_SETTLED[answers[0][0].type].inc()

    async def _note(self, work: PaymentWork, answers: Sequence[tuple[Transaction, Answer]]) -> bool:
        """Whether the first of them is done by this."""
        row, done, now = answers[0][0], False, self._clock.now()
        payment = await work.payments.get(row.payment_id, lock=not _replaces(row))
        if payment is None:
            return False
        # A replacement changes others: the order's payments are locked together, in their one order.
        others = await work.payments.of_order(payment.order_key, lock=True) if _replaces(row) else [payment]
        for asked, answer in answers:
            approved = answer.verdict is Verdict.APPROVED
            result = Result.SUCCEEDED if approved else Result.DECLINED
            new = await work.payments.settle(asked.id, result, answer.reference, answer.message, now, answer.expire_time)
            done = done or (new and asked is row)
        if done:
            await self._apply(work, others, row, now)
        return done and answers[0][1].verdict is Verdict.APPROVED

    async def _apply(self, work: PaymentWork, payments: Sequence[Payment], asked: Transaction, now: datetime) -> None:
        rows = await work.payments.transactions([p.id for p in payments])
        # As it is now: a cancel may have taken it over since the gateway was asked.
        row = next(r for r in rows if r.id == asked.id)
        approved = row.result is Result.SUCCEEDED
        payment = next(p for p in payments if p.id == row.payment_id)
        if _replaces(row):
            changes = replacement.answered(payments, row, approved, rows, now)
        else:
            changes = answered(payment, row, approved, rows, now)
        await self._record(work, changes, now)
        after = next(c.payment for c in reversed(changes) if c.payment.id == payment.id)
        if after.state is State.ATTENTION and payment.state is not State.ATTENTION:
            _LOG.error("payment_needs_attention", payment=after.id, order=after.order_id, type=row.type, message=row.message)


def _replaces(row: Transaction) -> bool:
    return row.type is TransactionType.AUTHORIZE and row.cause is Cause.REPLACEMENT


def _waits(row: Transaction) -> bool:
    return row.type is TransactionType.AUTHORIZE and row.result is Result.PENDING
