"""VoidPayments, and the loop that settles what a gateway must still answer.

A payment in VOID_PENDING stays there until its gateway says that nothing is held: a late approval is voided too.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace

from libs.clock import Clock
from libs.ids import IdSource
from libs.obs import get_logger
from services.payment.application.ports import Gateway, PaymentStore, Transaction, Transactions, Verdict
from services.payment.domain import ledger
from services.payment.domain.payment import CREDIT_CARD, Payment
from services.payment.domain.states import Event, State, move

INTERVAL = 1.0
BATCH = 100


class VoidPayments:
    """Undoes confirmed payments of a canceled order, and ends authorizations of released attempts."""

    def __init__(
        self, database: Transactions, store: PaymentStore, gateway: Gateway, clock: Clock, ids: IdSource
    ) -> None:
        self._db = database
        self._store = store
        self._gateway = gateway
        self._clock = clock
        self._ids = ids
        self._log = get_logger("payment.void")

    async def __call__(self, key: uuid.UUID) -> list[Payment]:
        """Credits accounts and receivables at once; cards are voided or refunded at their gateway."""
        async with self._db.transaction() as tx:
            now = self._clock.now()
            payments = await self._store.of_order(tx, key, lock=True)
            changed: list[Payment] = []
            movements = []
            for p in payments:
                if p.state in (State.VOIDED, State.REFUNDED, State.VOID_PENDING):
                    continue
                if p.type == CREDIT_CARD and p.state in (State.CONFIRMED, State.CAPTURED):
                    if p.state is State.CONFIRMED:
                        changed.append(replace(p, state=move(p.id, p.state, Event.DOUBT), accepted=False))
                    continue
                if p.state in (State.OPEN, State.CONFIRMED):
                    if p.taken:
                        back = ledger.returned(f"{p.id}/void", p, p.taken, self._gateway.name, "order canceled")
                        movements.append(back)
                    changed.append(
                        replace(p, state=move(p.id, p.state, Event.VOID), refunded=p.refunded + p.taken)
                    )
            changed = [replace(p, version=p.version + 1, update_time=now) for p in changed]
            await self._store.save(tx, changed)
            await self._store.post(tx, movements, now)
            await self._store.add_transactions(
                tx,
                [
                    Transaction(
                        self._ids.public("ptx"), p.id, "VOID", "SUCCEEDED", p.due, p.attempt, now, result_time=now
                    )
                    for p in changed
                    if p.state is State.VOIDED and p.due
                ],
            )
        await self.once(key)
        async with self._db.reading() as tx:
            return await self._store.of_order(tx, key)

    async def run(self) -> None:
        """For ever: asks gateways about what is pending."""
        while True:
            await asyncio.sleep(INTERVAL)
            await self.once()

    async def once(self, key: uuid.UUID | None = None) -> int:
        """Voids what is pending; returns how much of it is settled now."""
        async with self._db.reading() as tx:
            pending = await self._store.in_state(tx, State.VOID_PENDING.value, BATCH)
        wanted = [p for p in pending if key is None or p.order_key == key]
        return sum(await asyncio.gather(*(self._void(p) for p in wanted)))

    async def _void(self, payment: Payment) -> int:
        async with self._db.reading() as tx:
            asked = [
                t for t in await self._store.transactions(tx, [payment.id])
                if t.type == "AUTHORIZE" and t.result != "DECLINED"
            ]  # fmt: skip
        for row in asked:
            answer = await self._gateway.void(row.gateway_key)
            if answer.verdict is Verdict.UNKNOWN:
                self._log.info("gateway is silent", payment=payment.id)
                return 0
        async with self._db.transaction() as tx:
            now = self._clock.now()
            current = await self._store.get(tx, payment.id, lock=True)
            if current is None or current.state is not State.VOID_PENDING:
                return 0
            for row in asked:
                await self._store.settle_transaction(tx, row.id, "DECLINED", "", "voided", now)
            state = await self._store.attempt_state(tx, current.order_key, current.attempt)
            event = Event.VOID if state == "CONFIRMED" else Event.CLEAR
            await self._store.save(
                tx,
                [
                    replace(
                        current, state=move(current.id, current.state, event), version=current.version + 1,
                        update_time=now,
                    )
                ],
            )  # fmt: skip
            note = Transaction(
                self._ids.public("ptx"), current.id, "VOID", "SUCCEEDED", current.due, current.attempt, now,
                result_time=now,
            )  # fmt: skip
            await self._store.add_transactions(tx, [note])
        return 1
