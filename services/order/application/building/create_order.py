"""CreateOrder."""

from __future__ import annotations

from collections.abc import Sequence

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import Violations, exists, missing, was_deleted
from libs.idempotency.key import RequestKey
from services.order.application.building.build_order import BuildOrder
from services.order.application.building.quoted import Quoted, again, noted
from services.order.application.peers import Pricing
from services.order.application.ports import OrderIdOfDeleted, OrderIdTaken, OrderWork, Units
from services.order.application.records import Outcome
from services.order.domain.building.drafts import LineDraft, OrderDraft
from services.order.domain.checkout.quotes import asked, with_sums
from services.order.domain.checkout.worksheet import Worksheet
from services.order.domain.history import placed, stated
from services.order.domain.model import Event, Line, Order
from services.order.domain.reading.visibility import Direction, scope


def created(order: Order, lines: Sequence[Line], caller: Principal) -> Event:
    """The first entry of an order's history."""
    return Event(
        order_key=order.key,
        sequence=1,
        type="order_created",
        status=order.status.value,
        user_id=caller.user_id,
        party_id=caller.party_id,
        time=order.create_time,
        data={"line_items": order.line_item_count},
        facts={**stated(order), "ship_to": placed(lines)},
    )


class CreateOrder:
    """Creates an order with its lines, all or nothing."""

    def __init__(self, units: Units, build: BuildOrder, pricing: Pricing, clock: Clock) -> None:
        self._units = units
        self._build = build
        self._pricing = pricing
        self._clock = clock

    async def __call__(
        self, caller: Principal, draft: OrderDraft, drafts: Sequence[LineDraft], found: Violations, request: RequestKey | None
    ) -> Quoted:
        """The order as stored, its lines with their prices."""
        async with self._units.reading() as work:
            recorded = await work.requests.find(request)
        if recorded is not None:
            async with self._units.reading(snapshot=True) as work:
                return await self._again(work, caller, recorded)
        order, lines, _ = await self._build(caller, draft, drafts, found)
        made = await quoted(self._pricing, order, lines)
        order, lines = made.order, made.lines
        try:
            async with self._units.transaction() as work:
                outcome: Outcome = {"id": order.id, "price_problems": noted(made.problems)}
                recorded = await work.requests.claim(request, outcome, self._clock.now())
                if recorded is not None:
                    return await self._again(work, caller, recorded)
                await work.orders.insert(order, lines, Worksheet(), [created(order, lines, caller)])
                if draft.id or caller.is_guest:
                    await work.orders.require_not_deleted(order.id)
        except OrderIdTaken:
            raise exists("order", order.id) from None
        except OrderIdOfDeleted:
            raise was_deleted("order", order.id) from None
        return made

    async def _again(self, work: OrderWork, caller: Principal, recorded: Outcome) -> Quoted:
        order = await work.orders.find(recorded["id"], scope(caller, Direction.ALL))
        if order is None:
            raise missing("order", recorded["id"])
        return again(order, await work.orders.lines(order.key), recorded)


async def quoted(pricing: Pricing, order: Order, lines: Sequence[Line]) -> Quoted:
    """A new order and its lines with their prices, nothing stored."""
    quote = await pricing.quote(order, [asked(line) for line in lines])
    priced, problems = quote.taken(lines)
    return Quoted(with_sums(order, priced), priced, problems)
