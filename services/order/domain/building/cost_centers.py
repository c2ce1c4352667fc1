"""Which cost centers the lines of an order may name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from libs.errors import Violations
from waybill.order.v1 import reasons


@dataclass(frozen=True, slots=True)
class CostCenters:
    """What a buyer's cost centers are to the user of an order."""

    kept: bool = False
    """Whether the buyer has any, active or not. If not, what lines name is a text of their own."""
    usable: frozenset[str] = frozenset()
    """Of those that are named, what is active and assigned to the user, to one of its groups or to everyone."""

    def allow(self, named: str) -> bool:
        """Whether a line may name it; it may always name none."""
        return not named or not self.kept or named in self.usable


def refusal(named: str) -> str:
    """The same words for what is not there, what is not active, and what is another's."""
    return f"there is no cost center {named!r} that the order's user may use"


def check_cost_centers(found: Violations, named: Iterable[str], centers: CostCenters) -> None:
    """Adds a violation for every line of a request that names what it may not; `named` stands in the order of the lines."""
    for i, one in enumerate(named):
        found.require(f"line_items[{i}].cost_center", centers.allow(one), reasons.COST_CENTER_NOT_ALLOWED, refusal(one))
