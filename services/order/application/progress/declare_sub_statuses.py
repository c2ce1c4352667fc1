"""What the database has to be asked about sub-statuses that are created or changed."""

from __future__ import annotations

from libs.errors import Violations
from libs.resource.contract import Items
from services.order.application.ports import OrderWork
from services.order.domain.sub_statuses import MAX_SUB_STATUSES
from waybill.order.v1 import reasons


async def of_created(work: OrderWork, found: Violations, items: Items) -> None:
    """No more than there may be, and one initial of each status."""
    number = await work.sub_statuses.number()
    for i, (where, _) in enumerate(items):
        fits = number + i < MAX_SUB_STATUSES
        found.require(where, fits, reasons.TOO_MANY_SUB_STATUSES, f"at most {MAX_SUB_STATUSES} sub-statuses")
    await of_changed(work, found, items)


async def of_changed(work: OrderWork, found: Violations, items: Items) -> None:
    """One initial of each status."""
    if not any(values["initial"] for _, values in items):
        return
    taken = await work.sub_statuses.initials()
    for where, values in items:
        if not values["initial"]:
            continue
        holder = taken.setdefault(values["status"], values["id"])
        free = holder == values["id"]
        found.require(f"{where}.initial", free, reasons.SUB_STATUS_INITIAL_TAKEN, f"{holder} is the initial one of the status")
