"""What the completer drives: attempts, cancels, holds that fulfillment does not know of yet, and captures on shipment."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from libs.obs import tracing
from libs.service.loops import Tries
from services.order import metrics
from services.order.application.aftercare.cancel_order import CancelOrder
from services.order.application.completer import Unfinished
from services.order.application.ports import OrderWork, Units
from services.order.application.progress.capture_shipped import CaptureShipped
from services.order.application.progress.hold_order import HoldOrder
from services.order.application.records import Cancellation, HoldCommand, ShippedCapture
from services.order.application.submission.operate_submissions import AttemptDriver


class Attempts:
    """Attempts to submit or to change orders, each driven by what its kind asks for."""

    def __init__(self, units: Units, kinds: Mapping[str, AttemptDriver], retries: Tries) -> None:
        """`kinds`: by the kind of attempt. `retries` knows attempts by order and number."""
        self._units = units
        self._kinds = kinds
        self._retries = retries

    async def due(self, work: OrderWork, now: datetime) -> bool:
        """Whether an attempt waits for somebody."""
        return await work.submissions.any_due(now)

    async def claim(self, work: OrderWork, now: datetime, until: datetime, limit: int) -> Sequence[Unfinished]:
        """Attempts that nobody is driving."""
        found = await work.submissions.claim_due(now, until, limit)
        return [Unfinished(item, partial(self._finish, *item), self._retries) for item in found]

    async def _finish(self, key: uuid.UUID, number: int) -> None:
        async with self._units.reading() as work:
            attempt = await work.submissions.get(key, number)
        if attempt is None or attempt.finished:
            return
        with tracing.work("order", "complete submission", order=str(key)):
            await self._kinds[attempt.kind].run(attempt)
        metrics.SUBMISSIONS_DRIVEN.inc()


class Cancels:
    """Cancels of open orders."""

    def __init__(self, cancel: CancelOrder, retries: Tries) -> None:
        """`retries` knows cancels by order."""
        self._cancel = cancel
        self._retries = retries

    async def due(self, work: OrderWork, now: datetime) -> bool:
        """Whether a cancel waits for somebody."""
        return await work.cancellations.any_due(now)

    async def claim(self, work: OrderWork, now: datetime, until: datetime, limit: int) -> Sequence[Unfinished]:
        """Cancels that nobody is driving."""
        found = await work.cancellations.claim_due(now, until, limit)
        return [Unfinished(row.order_key, partial(self._finish, row), self._retries) for row in found]

    async def _finish(self, row: Cancellation) -> None:
        with tracing.work("order", "complete cancellation", order=str(row.order_key)):
            await self._cancel.run(row)
        metrics.CANCELLATIONS_DRIVEN.inc()


class Holds:
    """Decisions about holds that fulfillment has to know."""

    def __init__(self, hold: HoldOrder, retries: Tries) -> None:
        """`retries` knows holds by order."""
        self._hold = hold
        self._retries = retries

    async def due(self, work: OrderWork, now: datetime) -> bool:
        """Whether one waits to be sent."""
        return await work.holds.any_due(now)

    async def claim(self, work: OrderWork, now: datetime, until: datetime, limit: int) -> Sequence[Unfinished]:
        """Those that nobody is sending."""
        found = await work.holds.claim_due(now, until, limit)
        return [Unfinished(command.order_key, partial(self._finish, command), self._retries) for command in found]

    async def _finish(self, command: HoldCommand) -> None:
        with tracing.work("order", "send hold", order=str(command.order_key)):
            await self._hold.drive(command)


class Captures:
    """What has shipped of orders that are captured on shipment, and is not all taken."""

    def __init__(self, capture: CaptureShipped, retries: Tries) -> None:
        """`retries` knows captures by order."""
        self._capture = capture
        self._retries = retries

    async def due(self, work: OrderWork, now: datetime) -> bool:
        """Whether payment is to be asked about any."""
        return await work.captures.any_due(now)

    async def claim(self, work: OrderWork, now: datetime, until: datetime, limit: int) -> Sequence[Unfinished]:
        """Those that nobody is asking about."""
        found = await work.captures.claim_due(now, until, limit)
        return [Unfinished(row.order_key, partial(self._finish, row), self._retries) for row in found]

    async def _finish(self, row: ShippedCapture) -> None:
        with tracing.work("order", "capture shipped", order=str(row.order_key)):
            await self._capture.run(row)
        metrics.CAPTURES_DRIVEN.inc()
