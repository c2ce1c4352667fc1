"""The stores that the use cases are given. What these keep is in `records`; what is asked of other contexts is in `peers`."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from libs.idempotency.key import RequestKey
from libs.query.request import Page, PageRequest
from libs.service.unit_of_work import UnitsOfWork
from services.order.application.records import (
    Attempt,
    Cancellation,
    Cart,
    CartKind,
    Deleted,
    Gone,
    HoldCommand,
    LineSum,
    OrderLine,
    Outcome,
    ShippedCapture,
    SupplierOrderView,
    Waiting,
)
from services.order.domain.approval.case import Case
from services.order.domain.approval.rounds import Approval, Round
from services.order.domain.approval.rules import ApprovalRule
from services.order.domain.approval.voters import Voter
from services.order.domain.checkout.worksheet import Worksheet
from services.order.domain.model import Event, Line, Order
from services.order.domain.progress.fulfillment import UnitCount
from services.order.domain.progress.unclaimed import Claim
from services.order.domain.reading.visibility import Direction, Scope
from services.order.domain.sub_statuses import SubStatus


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

    def claim(self, view: SupplierOrderView) -> Claim:
        """Whether its units are unclaimed, as last reported."""
        ...


class RoundStore(Protocol):
    """Rounds of approvals."""

    async def rules(self, buyer_id: str, key: uuid.UUID) -> tuple[tuple[ApprovalRule, ...], int]:
        """The active rules of a buyer, and the number of the order's newest round; 0 where there is none of either."""

    async def begin(self, key: uuid.UUID, case: Case) -> None: ...
    async def newest(self, key: uuid.UUID) -> Case | None: ...
    async def save(self, key: uuid.UUID, round: Round) -> None: ...
    async def withdraw(self, key: uuid.UUID, now: datetime) -> None:
        """What is pending of an order is not wanted any more."""

    async def of_order(self, key: uuid.UUID, limit: int) -> list[tuple[int, Approval]]:
        """All approvals of an order, each with its round."""
        ...

    async def pending(self, groups: Collection[str], voter: Voter, query: PageRequest) -> Page[Waiting]:
        """Pending approvals of groups, but of no order of the voter's own."""
        ...


class SubStatusStore(Protocol):
    """Statuses of the marketplace's own, and orders that enter them."""

    async def number(self) -> int: ...
    async def initials(self) -> dict[str, str]: ...
    async def known(self, ids: Sequence[str]) -> dict[str, SubStatus]: ...
    async def orders(self, ids: Sequence[str], scope: Scope) -> dict[str, Order]: ...
    async def save(self, made: Sequence[tuple[Order, Event]]) -> None: ...


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
    def rounds(self) -> RoundStore: ...
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
    def sub_statuses(self) -> SubStatusStore: ...
    @property
    def requests(self) -> RequestStore: ...


Units = UnitsOfWork[OrderWork]
