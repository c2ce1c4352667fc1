"""What the use cases keep, and need of whatever keeps it. Other contexts are in `peers`, gateways in `gateway/ports.py`."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from libs.auth import Principal
from libs.idempotency.key import RequestKey
from libs.query.request import Page, PageRequest
from libs.relay.delivery import Head
from libs.relay.delivery import Outcome as Delivery
from libs.service.unit_of_work import UnitsOfWork
from services.payment.domain.means.assignments import Key
from services.payment.domain.means.declared import DeclaredType
from services.payment.domain.means.declared import Key as TypeKey
from services.payment.domain.means.means import Account, Card, Demand, Payer
from services.payment.domain.money.ledger import Movement
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.transaction import Result, Transaction
from services.payment.domain.redirects.redirect import Redirect

Outcome = Mapping[str, Sequence[str]]
"""What is recorded of a request: the ids of what it made, or nothing."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """A deletion of an order that payment was asked to take part in."""

    version: int = 0
    """The newest version at which the order was to be deleted; 0 for none."""
    took: bool = False
    """Whether payments went for it, and none has come since."""


class PaymentStore(Protocol):
    """Payments and their transactions."""

    async def of_order(self, key: uuid.UUID, *, lock: bool = False) -> list[Payment]: ...
    async def of_orders(self, keys: Collection[uuid.UUID], *, lock: bool = False) -> list[Payment]: ...
    async def of_ids(self, ids: Collection[str]) -> list[Payment]: ...
    async def get(self, payment_id: str, *, lock: bool = False) -> Payment | None: ...
    async def insert(self, payments: Sequence[Payment]) -> None:
        """Raises `RESOURCE_EXISTS` when an id was taken meanwhile."""

    async def require_free(self, ids: Collection[str]) -> None:
        """Raises `RESOURCE_EXISTS` when an id is taken."""

    async def of_order_or_taken(self, key: uuid.UUID, ids: Collection[str]) -> tuple[list[Payment], set[str]]:
        """Payments of an order, locked; and those of the ids that some payment has."""

    async def save(self, payments: Sequence[Payment]) -> None: ...
    async def edit(self, payment: Payment) -> None:
        """Writes what its people may change of a payment, and what follows from that."""

    async def remove(self, payment_ids: Sequence[str], now: datetime) -> None:
        """With their transactions."""

    async def add_transactions(self, rows: Sequence[Transaction]) -> None: ...
    async def settle(
        self, id: str, result: Result, reference: str, message: str, now: datetime, expire: datetime | None = None
    ) -> bool:
        """Writes the result of a pending transaction; False when it is known already."""

    async def take_over_refunds(self, payment_ids: Collection[str]) -> None:
        """Pending refunds of these payments are for the order's cancel from now on, whoever asked for them."""

    async def lowered(self, key: uuid.UUID, attempt: int, now: datetime) -> bool:
        """Notes that a change of an open order is applied; False when it, or a newer one, was before."""

    async def note_deletions(self, deletions: Mapping[uuid.UUID, Deletion], now: datetime, *, gone: bool = False) -> None:
        """Notes that orders are to be deleted as they stand at a version, or are `gone`. What is known to be taken stays so."""

    async def deletion(self, key: uuid.UUID) -> Deletion:
        """Whether the order was to be deleted."""
        ...

    async def note_paid_again(self, key: uuid.UUID, now: datetime) -> None:
        """Notes that payments have come in the place of those that a deletion took."""

    async def ended(self, keys: Collection[uuid.UUID]) -> set[uuid.UUID]:
        """Which of these orders are known to have ended."""

    async def note_ends(self, keys: Collection[uuid.UUID], now: datetime) -> None:
        """Notes that these orders have ended."""

    async def transactions(self, payment_ids: Collection[str]) -> list[Transaction]: ...
    async def lapsing(self, now: datetime, until: datetime, limit: int) -> set[uuid.UUID]:
        """Orders of payments for which something is to be done: one of their authorizations has lapsed, or what is due
        lapses until then and the order is not known to have ended."""

    async def claim_lapsing(self, key: uuid.UUID, now: datetime, until: datetime) -> list[Payment]:
        """Those payments, locked for the transaction; those that another replica has locked are left out."""

    async def any_due(self, now: datetime) -> bool: ...
    async def claim_due(self, now: datetime, again: datetime, limit: int) -> list[Transaction]:
        """Pending transactions whose gateway has to be asked; until `again` they are this replica's."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A payment that came to need attention, as it is reported to the order service."""

    key: uuid.UUID
    payment_id: str
    order_key: uuid.UUID
    version: int
    state: str
    message: str
    """What the gateway said last."""


class AlertStore(Protocol):
    """Payments that need attention, and whether the order service knows."""

    async def raise_for(self, payments: Sequence[Payment], now: datetime) -> None:
        """Writes that the order service is to have a report; in the transaction of the change."""

    async def of_keys(self, keys: Collection[uuid.UUID]) -> list[Alert]: ...
    async def any_due(self, now: datetime) -> bool: ...
    async def take(self, now: datetime, until: datetime, limit: int) -> list[Head]: ...
    async def acknowledge(self, versions: Mapping[uuid.UUID, int]) -> None: ...
    async def give_back(self, outcome: Delivery, now: datetime) -> None: ...


class AttemptStore(Protocol):
    """Attempts to submit: RESERVED ends in CONFIRMED or RELEASED."""

    async def open(self, key: uuid.UUID, attempt: int, state: str, expire: datetime, now: datetime) -> str:
        """Writes the attempt and returns an empty text, or returns the state that stands there."""

    async def lock(self, key: uuid.UUID, now: datetime) -> None:
        """Lets one transaction at a time reserve or change the order's payments, also when it has none."""

    async def lock_all(self, keys: Collection[uuid.UUID], now: datetime) -> None:
        """The same of several orders."""

    async def live_of(self, keys: Collection[uuid.UUID]) -> Mapping[uuid.UUID, int]:
        """The attempts that hold or have taken the payments of several orders; others are absent."""
        ...

    async def live(self, key: uuid.UUID) -> int:
        """The attempt that holds or has taken the order's payments; 0 for none."""

    async def end(self, key: uuid.UUID, attempt: int, state: str, now: datetime) -> tuple[bool, str]:
        """Moves RESERVED on, or leaves the end of an unknown attempt. Returns whether it moved, and what stands."""

    async def end_all(self, key: uuid.UUID, state: str, now: datetime) -> None:
        """Moves every RESERVED attempt of the order on."""

    async def state(self, key: uuid.UUID, attempt: int) -> str: ...
    async def any_expired(self, now: datetime) -> bool: ...
    async def claim_expired(self, now: datetime, again: datetime, limit: int) -> list[tuple[uuid.UUID, int]]:
        """Reserved attempts past their time; until `again` they are this replica's."""


class RedirectStore(Protocol):
    """Authorizations that wait for their buyers."""

    async def of_order(self, key: uuid.UUID, *, lock: bool = False) -> list[Redirect]:
        """Those of an order, newest first."""
        ...

    async def of_payments(self, payment_ids: Collection[str]) -> list[Redirect]:
        """Those of some payments, oldest first; of none it is no statement."""
        ...

    async def get(self, id: str, *, lock: bool = False) -> Redirect | None: ...
    async def by_gateway_key(self, key: str) -> Redirect | None: ...
    async def insert(self, redirect: Redirect) -> None: ...
    async def save(self, redirects: Sequence[Redirect]) -> None: ...
    async def let_go(self, key: uuid.UUID, attempt: int, now: datetime) -> dict[str, str]:
        """What the attempt had taken over can be taken over by the next one; keys at the gateway, by payment."""
        ...

    async def end(self, payment_ids: Collection[str], now: datetime) -> None:
        """Whatever there is of payments that are removed is to be voided."""

    async def any_due(self, now: datetime) -> bool: ...
    async def claim_due(self, now: datetime, again: datetime, limit: int) -> list[Redirect]:
        """Those that something is to be done about; until `again` they are this replica's."""


class MeansStore(Protocol):
    """Spending accounts, cards and the ledger."""

    async def accounts(self, ids: Collection[str], payer: Payer | None = None, *, lock: bool = False) -> dict[str, Account]:
        """Accounts by id, with those of their assignments that count for the payer; without one with none."""
        ...

    async def remove_guests_cards(self, order_ids: Collection[str], now: datetime) -> None:
        """Removes cards that guests noted for these orders and that no payment names."""

    async def cards(self, ids: Collection[str], payer: Payer | None = None, *, lock: bool = False) -> dict[str, Card]:
        """Cards by id, with their assignments likewise; with `lock` none of them is deleted until the transaction ends."""
        ...

    async def hold(self, demands: Mapping[str, Demand], now: datetime) -> bool:
        """Reserves balances, all in one conditional update; False when one does not suffice."""

    async def post(self, movements: Sequence[Movement], now: datetime, freed: Mapping[str, int] | None = None) -> None:
        """Writes movements, changes balances by their sums, and frees what was reserved."""


class AssignmentStore(Protocol):
    """Who may pay with which account, and with which card of its company."""

    async def groups(self, buyer_id: str) -> set[str]:
        """Groups that an account or a card of the buyer is assigned to."""
        ...

    async def assign_accounts(self, rows: Mapping[Key, bool], now: datetime) -> list[str]:
        """Writes assignments with allow_exceed; returns accounts that do not exist, and stores nothing if there are any."""
        ...

    async def unassign_accounts(self, keys: Collection[Key], now: datetime) -> None:
        """Ends those that stand."""

    async def owners(self, card_ids: Collection[str]) -> dict[str, tuple[str, str]]:
        """Buyer and user of cards, by id; none of them is deleted or assigned by others until the transaction ends."""
        ...

    async def assign_cards(self, keys: Collection[Key], now: datetime) -> None:
        """Writes those that do not stand yet; their cards serve nobody else from now on."""

    async def unassign_cards(self, keys: Collection[Key], buyer_id: str | None, now: datetime) -> None:
        """Ends those that stand, of this buyer's cards unless it is None."""


class TypeStore(Protocol):
    """Types of payment that the marketplace declares, and who may pay with them."""

    async def of_ids(self, ids: Collection[str], payer: Payer | None = None, *, lock: bool = False) -> dict[str, DeclaredType]:
        """Types by id, with those of their assignments that count for the payer; with `lock` none of them is deleted or
        changed until the transaction ends."""
        ...

    async def assign(self, keys: Collection[TypeKey], now: datetime) -> list[str]:
        """Writes those that do not stand yet; their types serve nobody else from now on. Returns types that do not exist, and
        stores nothing if there are any."""
        ...

    async def unassign(self, keys: Collection[TypeKey], now: datetime) -> None:
        """Ends those that stand."""


class AssignmentLists(Protocol):
    """Who may pay with what, for those who say so."""

    async def accounts(self, caller: Principal, request: PageRequest) -> Page[tuple[Key, bool]]:
        """A page of assignments of accounts, with allow_exceed."""
        ...

    async def cards(self, caller: Principal, request: PageRequest) -> Page[Key]:
        """A page of assignments of cards, as far as the caller sees them."""
        ...

    async def types(self, caller: Principal, request: PageRequest) -> Page[TypeKey]:
        """A page of assignments of declared types."""
        ...


class RequestStore(Protocol):
    """Outcomes of idempotent requests."""

    async def find(self, request: RequestKey | None) -> Outcome | None:
        """The outcome of an earlier call. A request without an id is always new."""

    async def claim(self, request: RequestKey | None, outcome: Outcome, now: datetime) -> Outcome | None:
        """Records the outcome; or returns that of an earlier call."""


class UnsettledPayments(Protocol):
    """Payments with something open."""

    async def page(self, request: PageRequest) -> Page[Payment]:
        """A page, those that changed longest ago first, and the token of the next."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One side of a movement, as it is listed; the amount in micros."""

    number: int
    transaction_id: str
    account: str
    amount: int
    currency: str
    order_id: str
    payment_id: str
    description: str
    entry_time: datetime
    user_id: str = ""
    """Who asked for it, where it belongs to no payment."""
    request_id: str = ""


class LedgerEntries(Protocol):
    """The ledger, for those who read it."""

    async def page(self, request: PageRequest) -> Page[LedgerEntry]:
        """A page, oldest first, and the token of the next."""


class PaymentWork(Protocol):
    """The stores of payment in one transaction. Rows are locked in one order: attempts, payments, accounts, redirects."""

    @property
    def payments(self) -> PaymentStore: ...
    @property
    def attempts(self) -> AttemptStore: ...
    @property
    def redirects(self) -> RedirectStore: ...
    @property
    def means(self) -> MeansStore: ...
    @property
    def assignments(self) -> AssignmentStore: ...
    @property
    def types(self) -> TypeStore: ...
    @property
    def alerts(self) -> AlertStore: ...
    @property
    def requests(self) -> RequestStore: ...
    @property
    def unsettled(self) -> UnsettledPayments: ...


Units = UnitsOfWork[PaymentWork]
