"""Cost schedules beside the standard methods: a supplier has one for a product in a currency."""

from __future__ import annotations

from libs.errors import Violations
from libs.ids import valid_id
from libs.resource.contract import Items
from services.pricing.application.ports import PricingWork
from services.pricing.domain.schedules.cost import check_alone


async def one_cost_each(work: PricingWork, found: Violations, items: Items) -> None:
    """A new cost schedule is the only one of its supplier and product in its currency."""
    spots = [
        (where, (row["supplier_id"], row["product_id"], row["currency"]))
        for where, row in items
        if valid_id(row["supplier_id"]) and valid_id(row["product_id"])
    ]
    check_alone(found, spots, await work.costs.spots({product for _, (_, product, _) in spots}))
