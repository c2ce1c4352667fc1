"""How locations are chosen, by the names that fulfillment knows: closed lists here too, as services do not know each other."""

from __future__ import annotations

from collections.abc import Sequence

from libs.errors import Violations
from waybill.order.v1 import reasons

STRATEGIES = ("default_supplier", "priority", "fewest_parcels")
LOWEST_FREIGHT = "lowest_freight"
STAGES = ("restricted", "default_supplier", "priority", "fewest_parcels", LOWEST_FREIGHT)


def check_ranking(found: Violations, strategy: str, stages: Sequence[str]) -> None:
    """Stages or a strategy, by name, and not both; nothing leaves it to the order's channel."""
    if strategy:
        found.require("strategy", strategy in STRATEGIES, reasons.FIELD_INVALID, f"must be one of {', '.join(STRATEGIES)}")
        found.require("stages", not stages, reasons.FIELD_INVALID, "must be empty where there is a strategy")
    found.require("stages", len(stages) <= len(STAGES), reasons.TOO_MANY_ITEMS, f"at most {len(STAGES)}")
    if LOWEST_FREIGHT in stages[:-1]:
        found.add("stages", reasons.FIELD_INVALID, f"{LOWEST_FREIGHT} must be the last")
    for i, name in enumerate(stages[: len(STAGES)]):
        found.require(f"stages[{i}]", name in STAGES, reasons.FIELD_INVALID, f"must be one of {', '.join(STAGES)}")
        found.require(f"stages[{i}]", name not in stages[:i], reasons.DUPLICATE_ITEM, "stands twice")
