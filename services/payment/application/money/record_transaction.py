"""RecordTransaction: somebody says what has happened outside to the money of a payment of a declared type."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from libs.errors import Violations, missing
from libs.idempotency.key import RequestKey
from services.payment.application.ports import PaymentWork
from services.payment.application.record_changes import Books
from services.payment.domain.money import recording
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.transaction import Recorded, Transaction, TransactionType
from waybill.payment.v1 import reasons


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of it. Without `occur_time` it has happened just now."""

    payment_id: str
    type: TransactionType
    amount: int
    currency: str
    by: str
    reference: str
    occur_time: datetime | None


class RecordTransaction:
    """One transaction, under the payment's lock, which a submit takes too: it sees what is recorded before, or none of it."""

    def __init__(self, books: Books) -> None:
        self._units, self._record, self._clock = books.units, books.record, books.clock

    async def __call__(self, said: Said, request: RequestKey | None) -> tuple[Payment, list[Transaction]]:
        """The payment as it is then, with its transactions. Raises with everything that is wrong."""
        return await self._units.retrying(lambda work: self._note(work, said, request))

    async def _note(self, work: PaymentWork, said: Said, request: RequestKey | None) -> tuple[Payment, list[Transaction]]:
        now = self._clock.now()
        payment = await work.payments.get(said.payment_id, lock=True)
        if payment is None:
            raise missing("payment", said.payment_id)
        rows = await work.payments.transactions([payment.id])
        if await work.requests.find(request) is not None:
            return payment, rows
        occur = now if said.occur_time is None else said.occur_time
        found = Violations()
        found.require("occur_time", occur <= now, reasons.VALUE_OUT_OF_RANGE, "is in the future")
        same = said.currency == payment.currency
        found.require("amount", same, reasons.CURRENCY_MISMATCH, f"must be in {payment.currency}, not {said.currency or 'none'}")
        entry = recording.entry(said.type, said.amount, Recorded(said.by, said.reference, occur))
        found.items += recording.faults(payment, entry, rows).items
        found.raise_if_any()
        types = await work.types.of_ids({payment.type})
        changes = recording.record(payment, entry, rows, types.get(payment.type), now)
        await self._record(work, changes, now)
        await work.requests.claim(request, {"transactions": []}, now)
        return changes[-1].payment, await work.payments.transactions([payment.id])
