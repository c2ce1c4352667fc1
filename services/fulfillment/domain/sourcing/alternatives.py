"""Other plans for the same lines, for whoever knows what each costs to ship. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from services.fulfillment.domain.sourcing.model import Assignment, Line, Outcome, Ranking, Stock, Strategy
from services.fulfillment.domain.sourcing.pipeline import source
from services.fulfillment.domain.sourcing.stages import LOWEST_FREIGHT, stages_of

MOST_PLANS = 8
"""Plans that are compared, the first one with them."""
MOST_TRIED = 12
"""Ways that are tried to find another plan."""
MOST_LINES_TRIED = 5_000
"""Lines that are sourced in all of these together: what sourcing takes goes by them."""
MOST_ASSIGNMENTS = 10_000
"""Assignments of all plans together: what the shipping service estimates in one call."""

Plan = tuple[Assignment, ...]


def alternatives(
    ranking: Ranking, lines: Sequence[Line], stocks: Sequence[Stock], first: Outcome, compare: bool = False
) -> tuple[Plan, ...]:
    """Plans beside the `first` that the ranking has made, where it ends in the lowest freight, or they are to be compared: each
    complete, and none with more backordered units, as goods that leave later are no saving. First those of the strategies, the
    fewest parcels before all, then those that do without one of the locations of the first plan.
    """
    wanted = compare or (not isinstance(ranking, Strategy) and LOWEST_FREIGHT in ranking)
    if not wanted or first.problems:
        return ()
    waiting = _backordered(first.assignments)
    units = len(first.assignments)
    found: dict[frozenset[tuple[str, str, int]], Plan] = {_what(first.assignments): first.assignments}
    for outcome in islice(_tried(ranking, lines, stocks, first), min(MOST_TRIED, MOST_LINES_TRIED // max(1, len(lines)))):
        plan = outcome.assignments
        if outcome.problems or _backordered(plan) > waiting or _what(plan) in found:
            continue
        units += len(plan)
        if units > MOST_ASSIGNMENTS:
            break
        found[_what(plan)] = plan
        if len(found) == MOST_PLANS:
            break
    return tuple(found.values())[1:]


def _tried(ranking: Ranking, lines: Sequence[Line], stocks: Sequence[Stock], first: Outcome) -> Iterator[Outcome]:
    for strategy in (Strategy.FEWEST_PARCELS, Strategy.DEFAULT_SUPPLIER, Strategy.PRIORITY):
        if stages_of(strategy) != stages_of(ranking):
            yield source(strategy, lines, stocks)
    used = dict.fromkeys((a.supplier_id, a.ship_from_id) for a in first.assignments if a.record_id)
    for place in used:
        yield source(ranking, lines, [s for s in stocks if (s.supplier_id, s.location_id) != place])


def _backordered(plan: Plan) -> int:
    return sum(a.backordered for a in plan)


def _what(plan: Plan) -> frozenset[tuple[str, str, int]]:
    """What makes two plans the same: the units that each line takes from each record."""
    return frozenset((a.line_item_id, a.record_id, a.quantity) for a in plan)
