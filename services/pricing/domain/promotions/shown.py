"""Whether the promotions on an order still are what they were shown to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.pricing.domain.calculation.discounts import off
from services.pricing.domain.calculation.line import Line, Problem
from services.pricing.domain.promotions.promotion import DropReason
from services.pricing.domain.promotions.uses import Full
from waybill.pricing.v1 import reasons

_REACHED = {
    DropReason.LIMIT_REACHED: (reasons.PROMOTION_LIMIT_REACHED, "as many orders use it as may"),
    DropReason.LIMIT_OF_USER_REACHED: (reasons.PROMOTION_LIMIT_OF_USER_REACHED, "as many orders of the user use it as may"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What promotions were shown to take off, in micros: each in all, and all of them off each line."""

    amounts: Mapping[str, int] = field(default_factory=dict)
    """By promotion."""
    of_lines: Mapping[str, int] = field(default_factory=dict)
    """By line; of a line that is not here nothing."""


def changed_promotions(
    shown: Shown, applied: Mapping[str, int], dropped: Mapping[str, DropReason], cheaper: Sequence[Line]
) -> list[Problem]:
    """What is not as it was shown: promotions that are `applied` with other amounts or not at all; where all are the same, lines
    that bear other parts of them. `cheaper` are the lines with what comes off now."""
    problems: list[Problem] = []
    for id, amount in shown.amounts.items():
        if id not in applied and (reached := _REACHED.get(dropped.get(id, DropReason.NOT_FOUND))):
            problems.append(Problem("", *reached, promotion_id=id))
        elif applied.get(id) != amount:
            text = "it takes off something else by now" if id in applied else "it is not on the order any more"
            problems.append(Problem("", reasons.PROMOTION_CHANGED, text, promotion_id=id))
    return problems or list(_changed_lines(shown, cheaper))


def _changed_lines(shown: Shown, cheaper: Sequence[Line]) -> Iterator[Problem]:
    for line in cheaper:
        if off(line.discounts) != shown.of_lines.get(line.id, 0):
            yield Problem(line.id, reasons.PROMOTION_CHANGED, "promotions take something else off it by now")


def reached(found: Full) -> Problem:
    """What a limit that leaves no place is to an order."""
    reason, text = _REACHED[found.reason]
    return Problem("", reason, text, promotion_id=found.promotion_id, contended=found.contended)
