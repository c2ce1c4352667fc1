"""ConfirmReservation: makes an attempt's reservation permanent and creates the supplier orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from libs.clock import Clock
from libs.errors import precondition
from libs.ids import IdSource
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.domain.sourcing.reservation import Freeze, ReservationState
from services.fulfillment.domain.stock.ledger import Cause, summed_by_record
from services.fulfillment.domain.supplier_orders.actions.cancel import cancel
from services.fulfillment.domain.supplier_orders.actions.change import Change
from services.fulfillment.domain.supplier_orders.actions.freeze import freeze
from services.fulfillment.domain.supplier_orders.actions.place import Forwarding, confirm, delivered
from services.fulfillment.domain.supplier_orders.answer_time import timed
from services.fulfillment.domain.supplier_orders.snapshot import OrderSnapshot
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder, by_id
from waybill.fulfillment.v1 import reasons


class ConfirmReservation:
    """The use case. Never refused for a business reason: the reservation is the promise."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], clock: Clock, ids: IdSource) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids

    async def __call__(
        self, order: OrderSnapshot, attempt: int, forward: Forwarding, accept_within: timedelta | None = None
    ) -> list[SupplierOrder]:
        """The supplier orders, by number; a repeat returns them as they are now. `accept_within`: how long each supplier has
        to answer, those of a later forward or rejection too; None for without a limit.

        Raises RESERVATION_RELEASED for an attempt that was released or never known: a defect of the caller.
        """
        return by_id(await self._units.retrying(lambda work: self._confirm(work, order, attempt, forward, accept_within)))

    async def _confirm(
        self, work: FulfillmentWork, order: OrderSnapshot, attempt: int, forward: Forwarding, within: timedelta | None
    ) -> list[SupplierOrder]:
        now = self._clock.now()
        reserved = await work.reservations.get(order.order_key, attempt, lock=True)
        if reserved is None or reserved.state is ReservationState.RELEASED:
            raise precondition(
                reasons.RESERVATION_RELEASED,
                f"Attempt {attempt} of order {order.order_id} holds no reservation.",
                order_key=order.order_key,
                attempt=str(attempt),
            )
        if reserved.state is ReservationState.CONFIRMED:
            return await work.orders.of_orders([order.order_key], lock=True)
        cause = Cause(order.order_key, attempt)
        change = timed(confirm(order, reserved.assignments, cause, forward, self._ids.key, now), within, now)
        if reserved.held:
            change = replace(change, created=tuple(replace(o, held=True) for o in change.created))
        # A cancel that came first decides over supplier orders that are only now made.
        if reserved.freeze is Freeze.FROZEN:
            change = replace(change, created=freeze(change.created, now).changed)
        elif reserved.freeze is Freeze.CANCELED:
            ended = cancel(change.created, cause, now)
            change = Change(created=_latest(change.created, ended.changed), movements=(*change.movements, *ended.movements))
        elif any(not line.shippable for line in order.lines):
            stocks = await work.stock.of_keys(summed_by_record(change.movements), lock=True)
            change = delivered(change, stocks, now)
        await work.reservations.end(reserved, ReservationState.CONFIRMED, now, order.xp, within, order.costs)
        await work.stock.book(change.movements, summed_by_record(change.movements), now)
        await work.orders.insert(change.created, now)
        return list(change.created)


def _latest(orders: tuple[SupplierOrder, ...], changed: tuple[SupplierOrder, ...]) -> tuple[SupplierOrder, ...]:
    newer = {o.key: o for o in changed}
    return tuple(newer.get(o.key, o) for o in orders)
