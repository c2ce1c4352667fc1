"""CapturePayment and RefundPayment: money that moves after an order opened."""

from __future__ import annotations

from libs.clock import Clock
from libs.errors import Kind, WaybillError, invalid, missing, precondition
from services.payment.application.ports import MeansStore, PaymentStore, Request, RequestStore, Transactions, Tx
from services.payment.application.record_changes import RecordChanges
from services.payment.application.settle_transactions import SettleTransactions
from services.payment.domain.attempt import Change
from services.payment.domain.payment import Payment
from services.payment.domain.settlement import capture_amount, refund_amount, settled
from services.payment.domain.transaction import Cause, Entry, Result, Transaction, TransactionType
from services.payment.domain.types import Holding

_AMOUNTS = {TransactionType.CAPTURE: capture_amount, TransactionType.REFUND: refund_amount}


class MoveMoney:
    """Writes what it asks, asks, writes the answer. A repeat with the same request id finds the same movement."""

    def __init__(
        self,
        database: Transactions,
        payments: PaymentStore,
        means: MeansStore,
        requests: RequestStore,
        record: RecordChanges,
        settle: SettleTransactions,
        clock: Clock,
    ) -> None:
        self._db = database
        self._payments = payments
        self._means = means
        self._requests = requests
        self._record = record
        self._settle = settle
        self._clock = clock

    async def capture(
        self, payment_id: str, amount: int | None, currency: str, request: Request
    ) -> tuple[Payment, list[Transaction]]:
        """Takes a card's money, at most what is authorized and not captured."""
        return await self._move(TransactionType.CAPTURE, payment_id, amount, currency, request)

    async def refund(
        self, payment_id: str, amount: int | None, currency: str, request: Request
    ) -> tuple[Payment, list[Transaction]]:
        """Gives back, at most what was taken and not refunded. A promise is only recorded."""
        return await self._move(TransactionType.REFUND, payment_id, amount, currency, request)

    async def _move(
        self, type: TransactionType, payment_id: str, amount: int | None, currency: str, request: Request
    ) -> tuple[Payment, list[Transaction]]:
        row = await self._db.retrying(lambda tx: self._begin(tx, type, payment_id, amount, currency, request))
        if row.result is Result.PENDING:
            await self._settle.settle(row)
        async with self._db.reading(snapshot=True) as tx:
            payment = await self._payments.get(tx, payment_id)
            rows = await self._payments.transactions(tx, [payment_id])
        now = next(r for r in rows if r.id == row.id)
        if now.result is Result.PENDING:
            raise WaybillError(
                Kind.UNAVAILABLE,
                "GATEWAY_SILENT",
                "the gateway did not answer: it is asked on, and a repeat with the same request id tells what it said",
                metadata={"payment": payment_id},
            )
        if now.result is Result.DECLINED:
            text = f"the gateway declined: {now.message}" if now.message else "the gateway declined"
            raise precondition("GATEWAY_DECLINED", text, payment=payment_id)
        if payment is None:
            raise missing("payment", payment_id)
        return payment, rows

    async def _begin(
        self, tx: Tx, type: TransactionType, payment_id: str, amount: int | None, currency: str, request: Request
    ) -> Transaction:
        now = self._clock.now()
        payment = await self._payments.get(tx, payment_id, lock=True)
        if payment is None:
            raise missing("payment", payment_id)
        rows = await self._payments.transactions(tx, [payment_id])
        # Under the payment's lock: the second of two calls at the same time sees what the first has recorded.
        recorded = await self._requests.find(tx, request)
        if recorded is not None:
            return next(row for row in rows if row.id == recorded["transaction"])
        if amount is not None and currency != payment.currency:
            raise invalid("amount", "CURRENCY_MISMATCH", f"must be in {payment.currency}, not {currency or 'none'}")
        wanted = _AMOUNTS[type](payment, amount, rows)
        asked = payment.holding is Holding.GATEWAY
        entry = Entry(type, wanted, pending=asked, cause=Cause.REQUEST)
        row = self._record.transaction(payment, entry, now)
        await self._requests.claim(tx, request, {"transaction": row.id}, now)
        await self._payments.add_transactions(tx, [row])
        if not asked:
            change: Change = settled(payment, row, True, now)
            await self._record.save(tx, [change.payment], now)
            await self._means.post(tx, self._record.movements(change, row.id, type), now)
        return row
