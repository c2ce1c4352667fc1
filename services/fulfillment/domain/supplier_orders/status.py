"""Where a supplier order stands: the table of moves, and the one function that derives a status from
quantities.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from libs.errors import precondition
from waybill.fulfillment.v1 import reasons


class SupplierOrderStatus(StrEnum):
    """Values of waybill.fulfillment.v1.SupplierOrderStatus without the prefix."""

    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    COMPLETED = "COMPLETED"
    REJECTED = "REJECTED"
    FROZEN = "FROZEN"
    CANCELED = "CANCELED"


class Trigger(StrEnum):
    """What moves a supplier order."""

    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    SHIP = "SHIP"
    FINISH = "FINISH"
    MOVE_UNITS = "MOVE_UNITS"
    FREEZE = "FREEZE"
    UNFREEZE = "UNFREEZE"
    CANCEL = "CANCEL"


S, T = SupplierOrderStatus, Trigger

INITIAL = frozenset({S.OPEN, S.COMPLETED, S.FROZEN, S.CANCELED})
"""How one can begin: COMPLETED when nothing has to be shipped and all is delivered, FROZEN or CANCELED when the cancel
came first.
"""

FORMER = "FORMER"
"""Target of UNFREEZE: the status that the freeze remembered."""

TRANSITIONS: dict[tuple[SupplierOrderStatus, Trigger], SupplierOrderStatus | str] = {
    (S.OPEN, T.ACCEPT): S.ACCEPTED,
    (S.OPEN, T.REJECT): S.REJECTED,
    (S.OPEN, T.SHIP): S.ACCEPTED,
    (S.OPEN, T.FINISH): S.COMPLETED,
    (S.OPEN, T.MOVE_UNITS): S.CANCELED,
    (S.OPEN, T.FREEZE): S.FROZEN,
    (S.OPEN, T.CANCEL): S.CANCELED,
    (S.ACCEPTED, T.ACCEPT): S.ACCEPTED,
    (S.ACCEPTED, T.REJECT): S.REJECTED,
    (S.ACCEPTED, T.SHIP): S.ACCEPTED,
    (S.ACCEPTED, T.FINISH): S.COMPLETED,
    (S.ACCEPTED, T.MOVE_UNITS): S.CANCELED,
    (S.ACCEPTED, T.FREEZE): S.FROZEN,
    (S.ACCEPTED, T.CANCEL): S.CANCELED,
    (S.COMPLETED, T.MOVE_UNITS): S.CANCELED,
    (S.FROZEN, T.FREEZE): S.FROZEN,
    (S.FROZEN, T.UNFREEZE): FORMER,
    (S.FROZEN, T.CANCEL): S.CANCELED,
    (S.CANCELED, T.CANCEL): S.CANCELED,
}
"""Every allowed move; what is not here is SUPPLIER_ORDER_STATUS_CONFLICT. REJECTED and CANCELED are final."""


def move(supplier_order_id: str, status: SupplierOrderStatus, trigger: Trigger) -> SupplierOrderStatus:
    """The status after the trigger; raises SUPPLIER_ORDER_STATUS_CONFLICT. UNFREEZE is the caller's own
    look-up.
    """
    target = TRANSITIONS.get((status, trigger))
    if target is None:
        raise precondition(
            reasons.SUPPLIER_ORDER_STATUS_CONFLICT,
            f"Supplier order {supplier_order_id} is {status}: {trigger.lower()} is not possible.",
            supplier_order=supplier_order_id,
            status=status.value,
        )
    return SupplierOrderStatus(target)


class Units(Protocol):
    """Quantities of one line."""

    @property
    def quantity(self) -> int:
        """Units of the line."""

    @property
    def shipped(self) -> int:
        """Units that have left."""

    @property
    def canceled(self) -> int:
        """Units that will not."""


def derived(lines: Sequence[Units], accepted: bool) -> SupplierOrderStatus:
    """The status that the quantities and the acceptance alone make.

    Decisions (reject, freeze, move) stand above it.
    """
    if any(line.quantity - line.shipped - line.canceled for line in lines):
        return S.ACCEPTED if accepted else S.OPEN
    return S.COMPLETED if any(line.shipped for line in lines) else S.CANCELED
