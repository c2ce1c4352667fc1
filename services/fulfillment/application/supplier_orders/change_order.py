"""TryChange, ApplyChange, ReleaseChange: the open units of an order, part of which has shipped, are given up.

A change is an attempt of its order like a submit: tried under (order, attempt), applied or released once, and a release
that comes first leaves a tombstone against the late try.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.clock import Clock
from libs.errors import missing, precondition
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.application.shipments.void_parcels import void_parcels
from services.fulfillment.application.supplier_orders.order_changes import apply_action
from services.fulfillment.domain.sourcing.reservation import Reservation, ReservationState, change
from services.fulfillment.domain.stock.ledger import Cause
from services.fulfillment.domain.supplier_orders.actions.change import Change
from services.fulfillment.domain.supplier_orders.actions.freeze import unfreeze
from services.fulfillment.domain.supplier_orders.actions.give_up import give_up, stop
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder, by_id
from services.fulfillment.domain.supplier_orders.worth import Amounts, given_up
from waybill.fulfillment.v1 import reasons


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a try has frozen, and what will have been canceled of the whole order once it is applied."""

    orders: list[SupplierOrder]
    canceled: Amounts


class _Changes:
    """What the three share. All lock the order's confirmed reservation first, then the change's own row."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def _known(self, work: FulfillmentWork, order_key: str, attempt: int) -> Reservation | None:
        if await work.reservations.confirmed(order_key) is None:
            raise missing("order", order_key)
        return await work.reservations.get(order_key, attempt, lock=True)

    async def _as_they_are(self, work: FulfillmentWork, order_key: str) -> list[SupplierOrder]:
        return by_id(await work.orders.of_orders([order_key], lock=True))


class TryChange(_Changes):
    """The first step. `grace`: how long past the attempt's deadline the order service is asked what became of it."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], clock: Clock, grace: timedelta) -> None:
        super().__init__(units, clock)
        self._grace = grace

    async def __call__(self, order_key: str, attempt: int, deadline: datetime) -> Stopped:
        """Freezes every open unit. Raises NOTHING_OPEN, NOTHING_SHIPPED; RESERVATION_RELEASED for a late try; NOT_FOUND
        for an order without supplier orders.
        """

        async def decide(work: FulfillmentWork) -> list[SupplierOrder]:
            now = self._clock.now()
            known = await self._known(work, order_key, attempt)
            if known is not None:
                if known.state is ReservationState.RELEASED:
                    raise _released(order_key, attempt)
                return await self._as_they_are(work, order_key)
            check = max(deadline, now) + self._grace
            await work.reservations.claim(change(order_key, attempt, ReservationState.RESERVED, check), now)
            return await apply_action(work, self._clock, order_key, stop)

        orders = await self._units.retrying(decide)
        return Stopped(orders, given_up(orders))


class ApplyChange(_Changes):
    """The last step of a change that was decided. Never refused for a business reason: the try is the promise."""

    async def __call__(self, order_key: str, attempt: int) -> list[SupplierOrder]:
        """Cancels what is frozen. Every supplier order of the order, by number; a repeat returns them as they are now.

        Raises RESERVATION_RELEASED for a change that was released or never tried: a defect of the caller.
        """

        async def decide(work: FulfillmentWork) -> list[SupplierOrder]:
            known = await self._known(work, order_key, attempt)
            if known is None or known.state is ReservationState.RELEASED:
                raise _released(order_key, attempt)
            if known.state is ReservationState.CONFIRMED:
                return await self._as_they_are(work, order_key)
            await work.reservations.end(known, ReservationState.CONFIRMED, self._clock.now())
            cause = Cause(order_key, attempt)

            def ended(orders: Sequence[SupplierOrder], now: datetime) -> Change:
                return give_up(orders, cause, now)

            return await void_parcels(work, self._clock, order_key, lambda: apply_action(work, self._clock, order_key, ended))

        return await self._units.retrying(decide)


class ReleaseChange(_Changes):
    """The last step of a change that was refused."""

    async def __call__(self, order_key: str, attempt: int) -> list[SupplierOrder]:
        """Frozen supplier orders are as they were. Every supplier order of the order, by number; nothing changes when the
        change was applied or released before.
        """

        async def decide(work: FulfillmentWork) -> list[SupplierOrder]:
            now = self._clock.now()
            known = await self._known(work, order_key, attempt)
            if known is None:
                await work.reservations.claim(change(order_key, attempt, ReservationState.RELEASED, None), now)
            if known is None or known.state is not ReservationState.RESERVED:
                return await self._as_they_are(work, order_key)
            await work.reservations.end(known, ReservationState.RELEASED, now)
            return await apply_action(work, self._clock, order_key, unfreeze)

        return await self._units.retrying(decide)


def _released(order_key: str, attempt: int) -> Exception:
    return precondition(
        reasons.RESERVATION_RELEASED, f"Attempt {attempt} of the order holds nothing.", order_key=order_key, attempt=str(attempt)
    )
