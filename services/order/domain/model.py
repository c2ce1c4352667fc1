"""The buyer order as values. Amounts are micros (10^-6) of the order's currency."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from libs.json_value import JsonObject
from services.order.domain.choice import Choice
from services.order.domain.discounts import Discount
from services.order.domain.exemptions import TaxExemption
from services.order.domain.fees import Fee, fee_tax, fee_total
from services.order.domain.policy import Policy
from services.order.domain.price_steps import PriceStep
from services.order.domain.product_snapshot import ProductSnapshot
from services.order.domain.status import OrderStatus
from waybill.order.v1.reasons import ReasonName

MAX_LINES = 5_000
"""Most lines on one order."""
MAX_QUANTITY = 1_000_000
"""Most units on one line."""

Address = Mapping[str, str | Sequence[str]]
"""A postal address as stored: the fields of waybill.type.v1.Address by name."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order. Amounts are zero until the order is calculated."""

    id: str
    position: int
    product_id: str
    quantity: int
    product: ProductSnapshot
    create_time: datetime
    unit_price: int = 0
    subtotal: int = 0
    discount: int = 0
    tax: int = 0
    tax_rate: Decimal = Decimal(0)
    price_schedule_id: str = ""
    unit_price_override: int | None = None
    discount_override: int | None = None
    shipping_address_id: str = ""
    shipping_address: Address | None = None
    pickup_location_id: str = ""
    inventory_record_id: str = ""
    quantity_shipped: int = 0
    quantity_canceled: int = 0
    date_needed: datetime | None = None
    xp: JsonObject = field(default_factory=dict)
    discounts: tuple[Discount, ...] = ()
    """What the discount is the sum of."""
    line_mark_up: int = 0
    """What options add once to the line, whatever its quantity."""
    price_steps: tuple[PriceStep, ...] = ()
    """What unit price and `line_mark_up` are the sums of; empty until calculated."""
    cost_center: str = ""
    shipping_account: str = ""
    comments: str = ""
    variant_id: str = ""
    choices: tuple[Choice, ...] = ()
    """What it has of each spec of its product, in the order of the specs."""
    tax_included: bool = False
    """Whether its price includes its tax: `tax` is only what comes on top."""
    included_tax: int = 0
    """What of subtotal less discount is tax."""
    quantity_backordered: int = 0
    expected_time: datetime | None = None

    @property
    def total(self) -> int:
        """Subtotal less discount plus tax."""
        return self.subtotal - self.discount + self.tax

    def shippable_address_missing(self, order: Order) -> bool:
        """Whether the line has to be delivered and nobody said where to."""
        delivered = self.product.shippable and not self.pickup_location_id
        return delivered and self.shipping_address is None and order.shipping_address is None


@dataclass(frozen=True, slots=True)
class OrderUser:
    """The ordering user, as a snapshot."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that stands against an attempt or a step of a checkout, whichever context found it."""

    reason: ReasonName
    context: str
    subject: str
    description: str
    contended: bool = False


@dataclass(frozen=True, slots=True)
class CanceledAmounts:
    """What units that were canceled after the submit had been sold for."""

    subtotal: int = 0
    discount: int = 0
    shipping_cost: int = 0
    tax: int = 0
    gratuity: int = 0
    included_tax: int = 0
    """What of them is tax that prices included."""
    fee_total: int = 0

    @property
    def total(self) -> int:
        """Subtotal less discount plus shipping cost plus tax plus fees plus gratuity."""
        return self.subtotal - self.discount + self.shipping_cost + self.tax + self.fee_total + self.gratuity


@dataclass(frozen=True, slots=True)
class Submission:
    """One attempt to submit or to change an order, as it is shown on its order."""

    attempt: int
    state: str
    finished: bool
    user_id: str
    begin_time: datetime
    deadline: datetime
    reasons: tuple[Problem, ...] = ()
    decide_time: datetime | None = None
    kind: str = "SUBMIT"
    """SUBMIT or CHANGE."""
    outcome: str = ""
    """What an accepted one has led to: OPENED or CHANGED."""

    @property
    def undecided(self) -> bool:
        """Whether the decision is still to come."""
        return self.state == "TRYING"


@dataclass(frozen=True, slots=True)
class OrderHold:
    """Why nothing of an open order is packed or shipped, until it is released."""

    id: str
    type: str
    """MANUAL or PAYMENT."""
    create_time: datetime
    payment_id: str = ""
    comment: str = ""
    user_id: str = ""
    release_time: datetime | None = None
    release_user_id: str = ""
    release_comment: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """A buyer order without its lines and worksheet."""

    key: uuid.UUID
    id: str
    seller_id: str
    buyer_id: str
    user: OrderUser
    created_by: str
    client_id: str
    currency: str
    status: OrderStatus
    policy: Policy
    create_time: datetime
    update_time: datetime
    version: int = 1
    content_version: int = 1
    estimated_version: int = 0
    calculated_version: int = 0
    is_submitted: bool = False
    guest: bool = False
    """Whether it is a guest's: its user is one that guests share, named as the guest calls itself."""
    sub_status: str = ""
    """The one of the marketplace's own that it is in; empty for none."""
    sub_status_time: datetime | None = None
    """When it entered that."""
    status_before: OrderStatus = field(default=OrderStatus.UNSUBMITTED, compare=False)
    """The status after its last change."""
    initial_sub_statuses: Mapping[OrderStatus, str] = field(default_factory=dict, compare=False)
    """By status the sub-status that an order enters with it, where there is one."""
    line_item_count: int = 0
    subtotal: int = 0
    discount: int = 0
    shipping_cost: int = 0
    tax: int = 0
    gratuity: int = 0
    """What the buyer gives beside the price; never taxed, and the seller's alone."""
    fees: tuple[Fee, ...] = ()
    """Charged by the seller beside goods and shipping, and the seller's alone; their tax is in `tax`."""
    total: int = 0
    canceled: CanceledAmounts = CanceledAmounts()
    """Of what was sold. The amounts above stay: less these they are what is due."""
    shipping_cost_override: int | None = None
    tax_override: int | None = None
    shipping_address_id: str = ""
    shipping_address: Address | None = None
    billing_address_id: str = ""
    billing_address: Address | None = None
    comments: str = ""
    xp: JsonObject = field(default_factory=dict)
    submission: Submission | None = None
    included_tax: int = 0
    """What of lines and shipping is tax that their prices include; `tax` comes on top."""
    tax_exemptions: tuple[TaxExemption, ...] = ()
    """Those of the buyer that its amounts are calculated with, as the directory said it last."""
    holds: tuple[OrderHold, ...] = ()
    """Released ones too."""
    submit_time: datetime | None = None
    approve_time: datetime | None = None
    decline_time: datetime | None = None
    forward_time: datetime | None = None
    complete_time: datetime | None = None
    cancel_time: datetime | None = None

    @property
    def due(self) -> int:
        """What the buyer owes in all."""
        return self.total - self.canceled.total

    @property
    def wholly_canceled(self) -> CanceledAmounts:
        """Its canceled amounts once nothing of it is left."""
        its = (self.subtotal, self.discount, self.shipping_cost, self.tax, self.gratuity, self.included_tax, self.fee_total)
        return CanceledAmounts(*its)

    @property
    def fee_total(self) -> int:
        """Sum of the fees, without their tax."""
        return fee_total(self.fees)

    @property
    def fee_tax(self) -> int:
        """The part of the tax that is on fees."""
        return fee_tax(self.fees)

    @property
    def calculated(self) -> bool:
        """Whether the amounts are those of the order as it stands."""
        return self.calculated_version == self.content_version

    @property
    def held(self) -> bool:
        """Whether a hold is in force."""
        return any(hold.release_time is None for hold in self.holds)

    @property
    def estimated(self) -> bool:
        """Whether the ship estimates are those of the order as it stands."""
        return self.estimated_version == self.content_version


@dataclass(frozen=True, slots=True)
class Origin:
    """The call that made an event. The store notes it; for background work it is empty, but for the impersonator of whoever began
    that."""

    client_id: str = ""
    request_id: str = ""
    """The id of the call, as logs name it."""
    impersonator_id: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an order; its sequence is the order's version at that moment."""

    order_key: uuid.UUID
    sequence: int
    type: str
    status: str
    user_id: str
    party_id: str
    time: datetime
    data: JsonObject = field(default_factory=dict)
    facts: JsonObject = field(default_factory=dict)
    """What the order was after it. Kept for the inspection and never shown: `data` is what callers see."""
    origin: Origin = Origin()
