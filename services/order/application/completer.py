"""The completer: takes up attempts, cancels and holds whose coordinator is gone, and drives them to their end."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from libs.clock import Clock
from libs.obs import get_logger, tracing
from libs.service.loops import Tries, one_by_one
from services.order import metrics
from services.order.application.aftercare.cancel_order import CancelOrder
from services.order.application.aftercare.complete_order import ChangeOrder
from services.order.application.limits import DEFAULT, CompleterLimits
from services.order.application.ports import Cancellation, HoldCommand, HoldStore, SubmissionStore, Transactions
from services.order.application.progress.hold_order import HoldOrder
from services.order.application.submission.attempts import SUBMIT
from services.order.application.submission.submit_order import SubmitOrder

log = get_logger("completer")


@dataclass(frozen=True, slots=True)
class Retrying:
    """How often attempts, by order and number, and cancels and holds, by order, have failed."""

    attempts: Tries
    cancels: Tries
    holds: Tries


class CompleteSubmissions:
    """A background loop, safe in every replica: rows are leased, decisions are conditional, steps are idempotent."""

    def __init__(
        self,
        database: Transactions,
        submissions: SubmissionStore,
        holds: HoldStore,
        submit: SubmitOrder,
        cancel: CancelOrder,
        changes: ChangeOrder,
        hold: HoldOrder,
        clock: Clock,
        retries: Retrying,
        limits: CompleterLimits = DEFAULT,
    ) -> None:
        self._limits = limits
        self._db = database
        self._submissions = submissions
        self._holds = holds
        self._submit = submit
        self._cancel = cancel
        self._changes = changes
        self._hold = hold
        self._clock = clock
        self._retries = retries

    async def once(self) -> int:
        """Drives everything that is due; returns how much that was."""
        now = self._clock.now()
        async with self._db.reading() as tx:
            due = await self._submissions.anything_due(tx, now) or await self._holds.any_due(tx, now)
        if not due:
            return 0
        until, most = now + self._limits.lease, self._limits.completer_batch
        async with self._db.transaction() as tx:
            attempts = await self._submissions.claim_due(tx, now, until, most)
            cancels = await self._submissions.claim_due_cancellations(tx, now, until, most)
            holds = await self._holds.claim_due(tx, now, until, most)
        # One that waits for a silent service must not keep the others waiting, nor one that fails hide them.
        await asyncio.gather(
            *(_driven(item, partial(self._finish, *item), self._retries.attempts) for item in attempts),
            *(_driven(row.order_key, partial(self._cancel_on, row), self._retries.cancels) for row in cancels),
            *(_driven(row.order_key, partial(self._tell_hold, row), self._retries.holds) for row in holds),
        )
        return len(attempts) + len(cancels) + len(holds)

    async def _finish(self, key: uuid.UUID, number: int) -> None:
        async with self._db.reading() as tx:
            attempt = await self._submissions.get(tx, key, number)
        if attempt is None or attempt.finished:
            return
        with tracing.work("order", "complete submission", order=str(key)):
            await (self._submit if attempt.kind == SUBMIT else self._changes).run(attempt)
        metrics.SUBMISSIONS_DRIVEN.inc()

    async def _cancel_on(self, row: Cancellation) -> None:
        with tracing.work("order", "complete cancellation", order=str(row.order_key)):
            await self._cancel.run(row)
        metrics.CANCELLATIONS_DRIVEN.inc()

    async def _tell_hold(self, command: HoldCommand) -> None:
        with tracing.work("order", "tell hold", order=str(command.order_key)):
            await self._hold.drive(command)


async def _driven(item: Any, drive: Callable[[], Awaitable[None]], tries: Tries) -> None:
    """Drives one; whatever it fails by is noted, and it is taken up again after a while."""

    async def act(_: Any) -> bool:
        await drive()
        return True

    await one_by_one([item], act, log, tries)
