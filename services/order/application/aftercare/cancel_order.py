"""CancelOrder. Before it opened an order is simply canceled; an open one is frozen where it could still ship, then
decided, then undone. Of one that has shipped in part the rest is canceled, which is a change of it."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace

from libs.auth import Principal
from libs.errors import Kind, WaybillError, missing
from libs.idempotency.key import RequestKey
from services import roles
from services.order.application.access import readable, require_settled, require_writer
from services.order.application.aftercare.complete_order import ChangeOrder
from services.order.application.peers import Peers
from services.order.application.ports import OrderWork, Units
from services.order.application.records import Attempt, Cancellation
from services.order.application.submission.attempts import CHANGE
from services.order.application.submission.steps import Steps
from services.order.application.submission.submit_order import SubmitOrder
from services.order.application.submission.try_submission import Tried
from services.order.domain.history import changed
from services.order.domain.model import Order, Problem
from services.order.domain.reading.visibility import Direction, scope
from services.order.domain.status import OrderStatus, Trigger, move
from waybill.order.v1 import reasons


class CancelOrder:
    """Cancels; unfinished cancels are taken up again by the completer."""

    def __init__(self, units: Units, peers: Peers, submit: SubmitOrder, changes: ChangeOrder, steps: Steps) -> None:
        self._units = units
        self._peers = peers
        self._submit = submit
        self._changes = changes
        self._reports = steps.reports
        self._clock = steps.clock
        self._limits = steps.limits
        self._acting = steps.acting

    async def __call__(self, caller: Principal, order_id: str, comment: str, request: RequestKey | None) -> Order:
        """The order as it is now: CANCELED, or COMPLETED when something of it had shipped."""
        async with self._units.reading() as work:
            known = await readable(work.orders, caller, order_id) if await work.requests.find(request) else None
        again = None if known is None else await self._changes.joined(known)
        if again is not None:
            return again
        async with self._units.transaction() as work:
            order, row, attempt = await self._begin(work, caller, order_id, comment, request)
        if row is not None:
            return await self.run(row)
        if attempt is not None and not attempt.finished:
            _, driven = await self._submit.drive(attempt)
            return driven.order
        return order

    async def _begin(
        self, work: OrderWork, caller: Principal, order_id: str, comment: str, request: RequestKey | None
    ) -> tuple[Order, Cancellation | None, Attempt | None]:
        """The order, and what is left to be driven: the cancel of an open order, or the attempt that was refused."""
        now = self._clock.now()
        recorded = await work.requests.claim(request, {"order": order_id}, now)
        order = await work.orders.find(order_id, scope(caller, Direction.ALL), lock=True)
        if order is None:
            raise missing("order", order_id)
        if recorded is not None and order.status is OrderStatus.CANCELED:
            row = await work.cancellations.get(order.key)
            return order, row if row is not None and row.state != "FINISHED" else None, None
        require_writer(caller, order)
        target = move(order.id, order.status, Trigger.CANCEL)
        if order.status is OrderStatus.OPEN:
            caller.require(roles.ORDER_ADMIN)
            if order.submission is not None and order.submission.kind == CHANGE:
                require_settled(order)
            fresh = Cancellation(order.key, "FREEZING", caller.claims(), comment, now + self._limits.command, now)
            await work.cancellations.insert(fresh)
            return order, await work.cancellations.get(order.key) or fresh, None
        attempt = None
        if order.submission is not None and order.submission.undecided:
            attempt, order = await self._refuse(work, order)
        if order.status is OrderStatus.AWAITING_APPROVAL:
            await work.rounds.withdraw(order.key, now)
        after, event = changed(
            replace(order, status=target, cancel_time=now),
            "order_canceled",
            caller.user_id,
            caller.party_id,
            now,
            data={"comment": comment},
        )
        await work.orders.save(order, after, [event])
        return after, None, attempt

    async def _refuse(self, work: OrderWork, order: Order) -> tuple[Attempt | None, Order]:
        """A cancel decides a running attempt."""
        shown = order.submission
        attempt = await work.submissions.get(order.key, shown.attempt, lock=True) if shown else None
        if attempt is None:
            return None, order
        why = Problem(reasons.SUBMIT_CANCELED, "order", "submission", "the order was canceled")
        return await self._submit.decide_in(work, attempt, Tried((why,)))

    async def run(self, row: Cancellation) -> Order:
        """Drives the cancel of an open order to its end."""
        with self._acting(Principal.of_claims(row.caller)):
            if row.state == "FREEZING":
                rest = await self._freeze(row)
                if rest is not None:
                    return await self._changes.driven(rest)
                await self._decide(row)
            reports, _ = await asyncio.gather(
                self._peers.fulfillment.cancel(row.order_key), self._peers.payments.void(row.order_key)
            )
            async with self._units.transaction() as work:
                after = await self._reports.apply(work, reports, {row.order_key: lambda order: order})
                await work.cancellations.set_state(row.order_key, "FINISHED")
                return after.orders[row.order_key]

    async def _freeze(self, row: Cancellation) -> Attempt | None:
        """Freezes all of the order; the change that cancels what is left of it, when something has shipped."""
        try:
            await self._peers.fulfillment.freeze(row.order_key)
        except WaybillError as error:
            if error.kind is Kind.UNAVAILABLE:
                raise
            if error.reason == reasons.ORDER_ALREADY_SHIPPED:
                return await self._instead(row, error)
            await self._withdraw(row.order_key)
            raise
        return None

    async def _instead(self, row: Cancellation, refused: WaybillError) -> Attempt:
        """The cancel gives way to a change in one transaction, so that neither is forgotten."""
        await self._reports(await self._peers.fulfillment.unfreeze(row.order_key))
        async with self._units.transaction() as work:
            order = await work.orders.by_key(row.order_key, lock=True)
            if order is None:
                raise missing("order", str(row.order_key))
            shown = order.submission
            if await work.cancellations.get(row.order_key) is None:
                # Another that drives the same cancel was first.
                began = await work.submissions.get(order.key, shown.attempt) if shown else None
                if began is None or began.kind != CHANGE:
                    raise refused
                return began
            await work.cancellations.drop(row.order_key)
            if order.status is OrderStatus.OPEN and shown is not None and shown.finished:
                return await self._changes.cancel_rest(work, Principal.of_claims(row.caller), order, row.comment)
        # It has completed meanwhile, or its submit is still being confirmed.
        raise refused

    async def _withdraw(self, key: uuid.UUID) -> None:
        """A refused cancel leaves nothing. Its row goes last: should this process die before, the completer finds it."""
        await self._reports(await self._peers.fulfillment.unfreeze(key))
        async with self._units.transaction() as work:
            await work.cancellations.drop(key)

    async def _decide(self, row: Cancellation) -> None:
        try:
            await self._cancel(row)
        except WaybillError as error:
            # What is frozen cannot complete the order; should its status forbid the cancel all the same, nothing is left frozen.
            if error.kind is Kind.PRECONDITION:
                await self._withdraw(row.order_key)
            raise

    async def _cancel(self, row: Cancellation) -> None:
        who = Principal.of_claims(row.caller)
        async with self._units.transaction() as work:
            now = self._clock.now()
            order = await work.orders.by_key(row.order_key, lock=True)
            if order is None:
                raise missing("order", str(row.order_key))
            if order.status is not OrderStatus.CANCELED:
                status = move(order.id, order.status, Trigger.CANCEL)
                gone = replace(order, status=status, cancel_time=now, canceled=order.wholly_canceled)
                data = {"comment": row.comment}
                after, event = changed(gone, "order_canceled", who.user_id, who.party_id, now, data=data)
                await work.orders.save(order, after, [event])
            await work.cancellations.set_state(row.order_key, "DECIDED")
