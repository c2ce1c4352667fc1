"""Writes what became of payments: the payments, their transactions, the ledger and the balances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.clock import Clock
from libs.ids import IdSource
from services.payment.application.gateway.gateways import Gateways
from services.payment.application.ports import PaymentWork, Units
from services.payment.domain.money import ledger
from services.payment.domain.money.course import Change
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import State
from services.payment.domain.payments.transaction import Cause, Entry, Result, Transaction, TransactionType

WORDS = {
    TransactionType.CONFIRM: "order confirmed",
    TransactionType.VOID: "order canceled",
    TransactionType.CAPTURE: "captured",
    TransactionType.REFUND: "refunded",
}


class RecordChanges:
    """One way from decisions to rows, so that payments, transactions and ledger cannot disagree."""

    def __init__(self, ids: IdSource, gateways: Gateways, again: timedelta) -> None:
        self._ids = ids
        self._gateways = gateways
        self._again = again

    async def __call__(
        self, work: PaymentWork, changes: Sequence[Change], now: datetime, added: Sequence[Payment] = ()
    ) -> list[Transaction]:
        """Returns the transactions that a gateway has to be asked about. `added` are payments that are not stored yet."""
        rows: list[Transaction] = []
        movements: list[ledger.Movement] = []
        freed: dict[str, int] = {}
        for change in changes:
            payment = change.payment
            if change.freed:
                account = payment.spending_account_id
                freed[account] = freed.get(account, 0) + change.freed
            if change.entry is not None:
                row = self.transaction(payment, change.entry, now)
                rows.append(row)
                movements += self._movements(change, row)
            elif change.settles is not None:
                movements += self._movements(change, change.settles)
        latest = {p.id: p for p in (*added, *(c.payment for c in changes))}
        new = {p.id for p in added}
        await work.payments.insert([latest[p.id] for p in added])
        await work.payments.save([p for p in latest.values() if p.id not in new])
        # Of those that need attention the order service will hear.
        await work.alerts.raise_for([p for p in latest.values() if p.state is State.ATTENTION], now)
        await work.payments.add_transactions(rows)
        await work.means.post(movements, now, freed)
        return [row for row in rows if row.result is Result.PENDING]

    def _movements(self, change: Change, row: Transaction) -> list[ledger.Movement]:
        """What a change moves in the ledger."""
        made: list[ledger.Movement] = []
        payment, gateway = change.payment, self._gateways.name_of(change.payment.type)
        if change.taken:
            made += ledger.taken(row.id, payment, change.taken, row.units, gateway, WORDS[row.type])
        if change.returned:
            made += ledger.returned(row.id, payment, change.returned, row.units, gateway, WORDS[row.type])
        return made

    def transaction(self, payment: Payment, entry: Entry, now: datetime) -> Transaction:
        """A transaction of a payment, begun now."""
        id = self._ids.public("ptx")
        key, authorization = "", entry.authorization_key
        if entry.pending:
            authorization = authorization or payment.authorization_key
            key = authorization if entry.type in (TransactionType.AUTHORIZE, TransactionType.VOID) else id
        elif entry.said is not None:
            key = entry.said.gateway_key
        # The authorization of an attempt is asked about by the order's attempt alone, and voided with it.
        attempts = entry.type is TransactionType.AUTHORIZE and entry.cause is Cause.SUBMIT
        again = entry.pending and not attempts
        said, recorded = entry.said, entry.recorded
        reference = said.gateway_reference if said is not None else recorded.reference if recorded is not None else ""
        return Transaction(
            id=id,
            payment_id=payment.id,
            type=entry.type,
            result=Result.PENDING if entry.pending else Result.SUCCEEDED,
            amount=entry.amount,
            attempt=payment.attempt,
            create_time=now,
            cause=entry.cause,
            gateway_key=key,
            authorization_key=authorization,
            gateway_reference=reference,
            result_time=None if entry.pending else now,
            ask_time=now + self._again if again else None,
            units=entry.units,
            expire_time=None if said is None else said.expire_time,
            recorded_by="" if recorded is None else recorded.by,
            occur_time=None if recorded is None else recorded.occur_time,
        )


@dataclass(frozen=True, slots=True)
class Books:
    """What every use case that changes payments goes through: transactions, one way to record, one clock."""

    units: Units
    record: RecordChanges
    clock: Clock
