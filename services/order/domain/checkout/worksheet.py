"""What a checkout has worked out for an order: the sourcing plan, the ship estimates with what is chosen, the parts
of the amounts. The parts keep their origin's form, so that they can be shown and handed on unchanged for ever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from libs.errors import Violations
from libs.json_value import JsonObject
from services.order.domain.discounts import Discount, off
from services.order.domain.model import Address
from services.order.domain.price_steps import PriceStep
from waybill.order.v1 import reasons


@dataclass(frozen=True, slots=True)
class Assignment:
    """A quantity of a line that comes from one location."""

    line_item_id: str
    product_id: str
    quantity: int
    supplier_id: str = ""
    ship_from_id: str = ""
    inventory_record_id: str = ""
    ship_from: Address | None = None
    backordered: int = 0
    """Units of these that are sold beyond the stock."""
    expected_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """One way to ship one estimate. Lead times are seconds."""

    id: str
    name: str
    carrier_id: str
    cost: int
    min_lead_seconds: int
    max_lead_seconds: int
    pickup: bool = False
    xp: JsonObject = field(default_factory=dict)
    tax_included: bool = False
    """Whether the cost includes its tax."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A group of items that travel together, the methods that can carry it, and the one chosen."""

    id: str
    supplier_id: str
    ship_from_id: str
    items: tuple[tuple[str, int], ...]
    methods: tuple[Method, ...]
    grouping: str
    weight_kg: Decimal = Decimal(0)
    selected_method_id: str = ""

    @property
    def selected(self) -> Method | None:
        """The method chosen, if any."""
        return next((m for m in self.methods if m.id == self.selected_method_id), None)


@dataclass(frozen=True, slots=True)
class LinePart:
    """What one line costs."""

    line_item_id: str
    unit_price: int
    subtotal: int
    discounts: tuple[Discount, ...]
    discount: int
    tax: int
    tax_rate: Decimal
    price_schedule_id: str
    price_overridden: bool = False
    on_sale: bool = False
    line_mark_up: int = 0
    price_steps: tuple[PriceStep, ...] = ()
    """Empty only where it was worked out before steps were kept."""
    tax_included: bool = False
    included_tax: int = 0
    """What of subtotal less discount is tax, where the price includes it; `tax` comes on top."""


@dataclass(frozen=True, slots=True)
class ShippingPart:
    """What shipping one estimate costs; its tax is on what the discounts leave."""

    ship_estimate_id: str
    cost: int
    tax: int
    tax_rate: Decimal
    discounts: tuple[Discount, ...] = ()
    tax_included: bool = False
    included_tax: int = 0
    """What of the net is tax, where the cost includes it; `tax` comes on top."""
    exempted_tax: int = 0
    """Tax that the cost as it was asked for included, and that an exempt buyer is not charged: it is not in `cost`."""

    @property
    def discount(self) -> int:
        """Sum of the discounts."""
        return off(self.discounts)

    @property
    def net(self) -> int:
        """Cost less discounts: what is charged, and taxed."""
        return self.cost - self.discount


@dataclass(frozen=True, slots=True)
class LineCost:
    """What a supplier that may fulfill a line is paid for a unit of it. Only the seller and that supplier are to know."""

    line_item_id: str
    supplier_id: str
    unit_cost: int


@dataclass(frozen=True, slots=True)
class Worksheet:
    """Everything worked out; empty parts have not been worked out yet."""

    plan: tuple[Assignment, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    estimate_time: datetime | None = None
    lines: tuple[LinePart, ...] = ()
    shipments: tuple[ShippingPart, ...] = ()
    price_time: datetime | None = None
    costs: tuple[LineCost, ...] = ()

    def with_estimates(self, plan: Sequence[Assignment], estimates: Sequence[Estimate], time: datetime) -> Worksheet:
        """The worksheet with new estimates; a selection that is still offered by the same group is kept."""
        chosen = {e.id: e.selected_method_id for e in self.estimates}
        kept = tuple(
            replace(e, selected_method_id=chosen[e.id]) if e.id in chosen and any(m.id == chosen[e.id] for m in e.methods) else e
            for e in estimates
        )
        return replace(self, plan=tuple(plan), estimates=kept, estimate_time=time)


def select(worksheet: Worksheet, selections: Iterable[tuple[str, str]]) -> Worksheet:
    """The worksheet with methods selected; estimates that are not named keep theirs.

    Raises `SHIP_ESTIMATE_NOT_FOUND`, `SHIP_METHOD_NOT_OFFERED` and `DUPLICATE_ITEM`, all at once.
    """
    found = Violations()
    by_id = {e.id: e for e in worksheet.estimates}
    chosen: dict[str, str] = {}
    for i, (estimate_id, method_id) in enumerate(selections):
        estimate = by_id.get(estimate_id)
        if estimate is None:
            found.add(
                f"selections[{i}].ship_estimate_id", reasons.SHIP_ESTIMATE_NOT_FOUND, f"there is no ship estimate {estimate_id!r}"
            )
        elif not any(m.id == method_id for m in estimate.methods):
            found.add(
                f"selections[{i}].ship_method_id",
                reasons.SHIP_METHOD_NOT_OFFERED,
                f"estimate {estimate_id} does not offer {method_id!r}",
            )
        elif estimate_id in chosen:
            found.add(f"selections[{i}].ship_estimate_id", reasons.DUPLICATE_ITEM, "the estimate is named twice")
        else:
            chosen[estimate_id] = method_id
    found.raise_if_any()
    estimates = tuple(replace(e, selected_method_id=chosen[e.id]) if e.id in chosen else e for e in worksheet.estimates)
    return replace(worksheet, estimates=estimates)


def select_by_preference(worksheet: Worksheet, wanted: Sequence[str], fastest: bool) -> Worksheet:
    """The worksheet with a method for every estimate: the first wanted one on offer, else the cheapest or fastest."""

    def choice(estimate: Estimate) -> str:
        offered = {m.id for m in estimate.methods}
        for method_id in wanted:
            if method_id in offered:
                return method_id
        if not estimate.methods:
            return ""
        if fastest:
            return min(estimate.methods, key=lambda m: (m.max_lead_seconds, m.cost, m.id)).id
        return min(estimate.methods, key=lambda m: (m.cost, m.max_lead_seconds, m.id)).id

    return replace(worksheet, estimates=tuple(replace(e, selected_method_id=choice(e)) for e in worksheet.estimates))
