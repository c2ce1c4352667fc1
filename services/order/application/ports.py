"""What the use cases keep, and need of whatever keeps it. What they ask of other contexts is in `peers`."""

# Long because it is one list: every store that the use cases are given, with its methods.
from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType, Protocol, TypedDict

from libs.idempotency.key import RequestKey
from libs.json_value import JsonObject
from libs.query.request import Page, PageRequest
from libs.service.unit_of_work import UnitsOfWork
from services.order.domain.checkout.worksheet import Worksheet
from services.order.domain.model import CanceledAmounts, Event, Line, Order, Problem
from services.order.domain.progress.fulfillment import UnitCount
from services.order.domain.reading.visibility import Direction, Scope

PaymentDocument = NewType("PaymentDocument", bytes)
"""A payment as the payment service's contract has it, a serialized waybill.payment.v1.Payment: handed on unread."""
RedirectDocument = NewType("RedirectDocument", bytes)
"""The payment service's message of an authorization that waits for its buyer; handed on as it is."""


@dataclass(frozen=True, slots=True)
class StartedPayment:
    """An authorization that waits for its buyer."""

    document: RedirectDocument
    begun: bool
    """Whether it was begun by the request that asked for it; else another had begun it."""


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
    """SUBMIT or CHANGE."""
    outcome: str = ""
    """What an accepted one has led to: OPENED or CHANGED."""
    change: OrderChange | None = None
    failures: int = 0
    """How often in a row driving it on has failed."""
    failure: str | None = None
    """What it failed by at last."""


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


class OrderIdTaken(Exception):
    """A new order has the public id of another one."""


class OrderIdOfDeleted(Exception):
    """A new order has the public id of one that was deleted not long ago."""


class OrderStore(Protocol):
    """Buyer orders, their lines, worksheets and history, and what has been reported of supplier orders."""

    async def find(self, order_id: str, scope: Scope, *, lock: bool = False) -> Order | None: ...
    async def by_key(self, key: uuid.UUID, *, lock: bool = False) -> Order | None: ...
    async def running(self, keys: Sequence[uuid.UUID], *, captured: bool = False) -> set[uuid.UUID]:
        """Which of these buyer orders have not ended; if `captured`, also those that have shipped what is not captured yet."""

    async def find_supplier_order(self, order_id: str, scope: Scope) -> SupplierOrderView | None: ...
    async def lines(self, key: uuid.UUID) -> tuple[Line, ...]: ...
    async def worksheet(self, key: uuid.UUID) -> Worksheet: ...
    async def insert(self, order: Order, lines: Sequence[Line], worksheet: Worksheet, events: Sequence[Event]) -> None:
        """A new order with all that belongs to it. Raises `OrderIdTaken`."""

    async def require_not_deleted(self, order_id: str) -> None:
        """Raises `OrderIdOfDeleted`. Asked after the insert, which waits for a deletion at the same time."""

    async def delete(self, gone: Sequence[Gone]) -> None:
        """Takes out orders that never opened and what belongs to them; their history stays, ends with the event, and keeps the
        last body. The number of statements does not grow with that of the orders."""

    async def save(self, before: Order, after: Order, events: Sequence[Event]) -> None: ...
    async def insert_lines(self, key: uuid.UUID, lines: Sequence[Line]) -> None: ...
    async def update_lines(self, key: uuid.UUID, lines: Sequence[Line]) -> None: ...
    async def delete_lines(self, key: uuid.UUID, line_ids: Sequence[str]) -> None: ...
    async def save_worksheet(self, key: uuid.UUID, worksheet: Worksheet) -> None: ...
    async def list_orders(
        self, scope: Scope, direction: Direction, query: PageRequest, bound: Mapping[str, str]
    ) -> Page[Order | SupplierOrderView]: ...
    async def count_orders(self, scope: Scope, filter: str) -> Mapping[str, int]:
        """How many the scope lets see, by status; statuses that do not occur are absent."""
        ...

    async def history(self, key: uuid.UUID, query: PageRequest) -> Page[Event]: ...


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


class DeletionStore(Protocol):
    """Orders that are gone."""

    async def unfinished(self, after: tuple[datetime, uuid.UUID] | None, limit: int) -> list[Deleted]:
        """Those of which payment may still have something, from those that follow the pair `after` of time and key."""
        ...

    async def finish(self, keys: Sequence[uuid.UUID]) -> None:
        """Notes that payment has nothing of these any more."""


class CartStore(Protocol):
    """Which orders are the carts of users who signed in. `user_id` is a user of the company `buyer_id`."""

    async def find(self, buyer_id: str, user_id: str) -> Cart | None:
        """The UNSUBMITTED order that is pinned, or else the newest that is the user's own."""

    async def begin(self, order: Order) -> bool:
        """Makes an order that was just stored its user's cart, after all who do so at the same time; False when the user has
        one by now."""

    async def pin(self, order: Order) -> None:
        """Makes an order its user's cart. It is locked by the caller."""

    async def unpin(self, buyer_id: str, user_id: str) -> None: ...
    async def abandoned(
        self, kind: CartKind, before: datetime, after: tuple[datetime, uuid.UUID] | None, limit: int
    ) -> list[Order]:
        """Orders of a kind that were never submitted, last changed before a time, that no attempt is under way of; by the time of
        the change and the key, from those that follow the pair `after`."""
        ...

    async def lock(self, keys: Sequence[uuid.UUID]) -> list[Order]:
        """Those of the orders that may still be deleted, locked. What somebody else has locked is left out."""
        ...


class LineLists(Protocol):
    """Lines of buyer orders, filtered and ordered, and what they come to."""

    async def of_order(self, key: uuid.UUID, query: PageRequest) -> Page[Line]:
        """A page of one order's lines."""
        ...

    async def across(self, scope: Scope, direction: Direction, query: PageRequest, bound: Mapping[str, str]) -> Page[OrderLine]:
        """A page of the lines of all buyer orders that the scope lets see."""
        ...

    async def sums(self, scope: Scope, direction: Direction, query: PageRequest, bound: Mapping[str, str]) -> Page[LineSum]:
        """What those lines come to, by cost center and currency."""
        ...


class SubmissionStore(Protocol):
    """Attempts to submit or to change orders."""

    async def insert(self, attempt: Attempt) -> None: ...
    async def get(self, key: uuid.UUID, attempt: int, *, lock: bool = False) -> Attempt | None: ...
    async def decide(self, decided: Attempt) -> bool: ...
    async def finish(self, key: uuid.UUID, attempt: int) -> bool: ...
    async def postpone(self, key: uuid.UUID, attempt: int, until: datetime) -> None: ...
    async def any_due(self, now: datetime) -> bool: ...
    async def claim_due(self, now: datetime, until: datetime, limit: int) -> list[tuple[uuid.UUID, int]]: ...


class CancellationStore(Protocol):
    """Cancels of open orders on their way."""

    async def insert(self, row: Cancellation) -> bool: ...
    async def get(self, key: uuid.UUID) -> Cancellation | None: ...
    async def set_state(self, key: uuid.UUID, state: str) -> None: ...
    async def drop(self, key: uuid.UUID) -> None: ...
    async def any_due(self, now: datetime) -> bool: ...
    async def claim_due(self, now: datetime, until: datetime, limit: int) -> list[Cancellation]: ...


class HoldStore(Protocol):
    """Decisions about holds that fulfillment does not have yet: one command an order, the newest."""

    async def set_command(self, command: HoldCommand) -> None:
        """Replaces an older one."""

    async def command(self, key: uuid.UUID) -> HoldCommand | None: ...
    async def acknowledge(self, command: HoldCommand) -> None:
        """Ends a command, unless a newer one stands there by now."""

    async def any_due(self, now: datetime) -> bool: ...
    async def claim_due(self, now: datetime, until: datetime, limit: int) -> list[HoldCommand]:
        """Commands that nobody is driving; they are this caller's until `until`."""


class CaptureStore(Protocol):
    """What is captured on shipment: one row an order from its first shipment on."""

    async def set_values(self, values: Mapping[uuid.UUID, int], now: datetime) -> None:
        """What has shipped of orders, which are locked; those of which that is known already stay as they are."""

    async def finish(self, row: ShippedCapture) -> None:
        """Notes that all of it is taken, unless more has shipped by now."""

    async def postpone(self, row: ShippedCapture, until: datetime) -> None:
        """Payment is asked again at that time, unless more has shipped by now."""

    async def any_due(self, now: datetime) -> bool: ...
    async def claim_due(self, now: datetime, until: datetime, limit: int) -> list[ShippedCapture]:
        """Those that nobody is driving; they are this caller's until `until`."""


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


class ReportStore(Protocol):
    """What fulfillment has reported."""

    async def orders(self, keys: Sequence[uuid.UUID]) -> list[Order]: ...
    async def lines_of(self, keys: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[Line, ...]]: ...
    async def supplier_orders(self, parents: Collection[uuid.UUID]) -> list[SupplierOrderView]: ...
    async def shipments(self, parents: Collection[uuid.UUID]) -> list[tuple[uuid.UUID, str, int, bytes]]: ...
    async def save_supplier_orders(self, rows: Sequence[Mapping[str, object]]) -> None: ...
    async def save_shipments(self, rows: Sequence[tuple[uuid.UUID, str, int, bytes]], now: datetime) -> None: ...
    async def save_many(
        self, orders: Sequence[Order], lines: Mapping[uuid.UUID, Sequence[Line]], happened: Sequence[Event]
    ) -> None: ...
    def counts(self, view: SupplierOrderView) -> tuple[UnitCount, ...]:
        """Units per line of a supplier order as last reported."""
        ...

    def shipped(self, view: SupplierOrderView) -> int:
        """What is due for its units that have shipped, as last reported."""


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


class RequestStore(Protocol):
    """Outcomes of idempotent requests."""

    async def find(self, request: RequestKey | None) -> Outcome | None: ...
    async def claim(self, request: RequestKey | None, outcome: Outcome, now: datetime) -> Outcome | None: ...


class OrderWork(Protocol):
    """The order service's stores in one transaction."""

    @property
    def orders(self) -> OrderStore: ...
    @property
    def carts(self) -> CartStore: ...
    @property
    def deletions(self) -> DeletionStore: ...
    @property
    def line_lists(self) -> LineLists: ...
    @property
    def submissions(self) -> SubmissionStore: ...
    @property
    def cancellations(self) -> CancellationStore: ...
    @property
    def holds(self) -> HoldStore: ...
    @property
    def captures(self) -> CaptureStore: ...
    @property
    def reports(self) -> ReportStore: ...
    @property
    def requests(self) -> RequestStore: ...


Units = UnitsOfWork[OrderWork]
