"""The promotions of an order: which are on it, what each takes off where, and why others are not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.pricing.domain.promotions.combination import Candidate, Combination
from services.pricing.domain.promotions.conditions import Shopper, Standing, refused
from services.pricing.domain.promotions.promotion import Drop, DropReason, Promotion, Target
from services.pricing.domain.promotions.taking import Basis, Part, Taking
from services.pricing.domain.promotions.worth import Fit, Outcome, Worth, fit, line_worth, unfit, whole_worth


class Judge(Protocol):
    """Runs the expressions of promotions over one order. Others have their turn while it does."""

    async def conditions(self, promotion: Promotion, lines: Sequence[int] | None) -> Sequence[Outcome]:
        """Whether it fits each of these lines of the basis; without lines, the order: one outcome."""
        ...

    async def amounts(self, promotion: Promotion, lines: Sequence[int] | None) -> Sequence[Outcome]:
        """What it gives each of these lines; without lines, the order or its shipping: one outcome."""
        ...


@dataclass(frozen=True, slots=True)
class Applied:
    """A promotion that is on the order, and what comes off which line or estimate of the basis.

    Without parts it stays on the order, since others have left nothing, and it is not used by it.
    """

    candidate: Candidate
    parts: Sequence[Part]

    @property
    def amount(self) -> int:
        """What it takes off in all, in micros."""
        return sum(amount for _, amount in self.parts)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A promotion that was asked for and is not on the order."""

    candidate: Candidate
    drop: Drop


@dataclass(frozen=True, slots=True)
class Promoted:
    """Promotions in the order in which they are taken off, and those that are not on the order."""

    applied: Sequence[Applied]
    dropped: Sequence[Dropped]


async def promote(
    candidates: Iterable[Candidate], shopper: Shopper, standing: Mapping[str, Standing], basis: Basis, judge: Judge, now: datetime
) -> Promoted:
    """Judges each candidate, takes off those that go together, and says why the others are not on the order.

    What expressions see is before anything comes off, so none depends on another. Neither the order of candidates nor that of
    lines changes anything, and with what it applied it gives the same again. A promotion that stands twice among the candidates
    is the one that comes first. `standing` has what is kept of each, by id. Others have their turn after every promotion.
    """
    chosen: list[tuple[Candidate, Worth]] = []
    dropped: list[Dropped] = []
    combination, seen, untouched = Combination(), set[str](), Taking(basis)
    for candidate in sorted(candidates, key=lambda candidate: candidate.precedence):
        promotion = candidate.promotion
        if promotion.id in seen:
            continue
        seen.add(promotion.id)
        found = refused(promotion, shopper, standing.get(promotion.id, Standing()), now) or combination.refuses(promotion)
        worth = found or await _worth(promotion, basis, untouched, judge)
        if isinstance(worth, Drop):
            dropped.append(Dropped(candidate, worth))
            continue
        combination.keep(promotion)
        chosen.append((candidate, worth))
    return Promoted(await _taken(chosen, basis), dropped)


async def _worth(promotion: Promotion, basis: Basis, untouched: Taking, judge: Judge) -> Worth | Drop:
    """What its expressions come to; nothing that could be taken off is a reason to drop it."""
    of_lines = promotion.target is Target.LINE
    worth = await (_line_worth(promotion, basis, judge) if of_lines else _whole_worth(promotion, judge))
    await asyncio.sleep(0)
    if isinstance(worth, Worth) and not untouched.parts(promotion, worth):
        return Drop(DropReason.VALUE_NOT_POSITIVE)
    return worth


async def _line_worth(promotion: Promotion, basis: Basis, judge: Judge) -> Worth | Drop:
    lines = basis.lines_of(promotion)
    found = fit(lines, await judge.conditions(promotion, lines)) if promotion.eligible_expression else Fit(lines)
    return line_worth(found, await judge.amounts(promotion, found.lines) if found.lines else ())


async def _whole_worth(promotion: Promotion, judge: Judge) -> Worth | Drop:
    if promotion.eligible_expression:
        (condition,) = await judge.conditions(promotion, None)
        if refusal := unfit(condition):
            return refusal
    (amount,) = await judge.amounts(promotion, None)
    return whole_worth(amount)


async def _taken(chosen: Sequence[tuple[Candidate, Worth]], basis: Basis) -> list[Applied]:
    taking, applied = Taking(basis), list[Applied]()
    for candidate, worth in sorted(chosen, key=lambda each: each[0].promotion.turn):
        applied.append(Applied(candidate, taking.take(candidate.promotion, worth)))
        await asyncio.sleep(0)
    return applied
