"""Captures on shipment: payment is asked to take what has shipped, until nothing of it is missing."""

from __future__ import annotations

from libs.clock import Clock
from libs.failpoints import Failpoints
from services.order.application.peers import Payments
from services.order.application.ports import OrderWork, Units
from services.order.application.records import ShippedCapture
from services.order.domain.progress.capture import next_look


class CaptureShipped:
    """Safe to be run by several at once: payment takes what is missing of a whole value, so that a repeat takes nothing."""

    def __init__(self, units: Units, payments: Payments, clock: Clock, failpoints: Failpoints) -> None:
        self._units = units
        self._payments = payments
        self._clock = clock
        self._failpoints = failpoints

    async def run(self, row: ShippedCapture) -> None:
        """Asks payment once; what is missing then is asked for again later."""
        missing = await self._payments.capture_shipped(row.order_key, row.value, row.currency)
        await self._failpoints.reach("order.capture.asked")
        await self._units.retrying(lambda work: self._noted(work, row, missing))

    async def _noted(self, work: OrderWork, row: ShippedCapture, missing: int) -> None:
        if missing:
            await work.captures.postpone(row, next_look(row.begin_time, self._clock.now()))
        else:
            await work.captures.finish(row)
