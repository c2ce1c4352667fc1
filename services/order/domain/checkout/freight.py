"""Which of several plans ships an order for least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.order.domain.checkout.ranking import LOWEST_FREIGHT
from services.order.domain.checkout.worksheet import Assignment, Estimate
from services.order.domain.model import Problem

Plan = tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Shippable:
    """What one plan would be shipped by, or why it cannot be."""

    estimates: tuple[Estimate, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def freight(self) -> int:
        """The sum of the cheapest methods of its estimates, in micros."""
        return sum(min((m.cost for m in e.methods), default=0) for e in self.estimates)


def cheapest(found: Sequence[Shippable]) -> int:
    """Which of them costs least to ship, by its place; of equal ones the first. Where none can be shipped whole it is the first,
    whose problems are then reported.
    """
    whole = [n for n, one in enumerate(found) if not one.problems]
    return min(whole, key=lambda n: found[n].freight, default=0)


def kept(stages: Sequence[str], found: Sequence[Shippable]) -> int | None:
    """Which of the plans an estimate would keep, by its place: the first, unless these stages compare their freight; None where
    the estimate would be refused.
    """
    chosen = cheapest(found) if LOWEST_FREIGHT in stages else 0
    return chosen if found and not found[chosen].problems else None
