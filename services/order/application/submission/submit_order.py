"""SubmitOrder: begin, try, decide, confirm. The submission row drives an attempt to its end, whoever runs it.

Begin writes the attempt; tries reserve under (order, attempt); decide is one conditional update, the only point of no
return; confirm and release are commands driven from the row. A coordinator that dies is replaced by the completer.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from libs.auth import Principal
from libs.errors import WaybillError, missing
from libs.idempotency.key import RequestKey
from libs.obs import get_logger
from libs.service.loops import put_off
from libs.service.waiting import pause
from services.order.application.access import locked, readable, require_same, require_writable
from services.order.application.approval.begin_case import NOTHING, BeginCase
from services.order.application.ports import OrderWork, Units
from services.order.application.records import Attempt, PaymentDocument, Reports
from services.order.application.submission.attempts import (
    AWAITING_APPROVAL,
    SUBMIT,
    begun,
    decided,
    finished,
    leads_to,
    new_attempt,
    next_number,
    outcome,
    timed_out,
)
from services.order.application.submission.legs.leg import Leg, Trial
from services.order.application.submission.steps import Steps
from services.order.application.submission.try_submission import FAILED, Tried, TrySubmission, problems_of
from services.order.domain.checkout.worksheet import Worksheet
from services.order.domain.model import Line, Order, Problem
from services.order.domain.status import Trigger
from services.order.domain.submission.readiness import Facts

log = get_logger("submit")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an attempt is about."""

    order: Order
    lines: tuple[Line, ...]
    worksheet: Worksheet
    facts: Facts | None = None
    quote_is_fresh: bool = False


class SubmitOrder:
    """Drives attempts: for SubmitOrder, PlaceOrder, and the completer."""

    def __init__(self, units: Units, legs: Sequence[Leg], tries: TrySubmission, approvals: BeginCase, steps: Steps) -> None:
        self._units = units
        self._legs = legs
        self._tries = tries
        self._approvals = approvals
        self._reports = steps.reports
        self._clock = steps.clock
        self._limits = steps.limits
        self._failpoints = steps.failpoints
        self._acting = steps.acting
        self._retries = steps.retries

    async def __call__(self, caller: Principal, order_id: str, etag: str, request: RequestKey | None) -> Order:
        """The order as it is after the decision, or still TRYING when a gateway is silent."""
        async with self._units.reading() as work:
            order = await readable(work.orders, caller, order_id)
            recorded = await work.requests.find(request)
            asked = NOTHING if recorded is not None else await self._approvals.rules(work, order)
            lines = await work.orders.lines(order.key) if asked.rules else ()
        if recorded is not None:
            return (await self.join(order.key, recorded["attempt"]))[0]
        seen = order
        case = await self._approvals.case(asked, order, lines, next_number(order), self._clock.now())
        await self._let_go(order)
        async with self._units.transaction() as work:
            now = self._clock.now()
            # The lock comes first: the number that is recorded is the number that is begun.
            order = await locked(work.orders, caller, order_id)
            number = next_number(order)
            recorded = await work.requests.claim(request, {"order": order_id, "attempt": number}, now)
            if recorded is None:
                require_writable(caller, order, now, Trigger.SUBMIT, etag)
                if asked.rules:
                    require_same(seen, order)
                lines = await work.orders.lines(order.key)
                worksheet = await work.orders.worksheet(order.key)
                attempt = new_attempt(order, number, caller, now, self._limits, case=case)
                order, event = begun(order, attempt, caller)
                await work.submissions.insert(attempt)
                await work.orders.save(replace(order, version=order.version - 1), order, [event])
        if recorded is not None:
            return (await self.join(order.key, recorded["attempt"]))[0]
        await self._failpoints.reach("order.submit.begun")
        attempt, driven = await self.drive(attempt, Loaded(order, lines, worksheet))
        return outcome(attempt, driven.order)

    async def first(self, order: Order, lines: Sequence[Line], caller: Principal, payments: Sequence[PaymentDocument]) -> Attempt:
        """The attempt that begins together with a new order; it adds these payments with its try."""
        async with self._units.reading() as work:
            asked = await self._approvals.rules(work, order)
        now = self._clock.now()
        case = await self._approvals.case(asked, order, lines, 1, now)
        return new_attempt(order, 1, caller, now, self._limits, payments, case)

    async def refuse(self, attempt: Attempt, error: WaybillError, context: str) -> Attempt:
        """The attempt refused for what another context has said before its tries."""
        return (await self.decide(attempt, Tried(tuple(problems_of(error, context)))))[0]

    async def _let_go(self, order: Order) -> None:
        """What a refused attempt still holds would stand in the way of the next."""
        shown = order.submission
        if shown is None or shown.kind != SUBMIT or shown.state != "REFUSED" or shown.finished:
            return
        async with self._units.reading() as work:
            refused = await work.submissions.get(order.key, shown.attempt)
        if refused is not None:
            await self.drive(refused)

    async def join(self, key: uuid.UUID, number: int) -> tuple[Order, tuple[Line, ...]]:
        """The outcome of an attempt that another call began; waits for the decision. All of it is of one moment."""
        while True:
            async with self._units.reading(snapshot=True) as work:
                attempt = await work.submissions.get(key, number)
                order = await work.orders.by_key(key)
                if attempt is None or order is None:
                    raise missing("order", str(key))
                if attempt.state != "TRYING" or self._clock.now() > attempt.begin_time + self._limits.lease:
                    return outcome(attempt, order), await work.orders.lines(key)
            await pause(0.05)

    async def drive(self, attempt: Attempt, loaded: Loaded | None = None) -> tuple[Attempt, Loaded]:
        """As `run`, for a caller who waits for the decision: what its confirm or release fails by is left to the completer."""
        with self._acting(Principal.of_claims(attempt.caller)):
            attempt, loaded = await self._decided(attempt, loaded)
            if attempt.finished or attempt.state == "TRYING":
                return attempt, loaded
            try:
                return attempt, await self._settle(attempt, loaded)
            except Exception as error:
                await put_off((attempt.order_key, attempt.attempt), error, log, self._retries)
                return attempt, loaded

    async def run(self, attempt: Attempt, loaded: Loaded | None = None) -> tuple[Attempt, Loaded]:
        """Drives an attempt as far as it goes; safe to be run by several at once. What has become of it and of its order."""
        with self._acting(Principal.of_claims(attempt.caller)):
            attempt, loaded = await self._decided(attempt, loaded)
            if attempt.finished or attempt.state == "TRYING":
                return attempt, loaded
            return attempt, await self._settle(attempt, loaded)

    async def _decided(self, attempt: Attempt, loaded: Loaded | None) -> tuple[Attempt, Loaded]:
        """Tries and decides what is not decided. It stays TRYING while a gateway is silent."""
        loaded = loaded or await self._load(attempt.order_key)
        if attempt.state != "TRYING":
            return attempt, loaded
        if self._clock.now() >= attempt.deadline:
            tried = Tried((timed_out(attempt),))
        else:
            tried = await self._tried(attempt, loaded)
            await self._failpoints.reach("order.submit.tried")
            if tried.pending:
                await self._wait(attempt)
                return attempt, loaded
        attempt, order = await self.decide(attempt, tried)
        nothing_else = order.version == loaded.order.version + 1
        # When more than the decision has happened the lines may have moved on with the order.
        as_tried = nothing_else and tried.worksheet is None
        loaded = replace(loaded, order=order) if as_tried else await self._load(attempt.order_key)
        await self._failpoints.reach("order.submit.decided")
        return attempt, loaded

    async def _load(self, key: uuid.UUID) -> Loaded:
        async with self._units.reading(snapshot=True) as work:
            order = await work.orders.by_key(key)
            if order is None:
                raise missing("order", str(key))
            return Loaded(order, await work.orders.lines(key), await work.orders.worksheet(key))

    async def _tried(self, attempt: Attempt, loaded: Loaded) -> Tried:
        """What the tries say. Whatever is unforeseen refuses the attempt, so that what it holds is released at once.

        What others answered is a reason already: an error of our own, even a typed one, is a defect here.
        """
        try:
            return await self._tries(self._trial(attempt, loaded))
        except Exception:
            log.exception("attempt failed", order=str(attempt.order_key), attempt=attempt.attempt)
            why = "could not be judged, by a defect of the order service that it has logged"
            return Tried((Problem(FAILED, "order", "submission", why),))

    def _trial(self, attempt: Attempt, loaded: Loaded) -> Trial:
        return Trial(
            order=loaded.order,
            lines=loaded.lines,
            worksheet=loaded.worksheet,
            attempt=attempt.attempt,
            begin_time=attempt.begin_time,
            deadline=attempt.deadline,
            validate_only=not attempt.held,
            new_payments=attempt.new_payments,
            facts=loaded.facts,
            quote_is_fresh=loaded.quote_is_fresh or attempt.prices_hold,
        )

    async def _wait(self, attempt: Attempt) -> None:
        until = self._clock.now() + self._limits.again
        await self._units.retrying(lambda work: work.submissions.postpone(attempt.order_key, attempt.attempt, until))

    async def decide(self, attempt: Attempt, tried: Tried) -> tuple[Attempt, Order]:
        """The decision: ours, or the one that somebody else has made."""
        return await self._units.retrying(lambda work: self.decide_in(work, attempt, tried))

    async def decide_in(self, work: OrderWork, attempt: Attempt, tried: Tried) -> tuple[Attempt, Order]:
        """The same within a transaction."""
        now = self._clock.now()
        key, number = attempt.order_key, attempt.attempt
        order = await work.orders.by_key(key, lock=True)
        if order is None:
            raise missing("order", str(key))
        state = "REFUSED" if tried.reasons else "ACCEPTED"
        led_to = "" if tried.reasons else leads_to(attempt)
        change = attempt.change if attempt.change is None else replace(attempt.change, canceled=tried.canceled)
        done = not attempt.held and led_to in ("", AWAITING_APPROVAL)
        ours = replace(attempt, state=state, outcome=led_to, reasons=tried.reasons, decide_time=now, finished=done, change=change)
        if not await work.submissions.decide(ours):
            other = await work.submissions.get(key, number)
            return other or attempt, order
        before, case = None, ours.case
        if ours.given is not None:
            before = await work.rounds.newest(key)
            case = None if before is None else self._approvals.given(before, ours.given.rule_ids, ours.given.by, now)
        after, event = decided(order, ours, tried.facts, now, before, case)
        await work.orders.save(order, after, [event])
        if state == "ACCEPTED" and case is not None:
            await (work.rounds.begin(key, case) if before is None else work.rounds.save(key, case.round))
        if tried.worksheet is not None and not tried.reasons:
            await work.orders.save_worksheet(key, tried.worksheet)
        return ours, after

    async def _settle(self, attempt: Attempt, loaded: Loaded) -> Loaded:
        """Confirms or releases. Whatever that fails by, the decision stands and is driven on.

        Everywhere the order's row is locked before those of its submissions and cancellations.
        """
        key, number = attempt.order_key, attempt.attempt
        if attempt.state == "ACCEPTED":
            trial = self._trial(attempt, loaded)
            reports = Reports.together(await asyncio.gather(*(leg.confirm(trial) for leg in self._legs)))
            await self._failpoints.reach("order.submit.confirmed")
            order, lines = await self._units.retrying(lambda work: self._confirmed(work, key, number, reports))
            return replace(loaded, order=order, lines=lines)
        await asyncio.gather(*(leg.release(key, number) for leg in self._legs))
        return replace(loaded, order=await self._units.retrying(lambda work: self._released(work, key, number)))

    async def _confirmed(self, work: OrderWork, key: uuid.UUID, number: int, reports: Reports) -> tuple[Order, tuple[Line, ...]]:
        after = await self._reports.apply(work, reports, {key: lambda order: finished(order, number)})
        await work.submissions.finish(key, number)
        # Nothing was news when another confirmed at the same time: then the lines were not read.
        return after.orders[key], after.lines[key] if key in after.lines else await work.orders.lines(key)

    async def _released(self, work: OrderWork, key: uuid.UUID, number: int) -> Order:
        order = await work.orders.by_key(key, lock=True)
        if order is None:
            raise missing("order", str(key))
        await work.submissions.finish(key, number)
        await work.orders.save(order, finished(order, number), [])
        return finished(order, number)
