"""What reports of fulfillment mean for a buyer order. Everything is recomputed from whole states, never added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.order.domain.model import Line, Order
from services.order.domain.status import OrderStatus, Trigger, move


@dataclass(frozen=True, slots=True)
class UnitCount:
    """Units of one line in one supplier order."""

    line_item_id: str
    quantity: int
    shipped: int
    canceled: int
    backordered: int = 0
    """Open units that wait for stock, and when the last of them is expected."""
    expected_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """A buyer order after its supplier orders were looked at."""

    order: Order
    lines: tuple[Line, ...]
    changed_lines: tuple[Line, ...]
    completed: bool
    canceled: bool


def progress(order: Order, lines: Sequence[Line], counts: Iterable[UnitCount], now: datetime) -> Progress:
    """Recomputes shipped, canceled and waiting units per line and, from the first two alone, whether the order is done.

    No open unit left: COMPLETED if any shipped, else CANCELED.
    """
    parts: dict[str, list[UnitCount]] = {}
    for count in counts:
        parts.setdefault(count.line_item_id, []).append(count)
    after = tuple(_counted(line, parts.get(line.id, ())) for line in lines)
    changed = tuple(new for old, new in zip(lines, after, strict=True) if new is not old)
    if order.status is not OrderStatus.OPEN or any(open_units(line) for line in after):
        return Progress(order, after, changed, completed=False, canceled=False)
    if any(line.quantity_shipped for line in after):
        done = replace(order, status=move(order.id, order.status, Trigger.COMPLETE), complete_time=now, update_time=now)
        return Progress(done, after, changed, completed=True, canceled=False)
    gone = replace(order, status=move(order.id, order.status, Trigger.CANCEL), cancel_time=now, update_time=now)
    return Progress(gone, after, changed, completed=False, canceled=True)


def _counted(line: Line, parts: Sequence[UnitCount]) -> Line:
    times = [part.expected_time for part in parts if part.backordered]
    known = [time for time in times if time is not None]
    expected = max(known) if known and len(known) == len(times) else None
    shipped, canceled, waiting = (
        sum(part.shipped for part in parts),
        sum(part.canceled for part in parts),
        sum(part.backordered for part in parts),
    )
    before = line.quantity_shipped, line.quantity_canceled, line.quantity_backordered, line.expected_time
    if before == (shipped, canceled, waiting, expected):
        return line
    return replace(
        line, quantity_shipped=shipped, quantity_canceled=canceled, quantity_backordered=waiting, expected_time=expected
    )


def open_units(line: Line) -> int:
    """Units neither shipped nor canceled; 0 at least, whatever a report claims."""
    return max(0, line.quantity - line.quantity_shipped - line.quantity_canceled)


def newer(known: Mapping[str, int], key: str, version: int) -> bool:
    """Whether a report carries a later state than the one known."""
    return version > known.get(key, 0)
