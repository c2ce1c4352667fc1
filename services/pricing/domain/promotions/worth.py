"""What the expressions of a promotion come to, before it is known how much of that can be taken off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from services.pricing.domain.promotions.promotion import Drop, DropReason


class Outcome(Protocol):
    """What a run of an expression came to."""

    @property
    def value(self) -> bool | int:
        """The value; nothing is said by it where the run failed."""
        ...

    @property
    def failed(self) -> bool:
        """Whether there is no value."""
        ...

    @property
    def error(self) -> str:
        """Why there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Worth:
    """Amounts in micros, above 0: of lines by their place among those of the order, or of the whole."""

    lines: Mapping[int, int] = field(default_factory=dict)
    whole: int = 0


@dataclass(frozen=True, slots=True)
class Fit:
    """The lines that a promotion fits, and the first error of those where nobody knows."""

    lines: Sequence[int]
    error: str = ""


def fit(lines: Sequence[int], conditions: Sequence[Outcome]) -> Fit:
    """The lines whose condition holds. One that fails does not hold."""
    fitting = [line for line, found in zip(lines, conditions, strict=True) if not found.failed and found.value]
    return Fit(fitting, _first_error(conditions))


def line_worth(found: Fit, amounts: Sequence[Outcome]) -> Worth | Drop:
    """What it gives the lines that it fits. One whose amount fails gets nothing."""
    if not found.lines:
        return _ineligible(found.error)
    lines = {
        line: int(amount.value)
        for line, amount in zip(found.lines, amounts, strict=True)
        if not amount.failed and amount.value > 0
    }
    if lines:
        return Worth(lines)
    error = _first_error(amounts)
    return Drop(DropReason.EXPRESSION_ERROR, error) if error else Drop(DropReason.VALUE_NOT_POSITIVE)


def unfit(condition: Outcome) -> Drop | None:
    """Why a promotion is not for the order, or none. A condition that fails does not hold."""
    if condition.failed:
        return _ineligible(condition.error)
    return None if condition.value else Drop(DropReason.NOT_ELIGIBLE)


def whole_worth(amount: Outcome) -> Worth | Drop:
    """What it gives an order that it fits, or its shipping."""
    if amount.failed:
        return Drop(DropReason.EXPRESSION_ERROR, amount.error)
    return Worth(whole=int(amount.value)) if amount.value > 0 else Drop(DropReason.VALUE_NOT_POSITIVE)


def _ineligible(error: str) -> Drop:
    return Drop(DropReason.EXPRESSION_ERROR, error) if error else Drop(DropReason.NOT_ELIGIBLE)


def _first_error(outcomes: Sequence[Outcome]) -> str:
    return next((found.error for found in outcomes if found.failed), "")
