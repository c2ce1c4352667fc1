"""What the use cases need from outside: the stores that a transaction carries, and the other contexts. Adapters fulfil
these.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from libs.errors import Use
from libs.idempotency.key import RequestKey
from libs.json_value import JsonObject
from libs.query.request import Page, PageRequest
from libs.relay.delivery import Head, Outcome
from services.fulfillment.domain.shipments.shipment import Shipment
from services.fulfillment.domain.sourcing.model import Address, Costs, Sku, Stock, Supply
from services.fulfillment.domain.sourcing.reservation import Freeze, Kind, Reservation, ReservationState
from services.fulfillment.domain.stock.inventory import InventoryRecord, LedgerEntry
from services.fulfillment.domain.stock.ledger import Effect, Movement
from services.fulfillment.domain.stock.thresholds import StockAlert
from services.fulfillment.domain.stock.waiting import Held, Source, Wait
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder
from services.fulfillment.domain.visibility import Scope

XpEdit = Callable[[JsonObject], JsonObject]
"""Merges a patch into the stored xp; raises when the result is too large."""


class StockStore(Protocol):
    """Inventory records and their ledger."""

    async def of_products(self, product_ids: Iterable[str]) -> list[Stock]:
        """All stock of the products and of their variants, in the order of the keys."""

    async def of_skus(self, skus: Iterable[Sku], lock: bool = False) -> list[Stock]:
        """All stock of exactly these, in the order of the keys."""

    async def of_ids(self, record_ids: Iterable[str], lock: bool = False) -> list[Stock]:
        """Stock by public id."""

    async def of_keys(self, keys: Iterable[UUID], lock: bool = False) -> list[Stock]:
        """Stock by key."""

    async def book(
        self, movements: Sequence[Movement], sums: Mapping[UUID, Effect], now: datetime, watched: Collection[UUID] | None = None
    ) -> None:
        """Adds movements to the ledger and their sums to the counters, and alerts of thresholds crossed. `watched`: the records
        that have a threshold, where the caller has read that under lock."""

    async def records(self, record_ids: Iterable[str], lock: bool = False) -> dict[str, InventoryRecord]:
        """Whole records by public id."""

    async def insert(self, records: Sequence[InventoryRecord]) -> None:
        """Adds records with empty counters."""

    async def update(self, r: InventoryRecord, *, moved: bool) -> None:
        """Stores what may be edited; `moved` when it has another address."""

    async def uses(self, key: UUID) -> list[Use]:
        """Attempts that hold units of a record, and orders that were ever given some."""

    async def delete(self, r: InventoryRecord, body: JsonObject, now: datetime) -> None:
        """Removes a record and its ledger; its id stays taken, and the feed keeps `body`."""

    async def deleted(self, record_ids: Iterable[str]) -> set[str]:
        """Those of the ids that are taken by records that were deleted."""


class ReservationStore(Protocol):
    """Reservations of attempts."""

    async def claim(self, r: Reservation, now: datetime) -> bool:
        """Adds one; False when the attempt has one already."""

    async def get(self, order_key: str, attempt: int, lock: bool = False) -> Reservation | None:
        """That of an attempt."""

    async def confirmed(self, order_key: str) -> Reservation | None:
        """The order's confirmed one, locked: it guards the set of the order's supplier orders."""

    async def changing(self, order_key: str) -> bool:
        """Whether a change of the order is tried and neither applied nor released."""

    async def end(
        self,
        r: Reservation,
        state: ReservationState,
        now: datetime,
        order_xp: JsonObject | None = None,
        accept_within: timedelta | None = None,
        costs: Costs | None = None,
    ) -> None:
        """Moves a locked one to its final state; a confirmed one keeps the buyer order's xp, how long suppliers have to
        answer, and what they are paid.
        """

    async def set_held(self, order_key: str, held: bool, version: int, now: datetime) -> bool:
        """Notes a hold, or its end, on every attempt; False when a newer decision is known."""

    async def set_freeze(self, order_key: str, freeze: Freeze, now: datetime) -> None:
        """Notes a cancel's decision on every attempt of the order."""

    async def due(self, now: datetime, next_check: datetime, limit: int) -> list[tuple[str, int, Kind]]:
        """Attempts whose end is overdue, taken until `next_check`."""


class SupplierOrderStore(Protocol):
    """Supplier orders with lines and allocations."""

    async def of_ids(self, ids: Iterable[str], lock: bool = False) -> list[SupplierOrder]:
        """By public id, in the order of the keys."""

    async def of_keys(self, keys: Iterable[UUID], lock: bool = False) -> list[SupplierOrder]:
        """By key."""

    async def of_orders(self, order_keys: Iterable[str], lock: bool = False) -> list[SupplierOrder]:
        """All of some buyer orders."""

    async def deliverable(self, now: datetime, limit: int) -> Mapping[UUID, bool]:
        """Some that can be delivered from by now, without a shipment: their units are open, and stock of theirs is there.
        With each, whether its delivery failed when it was last tried; one that waits to be tried again is left out.
        """

    async def unanswered(self, now: datetime, limit: int) -> list[UUID]:
        """Keys of some that their suppliers have not answered in time, the longest overdue first."""

    async def insert(self, orders: Sequence[SupplierOrder], now: datetime) -> None:
        """Adds them."""

    async def save(self, orders: Sequence[SupplierOrder], now: datetime) -> None:
        """Stores headers."""

    async def save_units(self, before: Mapping[UUID, SupplierOrder], orders: Sequence[SupplierOrder], now: datetime) -> None:
        """Stores headers, and packed and shipped units of changed lines."""

    async def replace(self, orders: Sequence[SupplierOrder], now: datetime) -> None:
        """Stores headers and all lines anew."""


class ShipmentStore(Protocol):
    """Shipments with items."""

    async def get(self, id: str, lock: bool = False) -> Shipment | None:
        """By public id."""

    async def taken(self, ids: Iterable[str]) -> set[str]:
        """Which of the public ids are in use."""

    async def of_orders(self, order_keys: Iterable[str]) -> list[Shipment]:
        """All that hold units of some buyer orders."""

    async def of_keys(self, keys: Iterable[UUID]) -> list[Shipment]:
        """By key."""

    async def of_ids(self, ids: Iterable[str]) -> list[Shipment]:
        """By public id."""

    async def insert(self, made: Sequence[Shipment], now: datetime) -> None:
        """Adds them."""

    async def packed(self, order_key: str) -> list[Shipment]:
        """Those that hold units of a buyer order and have not left, locked in the order of their keys."""

    async def save(self, s: Shipment, now: datetime) -> None:
        """Stores the header."""

    async def save_items(self, changed: Sequence[Shipment], now: datetime) -> None:
        """Stores headers, and all items anew."""


class WaitingStore(Protocol):
    """Which units wait for stock, as it is shown."""

    async def changed(self, limit: int) -> list[UUID]:
        """Keys of records that units wait for, or waited for, and that have moved or were edited since that was shown."""

    async def held(self, records: Iterable[UUID]) -> list[Held]:
        """Open units of records: by record, those of the order that was submitted first coming first."""

    async def sources(self, records: Iterable[UUID], lock: bool = False) -> dict[UUID, Source]:
        """Records; with `lock` in the order of their keys."""

    async def show(self, waits: Mapping[Held, Wait], looked: Mapping[UUID, Source], waiting: Mapping[UUID, int]) -> None:
        """Stores what is shown of allocations, and that the records were looked at, with how many units wait for each."""


class Lists(Protocol):
    """Lists for callers; each gives the page and the token of the next."""

    async def records(self, scope: Scope, page: PageRequest) -> Page[InventoryRecord]:
        """Inventory records."""

    async def movements(self, scope: Scope, page: PageRequest) -> Page[LedgerEntry]:
        """The ledger."""

    async def alerts(self, scope: Scope, page: PageRequest) -> Page[StockAlert]:
        """Thresholds that were crossed."""

    async def supplier_orders(self, scope: Scope, page: PageRequest) -> Page[SupplierOrder]:
        """Supplier orders. A page may hold fewer than asked for, so that its lines do not become too many."""

    async def supplier_order_counts(self, scope: Scope, filter: str) -> Mapping[str, int]:
        """How many supplier orders there are, by status; statuses that do not occur are absent."""
        ...

    async def shipments(self, scope: Scope, page: PageRequest, order_id: str) -> Page[Shipment]:
        """Shipments, as bounded by their items."""

    async def fitting_orders(self, order_keys: Iterable[str]) -> tuple[list[str], list[str]]:
        """The buyer orders whose supplier orders and shipments fit into one answer, and the others."""


class RequestStore(Protocol):
    """Outcomes of idempotent requests."""

    async def claim(self, request: RequestKey | None, now: datetime, made: Sequence[str] = ()) -> Sequence[str] | None:
        """Records the ids of what the request makes; or returns those of an earlier call, and then nothing must be done.

        `request` is None when the caller gave no request id.
        """


class ReportStore(Protocol):
    """What the order service has not acknowledged."""

    async def take(self, now: datetime, until: datetime, limit: int) -> list[Head]:
        """Supplier orders and shipments to report, at most `limit` of each, this relay's until `until`."""

    async def acknowledge(self, orders: Mapping[UUID, int], sent: Mapping[UUID, int]) -> None:
        """Notes the versions that the order service has."""

    async def give_back(self, outcome: Outcome, now: datetime) -> None:
        """Parks or postpones what failed, as far as it is still this relay's."""


class FulfillmentWork(Protocol):
    """One transaction of the fulfillment database, with its stores."""

    @property
    def stock(self) -> StockStore:
        """Inventory records and their ledger."""

    @property
    def reservations(self) -> ReservationStore:
        """Reservations of attempts."""

    @property
    def orders(self) -> SupplierOrderStore:
        """Supplier orders."""

    @property
    def shipments(self) -> ShipmentStore:
        """Shipments."""

    @property
    def waiting(self) -> WaitingStore:
        """Which units wait for stock."""

    @property
    def lists(self) -> Lists:
        """What callers list."""

    @property
    def requests(self) -> RequestStore:
        """Outcomes of idempotent requests."""

    @property
    def reports(self) -> ReportStore:
        """What the order service has not acknowledged."""


class OrderPeer(Protocol):
    """The order service."""

    async def report(self, orders: Sequence[SupplierOrder], sent: Sequence[Shipment], patience: float) -> set[str]:
        """Sends it whole states, waits `patience` seconds; returns keys of buyer orders it does not know."""

    async def resolve(self, order_key: str, attempt: int) -> str:
        """What became of an attempt: TRYING, ACCEPTED or REFUSED."""


class ProductPeer(Protocol):
    """The catalog, which knows who may fulfill products."""

    async def supplied(self, product_ids: Collection[str]) -> Mapping[str, Supply]:
        """How products are supplied, by id; unknown ones are left out."""
        ...

    async def fulfilled(self, supplier_id: str, product_ids: Collection[str]) -> Collection[str]:
        """Of these products those that a supplier may fulfill; raises when the catalog does not answer."""
        ...


class Memberships(Protocol):
    """The directory, which knows who is in which group."""

    async def group_ids(self, user_id: str) -> Collection[str]:
        """The groups that the user is in now; raises when the directory does not answer."""
        ...


class AddressPeer(Protocol):
    """The directory's address books."""

    async def find(self, refs: Iterable[tuple[str, str]], seller_id: str) -> Mapping[tuple[str, str], Address]:
        """Addresses by (supplier id, address id); the empty supplier id is the seller. Unknown ones are
        left out.
        """
