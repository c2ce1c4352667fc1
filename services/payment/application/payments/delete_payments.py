"""DeletePayments, BatchDeletePayments: payments of orders that are to be deleted, with the cards that guests noted for them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from libs.clock import Clock
from libs.errors import WaybillError
from services.payment.application.payments.order_payments import STANDS, submission_in_progress
from services.payment.application.ports import Deletion, PaymentWork, Units
from services.payment.domain.money.recording import authorized
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import State, conflict
from services.payment.domain.payments.transaction import Result, Transaction
from services.payment.domain.payments.types import Holding


class Step(Enum):
    """Which part of a deletion is asked for."""

    WHOLE = auto()
    """Payments go before their orders do."""
    PREPARE = auto()
    """Orders are about to go: nothing of theirs goes yet."""
    FINISH = auto()
    """Orders are gone."""


@dataclass(frozen=True, slots=True)
class Doomed:
    """An order that is to be deleted as it stands at a version."""

    key: uuid.UUID
    version: int
    guests_id: str = ""
    """Its public id where it is a guest's, whose cards go with it."""


class DeletePayments:
    """Removes all payments of an order, unless one of them holds something; none is added at that version from then on. Should
    the order not be deleted, it is not submitted without them."""

    def __init__(self, units: Units, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def __call__(self, doomed: Sequence[Doomed], step: Step = Step.WHOLE) -> Mapping[uuid.UUID, WaybillError]:
        """What stands against the deletion of those orders whose payments stay, each all or none. The number of statements does
        not grow with that of the orders. To prepare a deletion takes nothing: should the order stay, so do its payments."""

        async def take_out(work: PaymentWork) -> Mapping[uuid.UUID, WaybillError]:
            now, keys = self._clock.now(), [one.key for one in doomed]
            await work.attempts.lock_all(keys, now)
            live = await work.attempts.live_of(keys)
            payments = await work.payments.of_orders(keys, lock=True)
            rows = await work.payments.transactions([p.id for p in payments])
            pending = {row.payment_id for row in rows if row.result is Result.PENDING}
            recorded: dict[str, list[Transaction]] = {}
            for row in rows:
                recorded.setdefault(row.payment_id, []).append(row)
            kept: dict[uuid.UUID, WaybillError] = {}
            for payment in payments:
                error = _hindrance(payment, live.get(payment.order_key, 0), payment.id in pending)
                if error is None and authorized(recorded.get(payment.id, ())):
                    error = conflict(payment.id, payment.state, STANDS)
                if error is not None:
                    kept.setdefault(payment.order_key, error)
            gone = [] if step is Step.PREPARE else [p for p in payments if p.order_key not in kept]
            if gone:
                await work.redirects.end([p.id for p in gone if p.holding is Holding.GATEWAY], now)
                await work.payments.remove([p.id for p in gone], now)
            paid = {p.order_key for p in gone}
            noted = {d.key: Deletion(d.version, took=d.key in paid) for d in doomed if d.key not in kept}
            await work.payments.note_deletions(noted, now, gone=step is Step.FINISH)
            if step is not Step.PREPARE:
                await work.means.remove_guests_cards([d.guests_id for d in doomed if d.guests_id and d.key not in kept], now)
            return kept

        return await self._units.retrying(take_out)


def _hindrance(payment: Payment, attempt: int, pending: bool) -> WaybillError | None:
    """Why a payment cannot be removed now."""
    if attempt:
        return submission_in_progress(payment.order_id, attempt)
    if payment.state not in (State.OPEN, State.VOIDED):
        return conflict(payment.id, payment.state, "be removed")
    return conflict(payment.id, State.VOID_PENDING, "be removed") if pending else None
