"""CompleteOrder, and the cancel of what is left: the open units of an order, part of which has shipped, are given up.

A change is an attempt of its order, as a submit is: begun, tried, decided by one conditional update, then confirmed or
released by commands that are driven from its row.
"""

from __future__ import annotations

import asyncio
import uuid

from libs.auth import Principal
from libs.errors import Kind, WaybillError, missing, stale
from libs.idempotency.key import RequestKey
from libs.obs import get_logger
from libs.service.loops import put_off
from services.order.application.access import cancel_in_progress, locked, require_settled
from services.order.application.peers import Peers
from services.order.application.ports import OrderWork, Units
from services.order.application.records import Attempt, OrderChange, Outcome, Reports
from services.order.application.submission.attempts import begun, finished, new_change, outcome, timed_out
from services.order.application.submission.steps import Steps
from services.order.application.submission.submit_order import SubmitOrder
from services.order.application.submission.try_submission import FAILED, Tried
from services.order.domain.model import Order, Problem
from services.order.domain.status import Trigger, move
from waybill.order.v1 import reasons

COMPLETE, CANCEL_REST = "COMPLETE", "CANCEL_REST"
log = get_logger("changes")


class ChangeOrder:
    """Drives changes: for CompleteOrder, for CancelOrder, and for the completer."""

    def __init__(self, units: Units, peers: Peers, submit: SubmitOrder, steps: Steps) -> None:
        self._units = units
        self._peers = peers
        self._submit = submit
        self._reports = steps.reports
        self._clock = steps.clock
        self._limits = steps.limits
        self._failpoints = steps.failpoints
        self._acting = steps.acting
        self._retries = steps.retries

    async def complete(self, caller: Principal, order_id: str, comment: str, etag: str, request: RequestKey | None) -> Order:
        """The order as it is once its open units are given up. Raises CHANGE_REFUSED, ORDER_STATUS_CONFLICT."""
        async with self._units.transaction() as work:
            # The lock comes first: the number that is recorded is the number that is begun.
            order = await locked(work.orders, caller, order_id)
            number = 1 if order.submission is None else order.submission.attempt + 1
            claimed: Outcome = {"order": order_id, "attempt": number}
            recorded = await work.requests.claim(request, claimed, self._clock.now())
            if recorded is None:
                if etag and etag != str(order.version):
                    raise stale("order", order.id, str(order.version))
                attempt = await self.begin(work, caller, order, OrderChange(COMPLETE, comment))
        if recorded is not None:
            return (await self._submit.join(order.key, recorded["attempt"]))[0]
        await self._failpoints.reach("order.change.begun")
        return await self.driven(attempt)

    async def begin(self, work: OrderWork, caller: Principal, order: Order, change: OrderChange) -> Attempt:
        """A change of a locked order. Raises ORDER_STATUS_CONFLICT; ABORTED while something else is being done with it."""
        move(order.id, order.status, Trigger.CHANGE)
        require_settled(order)
        if await work.cancellations.get(order.key) is not None:
            raise cancel_in_progress(order)
        attempt = new_change(order, caller, change, self._clock.now(), self._limits)
        after, event = begun(order, attempt, caller)
        await work.submissions.insert(attempt)
        await work.orders.save(order, after, [event])
        return attempt

    async def driven(self, attempt: Attempt) -> Order:
        """The order after its change, or the refusal as an error."""
        with self._acting(Principal.of_claims(attempt.caller)):
            attempt, order = await self._decided(attempt)
            if not attempt.finished:
                try:
                    order = await self._settle(attempt, order)
                except Exception as error:
                    # The decision stands: what applying it fails by is the completer's.
                    await put_off((attempt.order_key, attempt.attempt), error, log, self._retries)
        return outcome(attempt, order)

    async def run(self, attempt: Attempt) -> tuple[Attempt, Order]:
        """Drives a change as far as it goes; safe to be run by several at once."""
        with self._acting(Principal.of_claims(attempt.caller)):
            attempt, order = await self._decided(attempt)
            return attempt, order if attempt.finished else await self._settle(attempt, order)

    async def _decided(self, attempt: Attempt) -> tuple[Attempt, Order]:
        if attempt.state != "TRYING":
            return attempt, await self._load(attempt.order_key)
        tried = await self._tried(attempt)
        await self._failpoints.reach("order.change.tried")
        attempt, order = await self._submit.decide(attempt, tried)
        await self._failpoints.reach("order.change.decided")
        return attempt, order

    async def _load(self, key: uuid.UUID) -> Order:
        async with self._units.reading() as work:
            order = await work.orders.by_key(key)
        if order is None:
            raise missing("order", str(key))
        return order

    async def _tried(self, attempt: Attempt) -> Tried:
        """What the try says. No answer is no answer: the change is refused and released, as it is by a defect of ours."""
        if self._clock.now() >= attempt.deadline:
            return Tried((timed_out(attempt),))
        try:
            canceled = await self._peers.fulfillment.try_change(attempt.order_key, attempt.attempt, attempt.deadline)
        except WaybillError as error:
            if error.kind is Kind.UNAVAILABLE:
                return Tried(
                    (Problem(reasons.DEPENDENCY_UNAVAILABLE, "fulfillment", "order", "fulfillment did not answer", True),)
                )
            return Tried((Problem(error.reason, "fulfillment", "order", error.message),))
        except Exception:
            log.exception("change failed", order=str(attempt.order_key), attempt=attempt.attempt)
            why = "could not be judged, by a defect of the order service that it has logged"
            return Tried((Problem(FAILED, "order", "submission", why),))
        return Tried((), canceled=canceled)

    async def _settle(self, attempt: Attempt, order: Order) -> Order:
        """Applies or releases. Whatever that fails by, the decision stands and is driven on."""
        key, number = attempt.order_key, attempt.attempt
        if attempt.state == "ACCEPTED":
            reports, _ = await asyncio.gather(
                self._peers.fulfillment.apply_change(key, number), self._peers.payments.lower(order, number)
            )
            await self._failpoints.reach("order.change.applied")
        else:
            reports = await self._peers.fulfillment.release_change(key, number)
        return await self._units.retrying(lambda work: self._finished(work, key, number, reports))

    async def _finished(self, work: OrderWork, key: uuid.UUID, number: int, reports: Reports) -> Order:
        after = await self._reports.apply(work, reports, {key: lambda order: finished(order, number)})
        await work.submissions.finish(key, number)
        return after.orders[key]

    async def joined(self, order: Order) -> Order | None:
        """The outcome of the order's newest attempt if that cancels what was left of it, for a cancel that is sent again."""
        shown = order.submission
        if shown is None:
            return None
        async with self._units.reading() as work:
            attempt = await work.submissions.get(order.key, shown.attempt)
        if attempt is None or attempt.change is None or attempt.change.what != CANCEL_REST:
            return None
        return (await self._submit.join(order.key, shown.attempt))[0]

    async def cancel_rest(self, work: OrderWork, caller: Principal, order: Order, comment: str) -> Attempt:
        """Begins the cancel of what is left of a locked order, instead of a cancel of the whole."""
        return await self.begin(work, caller, order, OrderChange(CANCEL_REST, comment))
