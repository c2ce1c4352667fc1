"""SimulateSourcing: where units would come from, and why. Nothing is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from libs.errors import Violations
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.customers import Customers, Groups
from services.fulfillment.application.ports import FulfillmentWork, ProductPeer
from services.fulfillment.application.sourcing.plan_sourcing import stock_of
from services.fulfillment.domain.sourcing.alternatives import alternatives
from services.fulfillment.domain.sourcing.candidates import usable
from services.fulfillment.domain.sourcing.explain import Explained, explain
from services.fulfillment.domain.sourcing.model import Customer, Line, Outcome, Ranking
from waybill.fulfillment.v1 import reasons


@dataclass(frozen=True, slots=True)
class Wanted:
    """A line that somebody might order; `field` is where it stands in the request."""

    field: str
    line_item_id: str
    product_id: str
    quantity: int
    variant_id: str = ""
    pickup_location_id: str = ""
    inventory_record_id: str = ""


@dataclass(frozen=True, slots=True)
class Simulated:
    """The plan, and the candidates of each line whose stock is counted, by line id."""

    outcome: Outcome
    candidates: Mapping[str, Sequence[Explained]]


class SimulateSourcing:
    """The use case."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], products: ProductPeer, customers: Customers) -> None:
        self._units = units
        self._products = products
        self._customers = customers

    async def __call__(self, customer: Customer, ranking: Ranking, wanted: Sequence[Wanted]) -> Simulated:
        """By the suppliers of the products, and the stock, as they are now. Raises for products that do not exist."""
        supplies = await self._products.supplied({w.product_id for w in wanted})
        found = Violations()
        for w in wanted:
            known = w.product_id in supplies
            found.require(f"{w.field}.product_id", known, reasons.FIELD_INVALID, f"there is no product {w.product_id!r}")
        found.raise_if_any()
        lines = []
        for w in wanted:
            s = supplies[w.product_id]
            lines.append(
                Line(
                    line_item_id=w.line_item_id,
                    product_id=w.product_id,
                    quantity=w.quantity,
                    default_supplier_id=s.default_supplier_id,
                    supplier_ids=s.supplier_ids,
                    ship_from_id=s.ship_from_id,
                    track_inventory=s.track_inventory,
                    shippable=s.shippable,
                    pickup_location_id=w.pickup_location_id,
                    inventory_record_id=w.inventory_record_id,
                    variant_id=w.variant_id if s.variant_stock else "",
                )
            )
        async with self._units.reading() as work:
            stocks = await stock_of(work, lines, lock=False)

        async def decide(groups: Groups) -> Simulated:
            mine = usable(replace(customer, groups=groups), stocks)
            keys = {s.key for s in mine}
            plan, explained = explain(ranking, lines, mine, [s for s in stocks if s.key not in keys])
            return Simulated(replace(plan, alternatives=alternatives(ranking, lines, mine, plan)), explained)

        return await self._customers.deciding(customer.groups, decide)
