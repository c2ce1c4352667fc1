"""Why units come from where they come from: the pipeline's own stages, asked once more for each candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.fulfillment.domain.sourcing.candidates import candidates, eligible, excluded_by
from services.fulfillment.domain.sourcing.model import Exclusion, Line, Outcome, Ranking, Stock
from services.fulfillment.domain.sourcing.pipeline import source
from services.fulfillment.domain.sourcing.rank import rank, ranks
from services.fulfillment.domain.sourcing.stages import stages_of

RECORD = "record_id"
"""What decides between candidates that every stage finds equal."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What became of one inventory record for a line."""

    stock: Stock
    excluded: Exclusion | None = None
    place: int = 0
    """From 1, in the order in which they are asked; 0 for what is excluded."""
    behind_by: str = ""
    """The stage that put it behind the one before it; empty for the first."""
    quantity: int = 0
    """Units that the line takes from it."""
    exceeding: int = 0
    """Those of them that are more than was available: what no candidate had exceeds the first that may be exceeded."""


def explain(
    ranking: Ranking, lines: Sequence[Line], stocks: Sequence[Stock], kept: Sequence[Stock] = ()
) -> tuple[Outcome, dict[str, list[Explained]]]:
    """What sourcing decides, and for each line whose stock is counted all stock of its product, in the order in which it is
    asked, and what is excluded after it. `kept`: stock that is for other customers.
    """
    outcome = source(ranking, lines, stocks)
    counted = [line for line in lines if line.track_inventory]
    found = eligible(counted, candidates(counted, stocks))
    of, ordered = ranks(ranking, counted, found), rank(ranking, counted, found)
    taken = {(a.line_item_id, a.record_id): a.quantity for a in outcome.assignments}
    left = {s.id: max(0, s.available) for s in stocks}
    explained: dict[str, list[Explained]] = {}
    # In the order in which lines choose, for what one takes another does not find.
    for line in sorted(counted, key=lambda x: (not x.inventory_record_id, not x.pickup_location_id)):
        mine = ordered[line.line_item_id]
        entries: list[Explained] = []
        for n, stock in enumerate(mine):
            units = taken.get((line.line_item_id, stock.id), 0)
            beyond = max(0, units - left[stock.id])
            left[stock.id] -= units - beyond
            behind = _behind(ranking, of(line, mine[n - 1]), of(line, stock)) if n else ""
            entries.append(Explained(stock, None, n + 1, behind, units, beyond))
        excluded = [(s, excluded_by(line, s)) for s in stocks if s.sku == line.sku]
        excluded += [(s, excluded_by(line, s) or Exclusion.RESTRICTED) for s in kept if s.sku == line.sku]
        entries += [Explained(s, why) for s, why in sorted(excluded, key=lambda x: x[0].id) if why is not None]
        explained[line.line_item_id] = entries
    return outcome, explained


def _behind(ranking: Ranking, before: tuple[int, ...], after: tuple[int, ...]) -> str:
    differing = (name for name, a, b in zip(stages_of(ranking), before, after, strict=True) if a != b)
    return next(differing, RECORD)
