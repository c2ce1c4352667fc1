"""CapturePayment, RefundPayment, VoidPayment: money that moves, or is let go, after an order opened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from libs.errors import Kind, WaybillError, invalid, missing, precondition
from libs.idempotency.key import RequestKey
from services.payment.application.money.settle_transactions import SettleTransactions
from services.payment.application.peers import OrderPeer
from services.payment.application.ports import PaymentWork
from services.payment.application.record_changes import Books
from services.payment.domain.money.course import Change
from services.payment.domain.money.lowering import void
from services.payment.domain.money.settlement import capture, refund
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.transaction import Result, Transaction
from waybill.payment.v1 import reasons

Decide = Callable[[Payment, Sequence[Transaction], datetime], list[Change]]
"""What to record of a payment with these transactions; raises when it may not be."""


class MoveMoney:
    """Writes what it asks, asks, writes the answer. A repeat with the same request id finds the same movement."""

    def __init__(self, books: Books, settle: SettleTransactions, orders: OrderPeer) -> None:
        self._units, self._record, self._clock = books.units, books.record, books.clock
        self._settle = settle
        self._orders = orders

    async def capture(
        self, payment_id: str, amount: int | None, currency: str, request: RequestKey | None
    ) -> tuple[Payment, list[Transaction]]:
        """Takes a card's money, at most what is authorized and not captured."""

        def decide(payment: Payment, rows: Sequence[Transaction], now: datetime) -> list[Change]:
            _in_currency(payment, amount, currency)
            return capture(payment, amount, rows, now)

        return await self._move(payment_id, decide, request)

    async def refund(
        self, payment_id: str, amount: int | None, currency: str, request: RequestKey | None
    ) -> tuple[Payment, list[Transaction]]:
        """Gives back, at most what was taken and not refunded. A promise is only recorded."""

        def decide(payment: Payment, rows: Sequence[Transaction], now: datetime) -> list[Change]:
            _in_currency(payment, amount, currency)
            return refund(payment, amount, rows, now)

        return await self._move(payment_id, decide, request)

    async def void(self, payment_id: str, request: RequestKey | None) -> tuple[Payment, list[Transaction]]:
        """Lets go of what a card holds and has not taken. What the gateway does not answer is asked on.

        Asks the order service first whether the order has ended, and raises when it does not answer.
        """
        payment, _ = await self._load(payment_id)
        ended = bool(await self._orders.ended({payment.order_key}))

        def decide(payment: Payment, rows: Sequence[Transaction], now: datetime) -> list[Change]:
            return void(payment, rows, ended, now)

        ids = await self._units.retrying(lambda work: self._begin(work, payment_id, decide, request))
        payment, rows = await self._load(payment_id)
        await self._settle.promptly([row for row in rows if row.id in ids and row.result is Result.PENDING])
        return await self._load(payment_id) if ids else (payment, rows)

    async def _move(self, payment_id: str, decide: Decide, request: RequestKey | None) -> tuple[Payment, list[Transaction]]:
        ids = await self._units.retrying(lambda work: self._begin(work, payment_id, decide, request))
        _, rows = await self._load(payment_id)
        await asyncio.gather(*(self._settle.settle(row) for row in rows if row.id in ids and row.result is Result.PENDING))
        payment, rows = await self._load(payment_id)
        now = [row for row in rows if row.id in ids]
        if any(row.result is Result.PENDING for row in now):
            raise WaybillError(
                Kind.UNAVAILABLE,
                reasons.GATEWAY_SILENT,
                "the gateway did not answer: it is asked on, and a repeat with the same request id answers what it said",
                metadata={"payment": payment_id},
            )
        declined = next((row for row in now if row.result is Result.DECLINED), None)
        if declined is not None:
            text = f"the gateway declined: {declined.message}" if declined.message else "the gateway declined"
            raise precondition(reasons.GATEWAY_DECLINED, text, payment=payment_id)
        return payment, rows

    async def _load(self, payment_id: str) -> tuple[Payment, list[Transaction]]:
        async with self._units.reading(snapshot=True) as work:
            payment = await work.payments.get(payment_id)
            if payment is None:
                raise missing("payment", payment_id)
            return payment, await work.payments.transactions([payment_id])

    async def _begin(self, work: PaymentWork, payment_id: str, decide: Decide, request: RequestKey | None) -> list[str]:
        """Ids of what was recorded, by this call or by the one that it repeats."""
        now = self._clock.now()
        payment = await work.payments.get(payment_id, lock=True)
        if payment is None:
            raise missing("payment", payment_id)
        # Under the payment's lock: the second of two calls at the same time sees what the first has recorded.
        recorded = await work.requests.find(request)
        if recorded is not None:
            return list(recorded["transactions"])
        rows = await work.payments.transactions([payment_id])
        made = await self._record(work, decide(payment, rows, now), now)
        ids = [row.id for row in made]
        await work.requests.claim(request, {"transactions": ids}, now)
        return ids


def _in_currency(payment: Payment, amount: int | None, currency: str) -> None:
    if amount is not None and currency != payment.currency:
        raise invalid("amount", reasons.CURRENCY_MISMATCH, f"must be in {payment.currency}, not {currency or 'none'}")
