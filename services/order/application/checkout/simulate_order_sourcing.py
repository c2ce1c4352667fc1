"""SimulateOrderSourcing: where the units of an order could come from, and what each way would cost to ship. Nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from libs.auth import Principal
from libs.errors import precondition
from services.order.application.access import readable, require_writer
from services.order.application.checkout.compared_plans import Compared, ComparedPlans
from services.order.application.ports import Units
from services.order.domain.building.products import renewed
from services.order.domain.checkout.freight import kept
from services.order.domain.model import Order
from waybill.order.v1 import reasons


@dataclass(frozen=True, slots=True)
class Simulation:
    """The plans of an order side by side."""

    order: Order
    compared: Compared
    kept: int | None
    """Which of the plans an estimate would keep now, by its place; None where it would be refused."""


class SimulateOrderSourcing:
    """The use case."""

    def __init__(self, units: Units, plans: ComparedPlans) -> None:
        self._units = units
        self._plans = plans

    async def __call__(self, caller: Principal, order_id: str, strategy: str, stages: Sequence[str]) -> Simulation:
        """By the products and the stock as they are now, as if nothing of the order had been sourced yet. A strategy or stages
        stand in place of what the order's channel says. Raises for an order that has no line.
        """
        async with self._units.reading(snapshot=True) as work:
            order = await readable(work.orders, caller, order_id)
            require_writer(caller, order)
            lines = await work.orders.lines(order.key)
        if not lines:
            raise precondition(reasons.ORDER_EMPTY, f"order {order.id} has no line", order=order.id)
        if strategy or stages:
            policy = replace(order.policy, sourcing_strategy=strategy, sourcing_stages=tuple(stages))
            order = replace(order, policy=policy)
        lines = renewed(lines, await self._plans.products(order, lines))
        compared = await self._plans.of(order, lines, compare=True)
        return Simulation(order, compared, kept(order.policy.sourcing_stages, compared.shipped))
