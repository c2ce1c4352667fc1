"""HoldOrder, ReleaseOrderHold, ReportPayments: decided here, carried out by fulfillment, which owns "shipped"."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import WaybillError, missing
from libs.idempotency.key import RequestKey
from libs.ids import IdSource
from libs.obs import get_logger
from services.order.application.access import locked
from services.order.application.peers import Fulfillment
from services.order.application.ports import OrderWork, Units
from services.order.application.progress.report_fulfillment import Applied, ReportFulfillment
from services.order.application.records import HoldCommand, Reports
from services.order.domain.model import Event, Order, OrderHold
from services.order.domain.progress.holds import MANUAL, PAYMENT, place, release, wants_hold

log = get_logger("holds")


@dataclass(frozen=True, slots=True)
class PaymentAlert:
    """A confirmed payment that is no longer good."""

    order_key: uuid.UUID
    payment_id: str
    message: str
    """What the gateway said."""


@dataclass(frozen=True, slots=True)
class NewDecisions:
    """What a decision about a hold is made with."""

    clock: Clock
    ids: IdSource
    lease: timedelta
    """How long the caller that decided has for passing it to fulfillment before the completer does."""


class HoldOrder:
    """Each decision is a row that is driven until fulfillment has it; fulfillment takes decisions by the order's version."""

    def __init__(self, units: Units, fulfillment: Fulfillment, reports: ReportFulfillment, new: NewDecisions) -> None:
        self._units = units
        self._fulfillment = fulfillment
        self._reports = reports
        self._clock = new.clock
        self._new = new

    async def place(self, caller: Principal, order_id: str, comment: str, request: RequestKey | None) -> Order:
        """The order, held by one hold more. Raises ORDER_STATUS_CONFLICT, TOO_MANY_HOLDS."""
        async with self._units.transaction() as work:
            now = self._clock.now()
            hold = OrderHold(self._new.ids.public("hld"), MANUAL, now, comment=comment, user_id=caller.user_id)
            recorded = await work.requests.claim(request, {"order": order_id}, now)
            order = await locked(work.orders, caller, order_id)
            if recorded is None:
                order = await self._decide(work, order, *place(order, hold, caller.party_id, now))
        return await self._send(order)

    async def release(self, caller: Principal, order_id: str, hold_id: str, comment: str, request: RequestKey | None) -> Order:
        """The order without that hold. Raises RESOURCE_NOT_FOUND."""
        async with self._units.transaction() as work:
            now = self._clock.now()
            recorded = await work.requests.claim(request, {"order": order_id}, now)
            order = await locked(work.orders, caller, order_id)
            if recorded is None:
                after, event = release(order, hold_id, caller.user_id, caller.party_id, comment, now)
                order = await self._decide(work, order, after, event) if event else order
        return await self._send(order)

    async def report(self, alerts: Sequence[PaymentAlert]) -> list[uuid.UUID]:
        """Holds the orders of payments that are no longer good; returns keys of orders that are not known.

        What is decided is not lost when fulfillment does not answer: the completer sends it.
        """
        unknown: list[uuid.UUID] = []
        for alert in alerts:
            order = await self._units.retrying(lambda work, alert=alert: self._alerted(work, alert))  # type: ignore[misc]
            if order is None:
                unknown.append(alert.order_key)
                continue
            try:
                await self._send(order)
            except WaybillError as error:
                log.warning("hold not sent", order=str(order.key), reason=error.reason)
        return unknown

    async def _alerted(self, work: OrderWork, alert: PaymentAlert) -> Order | None:
        order = await work.orders.by_key(alert.order_key, lock=True)
        if order is None or not wants_hold(order, alert.payment_id):
            return order
        now = self._clock.now()
        comment = f"payment {alert.payment_id} needs attention" + (f": {alert.message}" if alert.message else "")
        hold = OrderHold(self._new.ids.public("hld"), PAYMENT, now, payment_id=alert.payment_id, comment=comment)
        return await self._decide(work, order, *place(order, hold, "", now))

    async def _decide(self, work: OrderWork, before: Order, after: Order, event: Event) -> Order:
        await work.orders.save(before, after, [event])
        if after.held is not before.held:
            now = self._clock.now()
            await work.holds.set_command(HoldCommand(after.key, after.held, after.version, now, now + self._new.lease))
        return after

    async def _send(self, order: Order) -> Order:
        async with self._units.reading() as work:
            command = await work.holds.command(order.key)
        return order if command is None else await self.drive(command)

    async def drive(self, command: HoldCommand) -> Order:
        """Sends the decision to fulfillment; the order as it is then."""
        reports = await self._fulfillment.hold(command.order_key, command.held, command.version)
        after = await self._units.retrying(lambda work: self._arrived(work, command, reports))
        if command.order_key not in after.orders:
            raise missing("order", str(command.order_key))
        return after.orders[command.order_key]

    async def _arrived(self, work: OrderWork, command: HoldCommand, reports: Reports) -> Applied:
        after = await self._reports.apply(work, reports, {command.order_key: lambda order: order})
        await work.holds.acknowledge(command)
        return after
