"""What the expression of an approval rule is tried on, where that is a stored order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from libs.auth import Principal
from services.order.application.access import readable
from services.order.application.peers import Directory
from services.order.application.ports import Units
from services.order.domain.model import Line, Order


@dataclass(frozen=True, slots=True)
class Subject:
    """An order as it is now."""

    order: Order
    lines: tuple[Line, ...]
    groups: Collection[str]
    """Those that its user is in."""


class ReadSubject:
    """Reads an order that the caller may see, and asks the directory about its user where that matters."""

    def __init__(self, units: Units, directory: Directory) -> None:
        self._units = units
        self._directory = directory

    async def __call__(self, caller: Principal, order_id: str, with_groups: bool) -> Subject:
        """The order. Raises NOT_FOUND for one that the caller does not see, and for supplier orders."""
        async with self._units.reading(snapshot=True) as work:
            order = await readable(work.orders, caller, order_id)
            lines = await work.orders.lines(order.key)
        return Subject(order, lines, await self._directory.group_ids(order.user.id) if with_groups else ())
