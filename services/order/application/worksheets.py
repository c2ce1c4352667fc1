"""GetWorksheet, EstimateShipping, SelectShipMethods, CalculateOrder: what a checkout works out, step by step.

Remote calls come first, then one transaction that checks that the order has not changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import precondition
from services.order.application.access import readable, require_unchanged, writable
from services.order.application.ports import (
    Fulfillment,
    OrderStore,
    Pricing,
    Problem,
    Request,
    RequestStore,
    Shipping,
    Transactions,
    Tx,
)
from services.order.application.problems import refuse
from services.order.domain.amounts import priced, totals, with_totals
from services.order.domain.history import changed
from services.order.domain.model import Line, Order
from services.order.domain.status import Trigger
from services.order.domain.worksheet import Worksheet, select


@dataclass(frozen=True, slots=True)
class Sheet:
    """An order with its lines and everything worked out."""

    order: Order
    lines: tuple[Line, ...]
    worksheet: Worksheet


class Worksheets:
    """The steps of a checkout before payment."""

    def __init__(
        self, database: Transactions, orders: OrderStore, requests: RequestStore, fulfillment: Fulfillment,
        shipping: Shipping, pricing: Pricing, clock: Clock,
    ) -> None:  # fmt: skip
        self._db = database
        self._orders = orders
        self._requests = requests
        self._fulfillment = fulfillment
        self._shipping = shipping
        self._pricing = pricing
        self._clock = clock

    async def _load(self, tx: Tx, order: Order) -> Sheet:
        lines = await self._orders.lines(tx, order.key)
        return Sheet(order, lines, await self._orders.worksheet(tx, order.key))

    async def get(self, caller: Principal, order_id: str) -> Sheet:
        """As it is."""
        async with self._db.reading() as tx:
            return await self._load(tx, await readable(self._orders, tx, caller, order_id))

    async def _open(self, caller: Principal, order_id: str, request: Request) -> tuple[Sheet, bool]:
        """What the step works on, and whether its request has been answered before."""
        async with self._db.reading() as tx:
            again = await self._requests.find(tx, request) is not None
            trigger = Trigger.MARK if again else Trigger.EDIT
            order = await writable(self._orders, tx, caller, order_id, self._clock.now(), trigger)
            return await self._load(tx, order), again

    async def estimate(self, caller: Principal, order_id: str, request: Request) -> Sheet:
        """Plans sourcing and groups items; selections that still fit are kept."""
        sheet, again = await self._open(caller, order_id, request)
        if again:
            return sheet
        worksheet = await self.estimated(sheet.order, sheet.lines, sheet.worksheet)
        return await self._store(
            caller, sheet, worksheet, request, "shipping_estimated",
            {"ship_estimates": len(worksheet.estimates)},
            lambda order: {"estimated_version": order.content_version, "calculated_version": 0},
        )  # fmt: skip

    async def estimated(self, order: Order, lines: Sequence[Line], worksheet: Worksheet) -> Worksheet:
        """The worksheet with new estimates, nothing stored; raises all problems at once."""
        self._require_destination(order, lines)
        plan, problems = await self._fulfillment.plan(order, lines)
        if problems:
            raise refuse("ESTIMATE_REFUSED", order.id, "an estimate", problems)
        estimates, problems = await self._shipping.estimate(order, lines, plan)
        if problems:
            raise refuse("ESTIMATE_REFUSED", order.id, "an estimate", problems)
        return worksheet.with_estimates(plan, estimates, self._clock.now())

    def _require_destination(self, order: Order, lines: Sequence[Line]) -> None:
        if not lines:
            raise precondition("ORDER_EMPTY", f"order {order.id} has no line", order=order.id)
        missing = [
            Problem("SHIPPING_ADDRESS_MISSING", "order", f"line_items[{line.id}]", "has no address to ship to")
            for line in lines
            if line.shippable_address_missing(order)
        ]
        if missing:
            raise refuse("ESTIMATE_REFUSED", order.id, "an estimate", missing)

    async def select(
        self, caller: Principal, order_id: str, selections: Sequence[tuple[str, str]], request: Request
    ) -> Sheet:
        """Selects methods; stales the calculation."""
        sheet, again = await self._open(caller, order_id, request)
        if again:
            return sheet
        if not sheet.order.estimated:
            raise precondition(
                "SHIP_ESTIMATE_STALE", f"order {order_id} changed since shipping was estimated", order=order_id
            )
        return await self._store(
            caller, sheet, select(sheet.worksheet, selections), request, "ship_methods_selected",
            {"selections": [list(pair) for pair in selections][:100]}, lambda order: {"calculated_version": 0},
        )  # fmt: skip

    async def calculate(self, caller: Principal, order_id: str, request: Request) -> Sheet:
        """Calculates every part of the amounts and stores it."""
        sheet, again = await self._open(caller, order_id, request)
        if again:
            return sheet
        order, worksheet, lines = await self.calculated(sheet.order, sheet.lines, sheet.worksheet)
        async with self._db.transaction() as tx:
            now = self._clock.now()
            if await self._requests.claim(tx, request, {"order": order_id}, now) is None:
                locked = await writable(self._orders, tx, caller, order_id, now)
                require_unchanged(sheet.order, locked)
                after, event = changed(
                    with_totals(locked, totals(locked, worksheet.lines, worksheet.shipments)),
                    "order_calculated", caller.user_id, caller.party_id, now, data={"total": order.total},
                )  # fmt: skip
                await self._orders.save(tx, locked, after, [event])
                await self._orders.update_lines(tx, order.key, lines)
                await self._orders.save_worksheet(tx, order.key, worksheet)
                return Sheet(after, lines, worksheet)
            return await self._load(tx, await readable(self._orders, tx, caller, order_id))

    async def calculated(
        self, order: Order, lines: Sequence[Line], worksheet: Worksheet
    ) -> tuple[Order, Worksheet, tuple[Line, ...]]:
        """Order, worksheet and lines with their amounts, nothing stored; raises all problems at once."""
        if worksheet.estimates and not order.estimated and order.shipping_cost_override is None:
            raise precondition(
                "SHIP_ESTIMATE_STALE", f"order {order.id} changed since shipping was estimated", order=order.id
            )
        chosen = [e for e in worksheet.estimates if e.selected is not None] if order.estimated else []
        parts, shipments, price_time, problems = await self._pricing.calculate(order, lines, chosen)
        if problems:
            raise refuse("CALCULATION_REFUSED", order.id, "a calculation", problems)
        made = replace(worksheet, lines=parts, shipments=shipments, price_time=price_time)
        return with_totals(order, totals(order, parts, shipments)), made, priced(lines, parts)

    async def _store(
        self, caller: Principal, sheet: Sheet, worksheet: Worksheet, request: Request, type: str,
        data: dict[str, Any], fields: Any,
    ) -> Sheet:  # fmt: skip
        order_id = sheet.order.id
        async with self._db.transaction() as tx:
            now = self._clock.now()
            if await self._requests.claim(tx, request, {"order": order_id}, now) is not None:
                return await self._load(tx, await readable(self._orders, tx, caller, order_id))
            locked = await writable(self._orders, tx, caller, order_id, now)
            require_unchanged(sheet.order, locked)
            after, event = changed(
                locked, type, caller.user_id, caller.party_id, now, data=data, **fields(locked)
            )
            await self._orders.save(tx, locked, after, [event])
            await self._orders.save_worksheet(tx, locked.key, worksheet)
        return Sheet(after, sheet.lines, worksheet)
