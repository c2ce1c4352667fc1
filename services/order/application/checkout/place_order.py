"""PlaceOrder: a whole simple checkout in one call, with one transaction for everything before the submit's tries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import Violations, WaybillError, exists
from services.order.application.building.build_order import BuildOrder
from services.order.application.building.create_order import created
from services.order.application.checkout.worksheets import Worksheets
from services.order.application.peers import PaymentDocument, Payments
from services.order.application.ports import OrderStore, Request, RequestStore, SubmissionStore, Transactions
from services.order.application.submission.attempts import begun, new_attempt, outcome, taken
from services.order.application.submission.submit_order import Loaded, SubmitOrder
from services.order.domain.building.drafts import LineDraft, OrderDraft
from services.order.domain.checkout.worksheet import Worksheet, select_by_preference
from services.order.domain.model import Line, Order
from services.order.domain.reading.visibility import Direction, scope


@dataclass(frozen=True, slots=True)
class Wishes:
    """How ship methods are chosen."""

    ship_method_ids: tuple[str, ...]
    fastest: bool


class PlaceOrder:
    """Create, estimate, select, calculate, pay and submit."""

    def __init__(
        self,
        database: Transactions,
        orders: OrderStore,
        submissions: SubmissionStore,
        requests: RequestStore,
        build: BuildOrder,
        worksheets: Worksheets,
        payments: Payments,
        submit: SubmitOrder,
        clock: Clock,
    ) -> None:
        self._db = database
        self._orders = orders
        self._submissions = submissions
        self._requests = requests
        self._build = build
        self._worksheets = worksheets
        self._payments = payments
        self._submit = submit
        self._clock = clock

    async def __call__(
        self,
        caller: Principal,
        draft: OrderDraft,
        drafts: Sequence[LineDraft],
        wishes: Wishes,
        payments: Sequence[PaymentDocument],
        found: Violations,
        request: Request,
    ) -> tuple[Order, tuple[Line, ...]]:
        """The order, submitted, with its lines."""
        if request is not None:
            async with self._db.reading() as tx:
                recorded = await self._requests.find(tx, request)
            if recorded is not None:
                return await self._again(caller, recorded["id"])
        found.require("line_items", bool(drafts), "FIELD_REQUIRED", "at least one line")
        order, lines, facts = await self._build(caller, draft, drafts, found)
        worksheet = await self._worksheets.estimated(order, lines, Worksheet())
        worksheet = select_by_preference(worksheet, wishes.ship_method_ids, wishes.fastest)
        order = replace(order, estimated_version=order.content_version)
        order, worksheet, lines = await self._worksheets.calculated(order, lines, worksheet)
        packed = [self._payments.pack(payment) for payment in payments]
        now = self._clock.now()
        attempt = new_attempt(order, 1, caller, now, packed)
        opening = created(order, lines, caller)
        order, event = begun(order, attempt, caller)
        try:
            async with self._db.transaction() as tx:
                outcome_of = {"id": order.id, "attempt": 1}
                recorded = await self._requests.claim(tx, request, outcome_of, now)
                if recorded is None:
                    await self._orders.insert(tx, order, lines, worksheet, [opening, event])
                    await self._submissions.insert(tx, attempt)
        except Exception as error:
            if self._orders.id_taken(error):
                raise await self._taken(caller, order.id) from None
            raise
        if recorded is not None:
            return await self._again(caller, recorded["id"])
        attempt, driven = await self._submit.drive(attempt, Loaded(order, lines, worksheet, facts, quote_is_fresh=True))
        return outcome(attempt, driven.order), driven.lines

    async def _taken(self, caller: Principal, order_id: str) -> WaybillError:
        """Why the id cannot be used, and the way on if the order is one that the caller may see."""
        async with self._db.reading() as tx:
            order = await self._orders.find(tx, order_id, scope(caller, Direction.ALL))
        return exists("order", order_id) if order is None else taken(order)

    async def _again(self, caller: Principal, order_id: str) -> tuple[Order, tuple[Line, ...]]:
        """The outcome of the first call; waits for its decision."""
        async with self._db.reading() as tx:
            order = await self._orders.find(tx, order_id, scope(caller, Direction.ALL))
        if order is None:
            raise exists("order", order_id)
        return await self._submit.join(order.key, 1)
