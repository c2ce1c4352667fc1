"""ListUnsettledPayments and ReconcilePayments: what operators do about money that may not be where it should be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from libs.errors import missing
from libs.query.request import Page, PageRequest
from services.payment.application.attempts.expire_attempts import ExpireAttempts
from services.payment.application.money.settle_transactions import SettleTransactions
from services.payment.application.ports import PaymentWork, Units
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import State
from services.payment.domain.payments.transaction import Result, Transaction

UNSETTLED = (State.AUTHORIZING, State.VOID_PENDING, State.ATTENTION)
"""States in which money is not known to be where it should be."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A payment with its transactions."""

    payment: Payment
    transactions: tuple[Transaction, ...]

    @property
    def settled(self) -> bool:
        """Whether nothing of it is open."""
        return self.payment.state not in UNSETTLED and not self.asked

    @property
    def asked(self) -> tuple[Transaction, ...]:
        """Operations that the gateway has to be asked about."""
        return tuple(t for t in self.transactions if t.result is Result.PENDING and t.ask_time is not None)


class ReconcilePayments:
    """For operators; whether the caller is one has been checked."""

    def __init__(self, units: Units, settle: SettleTransactions, expire: ExpireAttempts) -> None:
        self._units = units
        self._settle = settle
        self._expire = expire

    async def unsettled(self, request: PageRequest) -> Page[Standing]:
        """A page."""
        async with self._units.reading(snapshot=True) as work:
            page = await work.unsettled.page(request)
            return page.of(await self._standing(work, page.items))

    async def __call__(self, payment_ids: Sequence[str]) -> list[Standing]:
        """Asks about them at once and returns them as they have become. Raises NOT_FOUND for the first unknown one."""
        before = await self._load(payment_ids)
        attempts = {(s.payment.order_key, s.payment.attempt) for s in before if s.payment.state is State.AUTHORIZING}
        await asyncio.gather(
            *(self._expire.ask(key, attempt) for key, attempt in sorted(attempts)),
            *(self._settle.settle(row) for standing in before for row in standing.asked),
        )
        return await self._load(payment_ids)

    async def _load(self, payment_ids: Sequence[str]) -> list[Standing]:
        async with self._units.reading(snapshot=True) as work:
            found = {p.id: p for p in await work.payments.of_ids(payment_ids)}
            for id in payment_ids:
                if id not in found:
                    raise missing("payment", id)
            return await self._standing(work, [found[id] for id in payment_ids])

    async def _standing(self, work: PaymentWork, payments: Sequence[Payment]) -> list[Standing]:
        rows = await work.payments.transactions([p.id for p in payments])
        return [Standing(p, tuple(row for row in rows if row.payment_id == p.id)) for p in payments]
