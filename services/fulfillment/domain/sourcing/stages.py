"""The stages that rank candidates: small pure functions, each with a name. A strategy is a few of them, one after the other,
and a channel may name them itself: a later one decides between what the earlier ones find equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from services.fulfillment.domain.sourcing.candidates import Candidates
from services.fulfillment.domain.sourcing.fewest_locations import fewest_locations
from services.fulfillment.domain.sourcing.model import Line, Ranking, Stock, Strategy

Rank = Callable[[Line, Stock], int]
"""How far behind a candidate of a line stands; equal ones are left to later stages."""
Stage = Callable[[Sequence[Line], Candidates], Rank]
"""Made for all lines together, since what is best for one may depend on the others."""


def restricted(lines: Sequence[Line], found: Candidates) -> Rank:
    """What is kept for the customer before all others: nobody else can be sold it, while what is open may yet serve anybody."""
    return lambda line, stock: int(not stock.restricted)


def default_supplier(lines: Sequence[Line], found: Candidates) -> Rank:
    """The supplier of the product before all others."""
    return lambda line, stock: int(stock.supplier_id != line.default_supplier_id)


def priority(lines: Sequence[Line], found: Candidates) -> Rank:
    """The priority of the inventory record, the lowest number first."""
    return lambda line, stock: stock.priority


def fewest_parcels(lines: Sequence[Line], found: Candidates) -> Rank:
    """The few locations that serve all lines together, in the order in which they were chosen."""
    chosen = fewest_locations(lines, found)
    return lambda line, stock: chosen.get((stock.supplier_id, stock.location_id), len(chosen))


STAGES: Mapping[str, Stage] = {stage.__name__: stage for stage in (restricted, default_supplier, priority, fewest_parcels)}
"""Every stage, by its name."""
STRATEGIES: Mapping[Strategy, tuple[str, ...]] = {
    Strategy.DEFAULT_SUPPLIER: ("restricted", "default_supplier", "priority"),
    Strategy.PRIORITY: ("restricted", "priority", "default_supplier"),
    Strategy.FEWEST_PARCELS: ("restricted", "fewest_parcels", "default_supplier", "priority"),
}
"""The stages of each strategy, in the order in which they decide."""
LOWEST_FREIGHT = "lowest_freight"
"""The stage behind all others: it ranks no candidate, but has whole plans compared."""
NAMES = (*STAGES, LOWEST_FREIGHT)
"""Every stage that a ranking may name."""
MOST_STAGES = 8
"""Names of stages in a ranking, at most."""


def stages_of(ranking: Ranking) -> tuple[str, ...]:
    """The names of the stages that rank candidates, in the order in which they decide."""
    return STRATEGIES[ranking] if isinstance(ranking, Strategy) else tuple(name for name in ranking if name in STAGES)
