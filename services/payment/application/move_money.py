"""CapturePayment and RefundPayment: money that moves after an order opened."""

from __future__ import annotations

from dataclasses import replace

from libs.clock import Clock
from libs.errors import Kind, WaybillError, missing, precondition
from libs.ids import IdSource
from services.payment.application.ports import (
    Answer,
    Gateway,
    PaymentStore,
    Request,
    RequestStore,
    Transaction,
    Transactions,
    Tx,
    Verdict,
)
from services.payment.application.reserve_payments import key_of
from services.payment.domain import ledger
from services.payment.domain.payment import CREDIT_CARD, Payment
from services.payment.domain.states import Event, State, conflict, move


class MoveMoney:
    """Writes that it asks, asks, writes the answer; our key makes a repeat the same operation."""

    def __init__(
        self, database: Transactions, store: PaymentStore, requests: RequestStore, gateway: Gateway, clock: Clock,
        ids: IdSource,
    ) -> None:  # fmt: skip
        self._db = database
        self._store = store
        self._requests = requests
        self._gateway = gateway
        self._clock = clock
        self._ids = ids

    async def capture(self, payment_id: str, amount: int | None, request: Request) -> Payment:
        """Takes a card's money, at most what is authorized and not captured."""
        async with self._db.transaction() as tx:
            payment, row = await self._begin(tx, payment_id, request)
            if row is None:
                move(payment.id, payment.state, Event.CAPTURE)
                if payment.type != CREDIT_CARD:
                    raise conflict(payment.id, payment.state, f"capture a {payment.type}: it is taken at confirm")
                left = payment.due - payment.captured
                wanted = left if amount is None else amount
                if not 0 < wanted <= left:
                    raise precondition(
                        "CAPTURE_EXCEEDS_AUTHORIZATION", f"payment {payment.id} has {left} micros left to capture",
                        payment=payment.id,
                    )  # fmt: skip
                row = await self._open(tx, payment, "CAPTURE", wanted, request)
        if row.result != "PENDING":
            return payment
        authorization = key_of(payment.order_key, payment.attempt, payment.id)
        answer = await self._gateway.capture(row.gateway_key, authorization, row.amount, payment.currency)
        return await self._end(row, answer)

    async def refund(self, payment_id: str, amount: int | None, request: Request) -> Payment:
        """Gives back, at most what was taken and not refunded."""
        async with self._db.transaction() as tx:
            payment, row = await self._begin(tx, payment_id, request)
            if row is None:
                move(payment.id, payment.state, Event.REFUND_PART)
                left = payment.taken
                wanted = left if amount is None else amount
                if not 0 < wanted <= left:
                    raise precondition(
                        "REFUND_EXCEEDS_CAPTURE", f"payment {payment.id} has {left} micros left to refund",
                        payment=payment.id,
                    )  # fmt: skip
                row = await self._open(tx, payment, "REFUND", wanted, request)
        if row.result != "PENDING":
            return payment
        if payment.type != CREDIT_CARD:
            return await self._end(row, Answer(Verdict.APPROVED))
        authorization = key_of(payment.order_key, payment.attempt, payment.id)
        answer = await self._gateway.refund(row.gateway_key, authorization, row.amount, payment.currency)
        return await self._end(row, answer)

    async def _begin(self, tx: Tx, payment_id: str, request: Request) -> tuple[Payment, Transaction | None]:
        """The payment, locked, and the transaction of an earlier call with the same request id."""
        recorded = await self._requests.find(tx, request)
        payment = await self._store.get(tx, payment_id, lock=True)
        if payment is None:
            raise missing("payment", payment_id)
        rows = await self._store.transactions(tx, [payment_id])
        if recorded is not None:
            return payment, next((t for t in rows if t.id == recorded["transaction"]), None)
        if any(t.result == "PENDING" and t.type in ("CAPTURE", "REFUND") for t in rows):
            raise conflict(payment_id, payment.state, "move: another movement waits for its gateway")
        return payment, None

    async def _open(self, tx: Tx, payment: Payment, type: str, amount: int, request: Request) -> Transaction:
        id = self._ids.public("ptx")
        row = Transaction(
            id, payment.id, type, "PENDING", amount, 0, self._clock.now(), f"{payment.id}/{id}/{type.lower()}"
        )
        await self._requests.claim(tx, request, {"transaction": id}, self._clock.now())
        await self._store.add_transactions(tx, [row])
        return row

    async def _end(self, row: Transaction, answer: Answer) -> Payment:
        if answer.verdict is Verdict.UNKNOWN:
            raise WaybillError(
                Kind.UNAVAILABLE, "GATEWAY_SILENT", "the gateway did not answer: repeat with the same request id",
                metadata={"payment": row.payment_id},
            )  # fmt: skip
        approved = answer.verdict is Verdict.APPROVED
        async with self._db.transaction() as tx:
            now = self._clock.now()
            payment = await self._store.get(tx, row.payment_id, lock=True)
            if payment is None:
                raise missing("payment", row.payment_id)
            result = "SUCCEEDED" if approved else "DECLINED"
            new = await self._store.settle_transaction(tx, row.id, result, answer.reference, answer.message, now)
            if new and approved:
                payment, movement = self._applied(payment, row)
                payment = replace(payment, version=payment.version + 1, update_time=now)
                await self._store.save(tx, [payment])
                await self._store.post(tx, [movement], now)
        if not approved:
            raise precondition("GATEWAY_DECLINED", answer.message or "the gateway declined", payment=payment.id)
        return payment

    def _applied(self, payment: Payment, row: Transaction) -> tuple[Payment, ledger.Movement]:
        if row.type == "CAPTURE":
            movement = ledger.captured(row.id, payment, row.amount, self._gateway.name)
            state = move(payment.id, payment.state, Event.CAPTURE)
            return replace(payment, state=state, captured=payment.captured + row.amount), movement
        movement = ledger.returned(row.id, payment, row.amount, self._gateway.name, "refunded")
        event = Event.REFUND_ALL if row.amount == payment.taken else Event.REFUND_PART
        state = move(payment.id, payment.state, event)
        return replace(payment, state=State(state), refunded=payment.refunded + row.amount), movement
