"""GetWorksheet, EstimateShipping, SelectShipMethods, CalculateOrder: what a checkout works out, step by step.

Remote calls come first, then one transaction that lays what they said over the worksheet as it stands by then, and
refuses when what they were asked about has changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import precondition, stale
from libs.idempotency.key import RequestKey
from libs.json_value import JsonObject
from services.order.application.access import readable, require_unchanged, writable
from services.order.application.checkout.compared_plans import ComparedPlans, unaddressed
from services.order.application.checkout.problems import refuse
from services.order.application.peers import Peers
from services.order.application.ports import OrderWork, Units
from services.order.domain.building.products import Article, renewed, sourced_otherwise
from services.order.domain.checkout.amounts import charged, priced, totals, with_own_tax, with_totals
from services.order.domain.checkout.freight import cheapest
from services.order.domain.checkout.worksheet import Worksheet, select
from services.order.domain.fees import untaxed
from services.order.domain.history import changed
from services.order.domain.model import Line, Order
from services.order.domain.status import Trigger
from waybill.order.v1 import reasons


@dataclass(frozen=True, slots=True)
class Sheet:
    """An order with its lines and everything worked out."""

    order: Order
    lines: tuple[Line, ...]
    worksheet: Worksheet


Step = Callable[[Sheet], tuple[Worksheet, Order]]
"""From what is stored to the new worksheet, and the order as it becomes with it."""


class Worksheets:
    """The steps of a checkout before payment."""

    def __init__(self, units: Units, peers: Peers, clock: Clock) -> None:
        self._units = units
        self._peers = peers
        self._plans = ComparedPlans(peers)
        self._clock = clock

    async def _load(self, work: OrderWork, order: Order) -> Sheet:
        lines = await work.orders.lines(order.key)
        return Sheet(order, lines, await work.orders.worksheet(order.key))

    async def get(self, caller: Principal, order_id: str) -> Sheet:
        """As it is."""
        async with self._units.reading(snapshot=True) as work:
            return await self._load(work, await readable(work.orders, caller, order_id))

    async def _open(self, caller: Principal, order_id: str, request: RequestKey | None) -> tuple[Sheet, bool]:
        """What the step works on, and whether its request has been answered before."""
        async with self._units.reading() as work:
            again = await work.requests.find(request) is not None
            trigger = Trigger.MARK if again else Trigger.EDIT
            order = await writable(work.orders, caller, order_id, self._clock.now(), trigger, lock=False)
            if not again:
                # What changes between these reads changes the order: the step that follows sees that.
                return await self._load(work, order), False
        return await self.get(caller, order_id), True

    async def estimate(self, caller: Principal, order_id: str, request: RequestKey | None) -> Sheet:
        """Plans sourcing and groups items; selections that still fit are kept, also those made meanwhile."""
        sheet, again = await self._open(caller, order_id, request)
        if again:
            return sheet
        products = await self._plans.products(sheet.order, sheet.lines)
        made = await self.estimated(sheet.order, renewed(sheet.lines, products), Worksheet())

        def step(stored: Sheet) -> tuple[Worksheet, Order]:
            require_unchanged(sheet.order, stored.order)
            return (
                stored.worksheet.with_estimates(made.plan, made.estimates, self._clock.now()),
                replace(stored.order, estimated_version=stored.order.content_version),
            )

        data = {"ship_estimates": len(made.estimates)}
        return await self._store(caller, order_id, request, "shipping_estimated", data, step, products)

    async def estimated(self, order: Order, lines: Sequence[Line], worksheet: Worksheet) -> Worksheet:
        """The worksheet with new estimates, nothing stored; raises all problems at once."""
        self._require_destination(order, lines)
        compared = await self._plans.of(order, lines)
        if compared.problems:
            raise refuse(reasons.ESTIMATE_REFUSED, order.id, "an estimate", compared.problems)
        found, chosen = compared.shipped, cheapest(compared.shipped)
        if found[chosen].problems:
            raise refuse(reasons.ESTIMATE_REFUSED, order.id, "an estimate", found[chosen].problems)
        return worksheet.with_estimates(compared.plans[chosen], found[chosen].estimates, self._clock.now())

    def _require_destination(self, order: Order, lines: Sequence[Line]) -> None:
        if not lines:
            raise precondition(reasons.ORDER_EMPTY, f"order {order.id} has no line", order=order.id)
        missing = unaddressed(order, lines)
        if missing:
            raise refuse(reasons.ESTIMATE_REFUSED, order.id, "an estimate", missing)

    async def select(
        self, caller: Principal, order_id: str, selections: Sequence[tuple[str, str]], request: RequestKey | None
    ) -> Sheet:
        """Selects methods; stales the calculation."""

        def step(stored: Sheet) -> tuple[Worksheet, Order]:
            if not stored.order.estimated:
                raise precondition(
                    reasons.SHIP_ESTIMATE_STALE, f"order {order_id} changed since shipping was estimated", order=order_id
                )
            return select(stored.worksheet, selections), stored.order

        data = {"selections": [list(pair) for pair in selections][:100]}
        return await self._store(caller, order_id, request, "ship_methods_selected", data, step)

    async def calculate(self, caller: Principal, order_id: str, request: RequestKey | None) -> Sheet:
        """Calculates every part of the amounts and stores it. ABORTED when estimates or selections changed meanwhile."""
        sheet, again = await self._open(caller, order_id, request)
        if again:
            return sheet
        order, products = await self._exempted(sheet.order), await self._plans.products(sheet.order, sheet.lines)
        lines = renewed(sheet.lines, products)
        if sourced_otherwise(sheet.lines, lines):
            order = replace(order, estimated_version=0)
        order, made, lines = await self.calculated(order, lines, sheet.worksheet)
        async with self._units.transaction() as work:
            now = self._clock.now()
            if await work.requests.claim(request, {"order": order_id}, now) is not None:
                return await self._load(work, await readable(work.orders, caller, order_id))
            locked = await writable(work.orders, caller, order_id, now)
            require_unchanged(sheet.order, locked)
            stored = await work.orders.worksheet(locked.key)
            # Not only the costs: goods that are picked up are taxed where the plan has them come from.
            before, now_stored = charged(sheet.order, sheet.lines, sheet.worksheet), charged(locked, sheet.lines, stored)
            other_fees = untaxed(locked.fees) != untaxed(order.fees)
            if stored.plan != sheet.worksheet.plan or before != now_stored or other_fees:
                raise stale("order", order_id, str(locked.version))
            after, event = changed(
                with_totals(
                    replace(
                        locked, estimated_version=order.estimated_version, tax_exemptions=order.tax_exemptions, fees=order.fees
                    ),
                    totals(made.lines, made.shipments, order.fees),
                ),
                "order_calculated",
                caller.user_id,
                caller.party_id,
                now,
                data={"total": order.total},
            )
            worksheet = replace(stored, lines=made.lines, shipments=made.shipments, price_time=made.price_time, costs=made.costs)
            await work.orders.save(locked, after, [event])
            await work.orders.update_lines(locked.key, lines)
            await work.orders.save_worksheet(locked.key, worksheet)
        return Sheet(after, lines, worksheet)

    async def _exempted(self, order: Order) -> Order:
        """The order with the exemptions that its buyer has now. The directory is asked only where there are any, or where a
        submit was refused because of them: a change of lines or addresses has asked it anyway."""
        refused = () if order.submission is None else order.submission.reasons
        if not order.tax_exemptions and all(problem.reason != reasons.TAX_CHANGED for problem in refused):
            return order
        context = await self._peers.directory.ordering_context(order.buyer_id, order.user.id, order.client_id, (), order.guest)
        return replace(order, tax_exemptions=context.tax_exemptions)

    async def calculated(
        self, order: Order, lines: Sequence[Line], worksheet: Worksheet
    ) -> tuple[Order, Worksheet, tuple[Line, ...]]:
        """Order, worksheet and lines with their amounts, nothing stored; raises all problems at once."""
        if worksheet.estimates and not order.estimated and order.shipping_cost_override is None:
            raise precondition(
                reasons.SHIP_ESTIMATE_STALE, f"order {order.id} changed since shipping was estimated", order=order.id
            )
        found = await self._peers.pricing.calculate(order, lines, worksheet)
        if found.problems:
            raise refuse(reasons.CALCULATION_REFUSED, order.id, "a calculation", found.problems)
        parts, shipments, fees = with_own_tax(order, found.lines, found.shipments, found.fees)
        made = replace(worksheet, lines=parts, shipments=shipments, price_time=found.time, costs=found.costs)
        return with_totals(replace(order, fees=fees), totals(parts, shipments, fees)), made, priced(lines, parts)

    async def _store(
        self,
        caller: Principal,
        order_id: str,
        request: RequestKey | None,
        type: str,
        data: JsonObject,
        step: Step,
        products: Mapping[str, Article] | None = None,
    ) -> Sheet:
        """The sheet after a step that is taken under the order's lock; whatever it was, it stales the calculation.

        `products` are those that it was taken with, where it has asked the catalog: the lines remember them.
        """
        async with self._units.transaction() as work:
            now = self._clock.now()
            if await work.requests.claim(request, {"order": order_id}, now) is not None:
                return await self._load(work, await readable(work.orders, caller, order_id))
            stored = await self._load(work, await writable(work.orders, caller, order_id, now))
            worksheet, made = step(stored)
            made = replace(made, calculated_version=0)
            after, event = changed(made, type, caller.user_id, caller.party_id, now, data=data)
            await work.orders.save(stored.order, after, [event])
            await work.orders.save_worksheet(after.key, worksheet)
            lines = renewed(stored.lines, products or {})
            await work.orders.update_lines(
                after.key, [line for line, old in zip(lines, stored.lines, strict=True) if line != old]
            )
        return Sheet(after, lines, worksheet)
