"""Ranking: in which order a line's candidates are asked. Deterministic: ties end at the record id."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.fulfillment.domain.sourcing.candidates import Candidates
from services.fulfillment.domain.sourcing.model import Line, Ranking, Stock
from services.fulfillment.domain.sourcing.stages import STAGES, stages_of

Ranks = Callable[[Line, Stock], tuple[int, ...]]
"""What each stage says of a candidate, in their order."""


def ranks(ranking: Ranking, lines: Sequence[Line], found: Candidates) -> Ranks:
    """The stages of a ranking, made for these lines."""
    stages = [STAGES[name](lines, found) for name in stages_of(ranking)]
    return lambda line, stock: tuple([stage(line, stock) for stage in stages])


def rank(ranking: Ranking, lines: Sequence[Line], found: Candidates) -> dict[str, tuple[Stock, ...]]:
    """Every line's candidates, the best first."""
    of = ranks(ranking, lines, found)
    return {
        line.line_item_id: tuple(sorted(found[line.line_item_id], key=lambda s, x=line: (of(x, s), s.id)))  # type: ignore[misc]
        for line in lines
    }
