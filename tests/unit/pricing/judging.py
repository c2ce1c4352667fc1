"""Promotions, lines and a judge for tests of what promotions come to: expressions are looked up instead of run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.pricing.application.promotions.promote import Promoted, promote
from services.pricing.domain.promotions.combination import Candidate, Origin
from services.pricing.domain.promotions.conditions import Shopper, Standing
from services.pricing.domain.promotions.promotion import Promotion, Target
from services.pricing.domain.promotions.taking import Basis, Freight, GoodsLine

NOW = datetime(2026, 3, 2, tzinfo=UTC)
CENT = 10_000
_ANYONE = Shopper()


@dataclass(frozen=True)
class Outcome:
    value: bool | int = False
    error: str = ""

    @property
    def failed(self) -> bool:
        return bool(self.error)


@dataclass
class Table:
    """Expressions are names here: of a number, of an error, or of an outcome for each line."""

    basis: Basis
    by_line: Mapping[str, Mapping[str, bool | int]] = field(default_factory=dict)

    async def conditions(self, promotion: Promotion, lines: Sequence[int] | None) -> Sequence[Outcome]:
        return self._found(promotion.eligible_expression, lines)

    async def amounts(self, promotion: Promotion, lines: Sequence[int] | None) -> Sequence[Outcome]:
        return self._found(promotion.value_expression, lines)

    def _found(self, text: str, lines: Sequence[int] | None) -> Sequence[Outcome]:
        ids = [""] if lines is None else [self.basis.lines[line].id for line in lines]
        return [self._one(text, id) for id in ids]

    def _one(self, text: str, id: str) -> Outcome:
        if text in self.by_line:
            return Outcome(self.by_line[text].get(id, 0))
        return Outcome(error=text) if text.startswith("There is no") else Outcome(int(text))


def line(id: str, cents: int, quantity: int = 1, **fields: Any) -> GoodsLine:
    left = fields.pop("left", cents * CENT)
    return GoodsLine(id, quantity, cents * CENT // quantity, cents * CENT, left, fields.pop("create_time", NOW), **fields)


def promotion(id: str, target: Target, cents: int | str, **fields: Any) -> Promotion:
    value = cents if isinstance(cents, str) else str(cents * CENT)
    return Promotion(id, target, value, **{"can_combine": True, "all_buyers": True} | fields)


async def judged(
    promotions: Sequence[Promotion | Candidate],
    lines: Sequence[GoodsLine],
    freights: Sequence[Freight] = (),
    by_line: Mapping[str, Mapping[str, bool | int]] | None = None,
    shopper: Shopper = _ANYONE,
    standing: Mapping[str, Standing] | None = None,
    unit: int = CENT,
) -> Promoted:
    basis = Basis.of(unit, lines, freights)
    candidates = [one if isinstance(one, Candidate) else Candidate(one, Origin.ENTERED) for one in promotions]
    return await promote(candidates, shopper, standing or {}, basis, Table(basis, by_line or {}), NOW)


def off(found: Promoted) -> dict[str, dict[int, int]]:
    """Cents by promotion and place."""
    return {each.candidate.promotion.id: {place: amount // CENT for place, amount in each.parts} for each in found.applied}


def drops(found: Promoted) -> dict[str, str]:
    return {each.candidate.promotion.id: each.drop.reason.value for each in found.dropped}
