"""Which lines wait for units, as the plan of the estimates has it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.order.domain.checkout.worksheet import Assignment


@dataclass(frozen=True, slots=True)
class LineBackorder:
    """Units of a line that are not there yet, and when the last of them is expected: None when that is not known of all."""

    line_item_id: str
    units: int
    expected_time: datetime | None


def backorders(plan: Iterable[Assignment]) -> list[LineBackorder]:
    """By line, in the order of the plan."""
    waiting: dict[str, list[Assignment]] = {}
    for a in plan:
        if a.backordered:
            waiting.setdefault(a.line_item_id, []).append(a)
    return [LineBackorder(line, sum(a.backordered for a in parts), _last(parts)) for line, parts in waiting.items()]


def _last(parts: list[Assignment]) -> datetime | None:
    times = [a.expected_time for a in parts if a.expected_time is not None]
    return max(times) if len(times) == len(parts) else None
