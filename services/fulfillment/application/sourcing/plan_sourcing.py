"""PlanSourcing: decides where every unit would come from. Stores nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.customers import Customers, Groups
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.domain.sourcing.alternatives import alternatives
from services.fulfillment.domain.sourcing.candidates import usable
from services.fulfillment.domain.sourcing.model import Customer, Line, Outcome, Ranking, Stock
from services.fulfillment.domain.sourcing.pipeline import source


async def stock_of(work: FulfillmentWork, lines: Sequence[Line], lock: bool) -> list[Stock]:
    """All stock that the lines could take: one statement, none when nothing is counted."""
    skus = {line.sku for line in lines if line.track_inventory}
    return await work.stock.of_skus(skus, lock) if skus else []


class PlanSourcing:
    """The use case."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], customers: Customers) -> None:
        self._units = units
        self._customers = customers

    async def __call__(self, customer: Customer, ranking: Ranking, lines: Sequence[Line], compare: bool = False) -> Outcome:
        """Assignments in the order of the lines, and all problems. `compare`: other plans too, whatever the ranking."""
        async with self._units.reading() as work:
            stocks = await stock_of(work, lines, lock=False)

        async def decide(groups: Groups) -> Outcome:
            mine = usable(replace(customer, groups=groups), stocks)
            plan = source(ranking, lines, mine)
            return replace(plan, alternatives=alternatives(ranking, lines, mine, plan, compare))

        return await self._customers.deciding(customer.groups, decide)
