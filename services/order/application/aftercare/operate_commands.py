"""ListOrderCommands and DriveOrderCommands: what operators do about cancels and holds that are not carried out."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from libs.errors import missing
from libs.query.request import Page, PageRequest
from libs.service.unit_of_work import UnitsOfWork
from services.order.application.aftercare.cancel_order import CancelOrder
from services.order.application.ports import Units
from services.order.application.progress.hold_order import HoldOrder


@dataclass(frozen=True, slots=True)
class OrderCommand:
    """A decision that other services have still to carry out, with the public names of its order."""

    order_key: uuid.UUID
    order_id: str
    buyer_id: str
    type: str
    """CANCEL, HOLD or RELEASE_HOLD."""
    decided: bool
    begin_time: datetime
    next_action_time: datetime


class CommandQueries(Protocol):
    """Commands that are not at their end."""

    async def page(self, query: PageRequest) -> Page[OrderCommand]: ...
    async def of_order(self, order_id: str) -> Sequence[OrderCommand] | None:
        """Those of one buyer order; None when there is no such order."""


class OperateCommands:
    """For operators; whether the caller is one has been checked."""

    def __init__(self, units: Units, commands: UnitsOfWork[CommandQueries], cancel: CancelOrder, hold: HoldOrder) -> None:
        self._units = units
        self._commands = commands
        self._cancel = cancel
        self._hold = hold

    async def list(self, query: PageRequest) -> Page[OrderCommand]:
        """A page and the token of the next."""
        async with self._commands.reading() as commands:
            return await commands.page(query)

    async def drive(self, order_id: str) -> Sequence[OrderCommand]:
        """Drives what is unfinished of an order as the completer would; returns what still is."""
        for one in await self._of(order_id):
            async with self._units.reading() as work:
                cancel = await work.cancellations.get(one.order_key)
                hold = await work.holds.command(one.order_key)
            if one.type == "CANCEL":
                if cancel is not None and cancel.state != "FINISHED":
                    await self._cancel.run(cancel)
            elif hold is not None:
                await self._hold.drive(hold)
        return await self._of(order_id)

    async def _of(self, order_id: str) -> Sequence[OrderCommand]:
        async with self._commands.reading() as commands:
            found = await commands.of_order(order_id)
        if found is None:
            raise missing("order", order_id)
        return found
