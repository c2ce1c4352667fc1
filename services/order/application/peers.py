"""What the use cases ask of the other contexts, in this service's own words. Clients under `adapters` fulfil these."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType, Protocol

from services.order.application.records import Deleted, PaymentDocument, Reports
from services.order.domain.building.cost_centers import CostCenters
from services.order.domain.building.drafts import LineDraft
from services.order.domain.building.products import Article
from services.order.domain.checkout.freight import Plan, Shippable
from services.order.domain.checkout.quotes import Asked, Quote
from services.order.domain.checkout.worksheet import Assignment, Estimate, LineCost, LinePart, ShippingPart, Worksheet
from services.order.domain.exemptions import TaxExemption
from services.order.domain.fees import Fee
from services.order.domain.model import Address, CanceledAmounts, Line, Order, OrderUser, Problem
from services.order.domain.policy import Policy

RedirectDocument = NewType("RedirectDocument", bytes)
"""The payment service's message of an authorization that waits for its buyer; handed on as it is."""


@dataclass(frozen=True, slots=True)
class StartedPayment:
    """An authorization that waits for its buyer."""

    document: RedirectDocument
    begun: bool
    """Whether it was begun by the request that asked for it; else another had begun it."""


@dataclass(frozen=True, slots=True)
class OrderingContext:
    """What the directory says about who orders and where to."""

    seller_id: str
    buyer_exists: bool
    buyer_active: bool
    currency: str
    restrict_addresses: bool
    user: OrderUser | None
    user_active: bool
    channel_active: bool
    admitted: bool
    """Whether the channel admits the buyer."""
    channel_admits: bool
    """Whether orders of the buyer come through the channel."""
    policy: Policy
    default_shipping_address: Address | None
    default_billing_address: Address | None
    shipping_addresses: Mapping[str, Address]
    """Those asked for that may be shipped to, by id."""
    billing_addresses: Mapping[str, Address]
    """The same for billing."""
    tax_exemptions: tuple[TaxExemption, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    """Origins of web pages that the channel names; empty for any."""
    cost_centers: CostCenters = field(default_factory=CostCenters)


class Directory(Protocol):
    """Parties, users, addresses, channels."""

    async def ordering_context(
        self,
        buyer_id: str,
        user_id: str,
        client_id: str,
        address_ids: Collection[str],
        guest: bool = False,
        admitting: str = "",
        cost_centers: Collection[str] = (),
    ) -> OrderingContext:
        """To a guest only what everyone of the buyer is assigned is usable. `admitting` is the channel of `admitted`, where it
        is another one; `cost_centers` are those that lines name."""
        ...

    async def buyers_of_groups(self, ids: Collection[str]) -> Mapping[str, str]:
        """Of these groups of users, at most 1,000, those that are of buyers, each with its buyer."""
        ...

    async def group_ids(self, user_id: str) -> Collection[str]:
        """The groups that the user is in now."""
        ...

    async def locations(self, seller_id: str, refs: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Address]:
        """Addresses by (supplier id, address id), as far as they exist; the empty supplier id is the seller."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """A product, and the variants that are wanted of it: that of an id, and that of the options that are chosen, by spec."""

    product_id: str
    variant_id: str = ""
    options: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def of(line: Line) -> Wanted:
        """What a line has."""
        return Wanted(line.product_id, line.variant_id)

    @staticmethod
    def by(draft: LineDraft) -> Wanted:
        """What a draft asks for."""
        options = tuple(sorted((said.spec_id, said.option_id) for said in draft.specs if said.option_id))
        return Wanted(draft.product_id, draft.variant_id, options)


@dataclass(frozen=True, slots=True)
class CatalogProduct:
    """A product as the catalog has it now."""

    id: str
    active: bool
    article: Article


class Catalog(Protocol):
    """Products, as catalogs show them to the user of the order: whoever makes it, what that user may not see is not there."""

    async def products(self, wanted: Collection[Wanted], buyer_id: str, user_id: str) -> dict[str, CatalogProduct]:
        """By id, with what there is to choose of each; of their variants those that are wanted are named."""
        ...


@dataclass(frozen=True, slots=True)
class Priced:
    """What pricing works out for an order: every part of the amounts, the costs, and when that held; or problems."""

    lines: tuple[LinePart, ...]
    shipments: tuple[ShippingPart, ...]
    time: datetime
    costs: tuple[LineCost, ...] = ()
    problems: Sequence[Problem] = ()
    fees: tuple[Fee, ...] = ()


@dataclass(frozen=True, slots=True)
class QuoteCheck:
    """What of an order's prices and rates does not hold any more; where nothing, what suppliers are paid by now."""

    problems: list[Problem]
    costs: tuple[LineCost, ...] = ()


class Pricing(Protocol):
    """Prices, discounts, tax, costs."""

    async def quote(self, order: Order, lines: Sequence[Asked]) -> Quote:
        """Prices without shipping and tax, for whom the order is: one call for all lines, and none for no line."""
        ...

    async def calculate(self, order: Order, lines: Sequence[Line], worksheet: Worksheet) -> Priced: ...
    async def check_quote(
        self, order: Order, lines: Sequence[Line], worksheet: Worksheet, attempt: int, deadline: datetime
    ) -> QuoteCheck: ...


class Shipping(Protocol):
    """Ship estimates."""

    async def check(self, order: Order, estimates: Sequence[Estimate]) -> list[Problem]:
        """Selected methods that may not be used any more; one call for all of them, none when nothing is selected."""
        ...

    async def estimate(self, order: Order, lines: Sequence[Line], plans: Sequence[Plan]) -> list[Shippable]:
        """What each plan would be shipped by; one call for all of them, none when nothing is to be shipped."""
        ...


@dataclass(frozen=True, slots=True)
class PaymentTry:
    """What the payment service answers to a step of submit."""

    problems: list[Problem]
    needs_authorization: bool = False
    pending: bool = False


class Payments(Protocol):
    """Money."""

    async def create(self, order: Order, payments: Sequence[PaymentDocument], request_id: str) -> list[PaymentDocument]:
        """Adds payments; those of an open order replace payments that need attention."""

    async def update(self, order: Order, payment: PaymentDocument, fields: Sequence[str], request_id: str) -> PaymentDocument:
        """Changes these fields of a payment; those that are set where none is named."""
        ...

    async def start(self, order: Order, payment_id: str, return_url: str, request_id: str) -> StartedPayment:
        """Begins the authorization of a payment that waits for its buyer."""
        ...

    async def remove(self, order: Order, payment_ids: Sequence[str], request_id: str) -> None: ...
    async def delete(self, order: Order) -> None:
        """Removes all payments of an order that is to be deleted as it is, and lets none come to it at this version."""

    async def prepare_deletions(self, orders: Sequence[Order]) -> Mapping[uuid.UUID, str]:
        """Asks whether orders may be deleted as they are, and lets no payment come to them at these versions; what they have
        stays. Why some may not, by their keys: one call for all."""
        ...

    async def finish_deletions(self, deleted: Sequence[Deleted]) -> Mapping[uuid.UUID, str]:
        """Removes the payments of orders that are gone, and the cards that guests noted for them; why those of some stay."""
        ...

    async def of_orders(self, keys: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[PaymentDocument]]: ...
    async def reserve(
        self,
        order: Order,
        attempt: int,
        deadline: datetime,
        validate_only: bool,
        policy: Policy,
        new_payments: Sequence[PaymentDocument],
    ) -> PaymentTry: ...
    async def authorize(self, key: uuid.UUID, attempt: int, deadline: datetime) -> PaymentTry: ...
    async def confirm(self, key: uuid.UUID, attempt: int) -> None: ...
    async def release(self, key: uuid.UUID, attempt: int) -> None: ...
    async def void(self, key: uuid.UUID) -> None: ...
    async def lower(self, order: Order, attempt: int) -> None:
        """Lowers what the payments stand for to what is due; what was taken beyond it goes back."""

    async def capture_shipped(self, key: uuid.UUID, shipped: int, currency: str) -> int:
        """Takes what is missing of what has shipped so far; what is missing still."""
        ...


class Fulfillment(Protocol):
    """Stock and supplier orders."""

    async def plan(self, order: Order, lines: Sequence[Line], compare: bool = False) -> tuple[tuple[Plan, ...], list[Problem]]:
        """Where every unit would come from: one plan, and others after it where the freight decides or they are compared."""
        ...

    async def reserve(
        self,
        order: Order,
        lines: Sequence[Line],
        plan: Sequence[Assignment],
        attempt: int,
        deadline: datetime,
        validate_only: bool,
    ) -> list[Problem]: ...
    async def confirm(self, order: Order, lines: Sequence[Line], worksheet: Worksheet, attempt: int) -> Reports: ...
    async def release(self, key: uuid.UUID, attempt: int) -> None: ...
    async def forward(self, key: uuid.UUID) -> Reports: ...
    async def freeze(self, key: uuid.UUID) -> Reports: ...
    async def unfreeze(self, key: uuid.UUID) -> Reports: ...
    async def cancel(self, key: uuid.UUID) -> Reports: ...
    async def try_change(self, key: uuid.UUID, attempt: int, deadline: datetime) -> CanceledAmounts:
        """Freezes what is open; what will have been canceled of the whole order."""

    async def apply_change(self, key: uuid.UUID, attempt: int) -> Reports: ...
    async def release_change(self, key: uuid.UUID, attempt: int) -> Reports: ...
    async def hold(self, key: uuid.UUID, held: bool, version: int) -> Reports: ...


@dataclass(frozen=True, slots=True)
class Peers:
    """The other contexts."""

    directory: Directory
    catalog: Catalog
    pricing: Pricing
    shipping: Shipping
    fulfillment: Fulfillment
    payments: Payments
