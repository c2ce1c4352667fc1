"""What suppliers are paid for the units of lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.pricing.domain.calculation.line import Line
from services.pricing.domain.schedules.cost import CostsByProduct
from services.pricing.domain.schedules.schedule import Price, price_at


@dataclass(frozen=True, slots=True)
class LineCost:
    """What a supplier is paid for a unit of a line; micros."""

    line_id: str
    supplier_id: str
    unit: int


def line_costs(lines: Sequence[Line], schedules: CostsByProduct, now: datetime) -> list[LineCost]:
    """The costs of lines at the suppliers that they name, as far as these have schedules.

    The break is that of the buyer's line: a unit costs the same wherever the line is divided between suppliers, and later when
    units move between them.
    """
    found: list[LineCost] = []
    for line in lines:
        for supplier in line.supplier_ids:
            schedule = schedules.get((line.product_id, supplier))
            cost = None if schedule is None else price_at(schedule, line.quantity, now)
            if isinstance(cost, Price):
                found.append(LineCost(line.id, supplier, cost.unit))
    return found
