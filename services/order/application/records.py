"""What the stores keep and give back, in this service's own words."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType, TypedDict

from libs.json_value import JsonObject
from services.order.domain.approval.case import Case, Given
from services.order.domain.approval.rounds import Approval
from services.order.domain.model import CanceledAmounts, Event, Line, Order, Problem
from services.order.domain.progress.fulfillment import UnitCount
from services.order.domain.progress.unclaimed import Claim

PaymentDocument = NewType("PaymentDocument", bytes)
"""A payment as the payment service's contract has it, a serialized waybill.payment.v1.Payment: handed on unread."""


@dataclass(frozen=True, slots=True)
class SupplierOrderView:
    """A supplier order as last reported."""

    key: uuid.UUID
    id: str
    parent_key: uuid.UUID
    supplier_id: str
    seller_id: str
    status: str
    supplier_status: str
    """Where it stands in its own life, such as ACCEPTED."""
    version: int
    source_version: int
    document: bytes
    """The report itself: a serialized waybill.fulfillment.v1.SupplierOrder."""
    moved: bool = False
    """Whether it is the seller's implicit one of an order that was forwarded since: it has no units any more."""


@dataclass(frozen=True, slots=True)
class OrderChange:
    """What a change of an open order is to do: its open units are given up."""

    what: str
    """COMPLETE, the seller's decision, or CANCEL_REST, a cancel that came after something had shipped."""
    comment: str = ""
    canceled: CanceledAmounts | None = None
    """What is canceled of the whole order with it; known once the try was good."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A row of the submission table: what drives an attempt to its end."""

    order_key: uuid.UUID
    attempt: int
    state: str
    finished: bool
    held: bool
    """Whether the tries may hold something that has to be confirmed or released."""
    caller: JsonObject
    """Claims of who submitted; never a token."""
    begin_time: datetime
    deadline: datetime
    next_action_time: datetime
    reasons: tuple[Problem, ...] = ()
    decide_time: datetime | None = None
    new_payments: tuple[PaymentDocument, ...] = ()
    """Payments to add with the try; only for a checkout done in one call."""
    kind: str = "SUBMIT"
    """SUBMIT, CHANGE or APPROVE."""
    outcome: str = ""
    """What an accepted one has led to: OPENED, CHANGED or AWAITING_APPROVAL."""
    change: OrderChange | None = None
    case: Case | None = None
    """The approvals that the order wants when it is submitted, where a rule of its buyer holds."""
    given: Given | None = None
    """The approvals that one of kind APPROVE gives."""
    failures: int = 0
    """How often in a row driving it on has failed."""
    failure: str | None = None
    """What it failed by at last."""

    @property
    def prices_hold(self) -> bool:
        """Whether the order opens at the prices that were approved, whatever they are by now."""
        return self.given is not None and self.given.prices_hold(self.begin_time)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An approval that waits for somebody, with its order and round."""

    order: Order
    round: int
    approval: Approval


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A cancel of an open order on its way."""

    order_key: uuid.UUID
    state: str
    """FREEZING, DECIDED or FINISHED."""
    caller: JsonObject
    """Claims of who cancels."""
    comment: str
    next_action_time: datetime
    begin_time: datetime | None = None
    """None for one that an older build began."""
    failures: int = 0
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class HoldCommand:
    """What fulfillment has to know about an order: whether it is on hold, as decided at a version of the order."""

    order_key: uuid.UUID
    held: bool
    version: int
    begin_time: datetime
    next_action_time: datetime
    failures: int = 0
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class ShippedCapture:
    """What payments have to have taken for the units of an order that have shipped."""

    order_key: uuid.UUID
    currency: str
    value: int
    """What has shipped so far, in all."""
    number: int
    """How often that has changed."""
    begin_time: datetime
    """When it changed last."""
    next_action_time: datetime | None
    """When payment is asked; None once all of it is taken."""
    failures: int = 0
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line with what it is read with of its buyer order."""

    order_id: str
    currency: str
    is_submitted: bool
    line: Line


@dataclass(frozen=True, slots=True)
class LineSum:
    """What the lines of one cost center and one currency come to. Amounts are in micros."""

    cost_center: str
    currency: str
    lines: int
    quantity: int
    subtotal: int
    discount: int
    tax: int


@dataclass(frozen=True, slots=True)
class Cart:
    """The order that is a user's cart."""

    order: Order
    pinned: bool


class CartKind(StrEnum):
    """What decides for how long an order that is not submitted stays when nobody touches it."""

    EMPTY = "EMPTY"
    """It has no lines, whoever's it is."""
    GUEST = "GUEST"
    USER = "USER"


@dataclass(frozen=True, slots=True)
class Gone:
    """An order as its deletion leaves it, the last event of its history, and its last body."""

    order: Order
    event: Event
    body: JsonObject


@dataclass(frozen=True, slots=True)
class Deleted:
    """An order that is gone, of which payment may still have something."""

    key: uuid.UUID
    id: str
    version: int
    delete_time: datetime


@dataclass(frozen=True, slots=True)
class ReportedSupplierOrder:
    """The whole state of a supplier order at its version."""

    key: uuid.UUID
    id: str
    order_key: uuid.UUID
    supplier_id: str
    status: str
    """As fulfillment names it."""
    version: int
    implicit: bool
    counts: tuple[UnitCount, ...]
    claim: Claim
    row: Mapping[str, object]
    """Its columns in the read model, without `seller_id` and `version`."""
    shipped: int = 0
    """What is due for its units that have shipped."""


@dataclass(frozen=True, slots=True)
class ReportedShipment:
    """The whole state of a shipment at its version, as far as one buyer order is concerned."""

    order_key: uuid.UUID
    key: str
    id: str
    version: int
    shipped: bool
    document: bytes


@dataclass(frozen=True, slots=True)
class Reports:
    """What fulfillment reports at once."""

    supplier_orders: tuple[ReportedSupplierOrder, ...] = ()
    shipments: tuple[ReportedShipment, ...] = ()

    @classmethod
    def together(cls, reports: Sequence[Reports]) -> Reports:
        """What several answers report, as one."""
        return cls(tuple(s for r in reports for s in r.supplier_orders), tuple(s for r in reports for s in r.shipments))


class Outcome(TypedDict, total=False):
    """What is recorded of a request: where its effect is found. Each use case records what it needs for a repeat."""

    id: str
    """Of the order, where the request makes or updates it."""
    order: str
    """Of the order that it is about, elsewhere."""
    attempt: int
    """The number of the attempt that it began."""
    line_items: list[str]
    """The lines that it added or changed; recorded by older versions without."""
    price_problems: list[list[str]]
    """Why lines had no price: reason, context, subject and description of each; recorded by older versions without."""
