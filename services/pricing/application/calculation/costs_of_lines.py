"""What suppliers are paid for the units of an order's lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.pricing.application.ports import Priced, PricingWork
from services.pricing.domain.calculation.costs import LineCost, line_costs
from services.pricing.domain.calculation.line import Line


async def costs_of_lines(
    work: PricingWork, currency: str, lines: Sequence[Line], priced: Priced, now: datetime
) -> list[LineCost]:
    """One statement, and none where no line names a supplier or no supplier has a cost schedule."""
    asked = [line for line in lines if line.supplier_ids]
    if not asked or not priced.costed:
        return []
    suppliers = {id for line in asked for id in line.supplier_ids}
    return line_costs(asked, await work.costs.of({line.product_id for line in asked}, suppliers, currency), now)
