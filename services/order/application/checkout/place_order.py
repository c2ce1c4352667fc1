"""PlaceOrder: a whole simple checkout in one call, with one transaction for everything before the submit's tries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from libs.auth import Principal
from libs.errors import Violations, WaybillError, exists, missing, was_deleted
from libs.idempotency.key import RequestKey
from services.order.application.building.build_order import BuildOrder
from services.order.application.building.create_order import created
from services.order.application.checkout.worksheets import Worksheets
from services.order.application.peers import Payments
from services.order.application.ports import OrderIdOfDeleted, OrderIdTaken, Units
from services.order.application.records import Attempt, Outcome, PaymentDocument
from services.order.application.submission.attempts import begun, outcome, taken
from services.order.application.submission.submit_order import Loaded, SubmitOrder
from services.order.domain.building.drafts import LineDraft, OrderDraft
from services.order.domain.checkout.worksheet import Worksheet, select_by_preference
from services.order.domain.model import Line, Order
from services.order.domain.policy import Policy
from services.order.domain.reading.visibility import Direction, scope
from waybill.order.v1 import reasons


@dataclass(frozen=True, slots=True)
class Wishes:
    """How ship methods are chosen."""

    ship_method_ids: tuple[str, ...]
    fastest: bool


@dataclass(frozen=True, slots=True)
class Paying:
    """How the order is paid."""

    named: Sequence[PaymentDocument]
    otherwise: Sequence[PaymentDocument]
    """A purchase order over the total, where the request names nothing and the channel takes it."""

    def under(self, policy: Policy) -> Sequence[PaymentDocument]:
        """The payments that come with the attempt."""
        return self.named or (self.otherwise if policy.takes_promises else ())


class PlaceOrder:
    """Create, estimate, select, calculate, pay and submit."""

    def __init__(self, units: Units, build: BuildOrder, worksheets: Worksheets, submit: SubmitOrder, payments: Payments) -> None:
        self._units = units
        self._payments = payments
        self._build = build
        self._worksheets = worksheets
        self._submit = submit

    async def __call__(
        self,
        caller: Principal,
        draft: OrderDraft,
        drafts: Sequence[LineDraft],
        wishes: Wishes,
        payments: Paying,
        found: Violations,
        request: RequestKey | None,
    ) -> tuple[Order, tuple[Line, ...]]:
        """The order, submitted, with its lines."""
        if request is not None:
            async with self._units.reading() as work:
                recorded = await work.requests.find(request)
            if recorded is not None:
                return await self._again(caller, recorded["id"])
        found.require("line_items", bool(drafts), reasons.FIELD_REQUIRED, "at least one line")
        order, lines, facts = await self._build(caller, draft, drafts, found)
        worksheet = await self._worksheets.estimated(order, lines, Worksheet())
        worksheet = select_by_preference(worksheet, wishes.ship_method_ids, wishes.fastest)
        order = replace(order, estimated_version=order.content_version)
        order, worksheet, lines = await self._worksheets.calculated(order, lines, worksheet)
        attempt = await self._submit.first(order, lines, caller, payments.under(order.policy))
        opening = created(order, lines, caller)
        order, event = begun(order, attempt, caller)
        try:
            async with self._units.transaction() as work:
                outcome_of: Outcome = {"id": order.id, "attempt": 1}
                recorded = await work.requests.claim(request, outcome_of, attempt.begin_time)
                if recorded is None:
                    await work.orders.insert(order, lines, worksheet, [opening, event])
                    await work.submissions.insert(attempt)
                    if draft.id or caller.is_guest:
                        await work.orders.require_not_deleted(order.id)
        except OrderIdTaken:
            raise await self._taken(caller, order.id) from None
        except OrderIdOfDeleted:
            raise was_deleted("order", order.id) from None
        if recorded is not None:
            return await self._again(caller, recorded["id"])
        attempt = await self._paid(order, attempt)
        attempt, driven = await self._submit.drive(attempt, Loaded(order, lines, worksheet, facts, quote_is_fresh=True))
        return outcome(attempt, driven.order), driven.lines

    async def _paid(self, order: Order, attempt: Attempt) -> Attempt:
        """The attempt with its payments on the order already, where somebody has to approve that: its tries leave none."""
        if attempt.held or not attempt.new_payments:
            return attempt
        try:
            await self._payments.create(order, attempt.new_payments, f"place-{order.key}")
        except WaybillError as error:
            return await self._submit.refuse(attempt, error, "payment")
        return replace(attempt, new_payments=())

    async def _taken(self, caller: Principal, order_id: str) -> WaybillError:
        """Why the id cannot be used, and the way on if the order is one that the caller may see."""
        async with self._units.reading() as work:
            order = await work.orders.find(order_id, scope(caller, Direction.ALL))
        return exists("order", order_id) if order is None else taken(order)

    async def _again(self, caller: Principal, order_id: str) -> tuple[Order, tuple[Line, ...]]:
        """The outcome of the first call; waits for its decision."""
        async with self._units.reading() as work:
            order = await work.orders.find(order_id, scope(caller, Direction.ALL))
        if order is None:
            raise missing("order", order_id)
        return await self._submit.join(order.key, 1)
