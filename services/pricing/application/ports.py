"""What pricing needs from outside."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from libs.idempotency.key import RequestKey
from libs.query.request import Page, PageRequest
from libs.service.unit_of_work import UnitsOfWork
from services.pricing.domain.promotions.asked import Asked, Known
from services.pricing.domain.promotions.assignment import PromotionAssignment
from services.pricing.domain.promotions.conditions import Standing
from services.pricing.domain.promotions.terms import Holder
from services.pricing.domain.promotions.uses import Limits
from services.pricing.domain.schedules.assignment import Assignment, Key
from services.pricing.domain.schedules.cost import CostsByProduct, Spot
from services.pricing.domain.schedules.floor import Floors
from services.pricing.domain.schedules.schedule import Schedule, SchedulesByProduct
from services.pricing.domain.schedules.supply import Supplied
from services.pricing.domain.tax.rates import Destination, Rates


@dataclass(frozen=True, slots=True)
class Priced:
    """The price schedules that hold for each product, and whether suppliers have any cost schedule at all."""

    schedules: SchedulesByProduct
    costed: bool = True


class PriceStore(Protocol):
    """Schedules and rates, for whole orders."""

    async def priced(
        self, buyer_id: str, groups: Collection[str], products: Collection[str], variants: Collection[str] | None = ()
    ) -> Priced:
        """As `schedules`, in the same one statement."""
        ...

    async def schedules(
        self, buyer_id: str, groups: Collection[str], products: Collection[str], variants: Collection[str] | None = ()
    ) -> SchedulesByProduct:
        """The schedules that hold for each product, and for those of these variants that have their own; None is all variants.
        They are those of the buyer's groups, else the buyer's, else the default."""

    async def priced_by_group(self, buyer_id: str, products: Collection[str]) -> bool:
        """Whether any group of the buyer has a price of its own for any of the products."""

    async def rates(self, places: Collection[Destination], classes: Collection[str], now: datetime) -> Rates:
        """All rates of these classes that can hold at these places now."""

    async def any_rate(self) -> bool:
        """Whether anything is taxed anywhere, at any time."""


class AssignmentStore(Protocol):
    """Which schedule prices which product. Rows are written in the order of their keys."""

    async def schedules(self, ids: Collection[str], owner: str = "") -> Mapping[str, Schedule]:
        """Those of the schedules that exist, of the owner if there is one, locked against removal and change, and for an owner
        against others who would assign them."""
        ...

    async def put(self, assignments: Sequence[Assignment], now: datetime) -> None: ...
    async def remove(self, keys: Sequence[Key], now: datetime, owner: str = "") -> None:
        """Ends those that stand; with an owner those that lead to its schedules."""

    async def priced_by(self, schedule_id: str, limit: int) -> Sequence[str]:
        """The products that a schedule prices, for whomever, each once, at most so many."""
        ...

    async def overfull(self, schedule_ids: Collection[str], limit: int) -> Collection[str]:
        """Those of the schedules that price more products than that."""
        ...


class FloorStore(Protocol):
    """Floors, for many products at once."""

    async def of(self, products: Collection[str]) -> Floors:
        """All floors of these products."""
        ...

    async def below(self, schedule_id: str, currency: str) -> Mapping[str, int]:
        """By product, the floors in a currency of what a schedule prices; micros."""
        ...


class CostStore(Protocol):
    """Cost schedules, for many products at once."""

    async def spots(self, products: Collection[str]) -> Collection[Spot]:
        """Where these products have cost schedules."""
        ...

    async def of(self, products: Collection[str], suppliers: Collection[str], currency: str) -> CostsByProduct:
        """The schedules of these products at these suppliers, in the currency."""
        ...

    async def costed(self, supplier: str, products: Collection[str]) -> Collection[str]:
        """Those of the products that the supplier has a cost schedule for."""
        ...


class PromotionStore(Protocol):
    """Promotions beside the standard methods, and who may use them. Rows are written in the order of their ids."""

    async def active(self, codes: Collection[str]) -> Mapping[Holder, str]:
        """Ids of active promotions with these codes, by owner and code."""
        ...

    async def known(self, ids: Collection[str], owner: str = "") -> Collection[str]:
        """Those of the promotions that exist, of the owner if there is one, locked against removal."""
        ...

    async def assign(self, assignments: Sequence[PromotionAssignment], now: datetime) -> None: ...
    async def unassign(self, assignments: Sequence[PromotionAssignment], now: datetime, owner: str = "") -> None:
        """Ends those that stand; with an owner those of its promotions."""


class AskedPromotionStore(Protocol):
    """Promotions that orders ask for."""

    async def known(self, asked: Asked, now: datetime) -> Sequence[Known]:
        """Those that are kept, in the order of their ids."""
        ...

    async def any_automatic(self) -> bool:
        """Whether any is active that nobody has to enter."""
        ...


class UseStore(Protocol):
    """Which attempts use which promotions, and how many orders do."""

    async def take(
        self, key: uuid.UUID, attempt: int, promotions: Collection[str], user_key: str
    ) -> Mapping[str, tuple[Limits, Standing]]:
        """Notes what a new attempt uses, counted by nobody yet; what stands of each by the others, locked until the end."""
        ...

    async def count(self, key: uuid.UUID, attempt: int, before: str, after: str) -> None:
        """Counts what an attempt uses as its state has changed; a new one comes from the empty state."""
        ...


class ReservationStore(Protocol):
    """What attempts to submit hold."""

    async def reserve(self, key: uuid.UUID, attempt: int, expire: datetime, now: datetime) -> bool:
        """Makes it; False when the attempt has a state already."""
        ...

    async def end(self, key: uuid.UUID, attempt: int, state: str, now: datetime) -> tuple[str, bool]:
        """Moves RESERVED on, or leaves a tombstone; the state that stands, and whether something reserved has come to it now."""
        ...

    async def state(self, key: uuid.UUID, attempt: int) -> str: ...
    async def void(self, key: uuid.UUID, now: datetime) -> Mapping[int, str]:
        """Voids what the attempts of an order hold or have taken; the states that they were in."""
        ...

    async def expired(self, now: datetime, limit: int) -> list[tuple[uuid.UUID, int]]:
        """Those past their time, the oldest first."""


class RequestStore(Protocol):
    """Recorded requests."""

    async def claim(self, request: RequestKey | None, now: datetime) -> bool:
        """Records the request; False when it was made before. A request without an id is always new."""
        ...


class PricingWork(Protocol):
    """Pricing's stores in one transaction."""

    @property
    def prices(self) -> PriceStore: ...
    @property
    def assignments(self) -> AssignmentStore: ...
    @property
    def floors(self) -> FloorStore: ...
    @property
    def costs(self) -> CostStore: ...
    @property
    def promotions(self) -> PromotionStore: ...
    @property
    def asked_promotions(self) -> AskedPromotionStore: ...
    @property
    def uses(self) -> UseStore: ...
    @property
    def reservations(self) -> ReservationStore: ...
    @property
    def requests(self) -> RequestStore: ...


Units = UnitsOfWork[PricingWork]


class AssignmentLists(Protocol):
    """Reads which schedule prices which product."""

    async def of_products(self, product_ids: Sequence[str], owner: str = "") -> Sequence[Assignment]:
        """Of these products, by product, buyer and group; with an owner, defaults that lead to its schedules."""
        ...

    async def page(self, request: PageRequest, bound: Mapping[str, str], owner: str = "") -> Page[Assignment]:
        """A page of the same, and the token of the next; `bound` is what else the token belongs to."""
        ...


class UseCounts(Protocol):
    """Reads how many orders have used promotions."""

    async def confirmed(self, ids: Collection[str]) -> Mapping[str, int]:
        """By promotion; of one that is not here no order has."""
        ...


class PromotionAssignmentLists(Protocol):
    """Reads who may use which promotion."""

    async def page(self, request: PageRequest, bound: Mapping[str, str], owner: str = "") -> Page[PromotionAssignment]:
        """A page; with an owner, of assignments of its promotions. `bound` is what else the token belongs to."""
        ...


class FloorLists(Protocol):
    """Reads floors."""

    async def of_products(self, product_ids: Collection[str]) -> Sequence[object]:
        """Of these products, by product and currency, as messages."""
        ...


class SupplierProducts(Protocol):
    """The catalog, which knows what suppliers own and may do."""

    async def of(self, supplier_id: str, product_ids: Collection[str]) -> Supplied:
        """What it says of these products, at most 5,000; raises when it does not answer."""
        ...


class Memberships(Protocol):
    """The directory, which knows who is in which group."""

    async def group_ids(self, user_id: str) -> Collection[str]:
        """The groups that the user is in now; raises when the directory does not answer."""
        ...


class Shop(Protocol):
    """The catalog, which knows who is shown what."""

    async def shown(self, product_ids: Collection[str], buyer_id: str, user_id: str) -> Collection[str]:
        """Those of the products that the buyer's user is shown; raises when the catalog does not answer."""
        ...


class Decisions(Protocol):
    """The order service, which alone decides about attempts."""

    async def resolve(self, key: uuid.UUID, attempt: int) -> str:
        """TRYING, ACCEPTED or REFUSED; raises when it does not answer."""


@dataclass(frozen=True, slots=True)
class Held:
    """A reservation, and how often asking about it has failed in a row."""

    order_key: uuid.UUID
    attempt: int
    state: str
    tried: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Census:
    """The whole database at one moment, as far as its invariants need it."""

    rows: Mapping[str, int]
    """By table."""
    dangling: tuple[tuple[Key, str], ...]
    """Assignments of schedules that do not exist."""
    misordered: tuple[str, ...]
    """Schedules whose breaks cannot be."""
    misordered_costs: tuple[str, ...]
    """Cost schedules whose breaks cannot be."""
    rates_out_of_range: tuple[str, ...]
    unknown_states: tuple[Held, ...]
    """Reservations in a state that there is not."""
    lost_promotions: tuple[PromotionAssignment, ...] = ()
    """Assignments of promotions that do not exist."""


class CensusStore(Protocol):
    """Reads the database for the inspection."""

    async def take(self) -> Census:
        """One snapshot."""

    async def reservations(self, order_keys: Sequence[str]) -> Sequence[Held]:
        """What is reserved or confirmed for these orders."""

    def stated(self) -> AsyncIterator[Held]:
        """What is reserved or confirmed, in the order of the orders' keys, a part at a time."""
        ...
