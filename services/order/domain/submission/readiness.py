"""What keeps an order from being submitted, as far as the order itself and the facts about its parts show.

Prices, stock and money are judged by their owners; this judges the rest. All reasons are listed, not only the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.order.domain.building.cost_centers import CostCenters, refusal
from services.order.domain.building.products import Article, changes
from services.order.domain.checkout.taxation import Places
from services.order.domain.checkout.worksheet import Worksheet
from services.order.domain.exemptions import TaxExemption, held
from services.order.domain.model import Address, Line, Order, Problem
from services.order.domain.policy import Policy
from waybill.order.v1 import reasons

CONTEXT = "order"


@dataclass(frozen=True, slots=True)
class Facts:
    """What others say about an order's parts at the moment of the attempt."""

    buyer_active: bool
    user_active: bool
    policy: Policy
    products: Mapping[str, Article]
    """The order's products that exist, are visible to the buyer and active, as they are now."""
    channel_active: bool = True
    channel_admits: bool = True
    currency: str = ""
    """What the buyer orders in; empty when there is no such buyer."""
    restrict_addresses: bool = False
    shipping_addresses: Mapping[str, Address] = field(default_factory=dict)
    """The addresses of the buyer's book that the order names and its user may ship to, as they are now."""
    billing_addresses: Mapping[str, Address] = field(default_factory=dict)
    """The same for billing."""
    tax_exemptions: tuple[TaxExemption, ...] = ()
    cost_centers: CostCenters = field(default_factory=CostCenters)
    """What the lines may name."""


def objections(order: Order, lines: Sequence[Line], worksheet: Worksheet, facts: Facts, now: datetime) -> list[Problem]:
    """Everything that is wrong, most general first. Promises of others must hold at `now`."""
    return [
        *_parties(order, facts),
        *_contents(order, lines, facts),
        *_addresses(order, lines, facts),
        *_cost_centers(lines, facts.cost_centers),
        *_shipping(order, lines, worksheet, facts.policy, now),
        *_amounts(order),
        *_exemptions(order, lines, worksheet, facts, now),
    ]


def _reason(reason: reasons.ReasonName, subject: str, description: str) -> Problem:
    return Problem(reason, CONTEXT, subject, description)


def _parties(order: Order, facts: Facts) -> Iterator[Problem]:
    if not facts.buyer_active:
        yield _reason(reasons.BUYER_INACTIVE, "from_party", f"buyer {order.buyer_id} may not order")
    if not facts.user_active:
        yield _reason(reasons.BUYER_INACTIVE, "from_user", f"user {order.user.id} may not order")
    if not facts.channel_active:
        yield _reason(reasons.CHANNEL_INACTIVE, "client_id", f"nothing is ordered through {order.client_id} any more")
    elif not facts.channel_admits:
        text = f"{order.client_id} is no way to order for buyer {order.buyer_id} any more"
        yield _reason(reasons.CHANNEL_CLOSED_TO_BUYER, "client_id", text)
    if facts.currency and facts.currency != order.currency:
        yield _reason(reasons.CURRENCY_MISMATCH, "currency", f"this buyer orders in {facts.currency} by now")


def _contents(order: Order, lines: Sequence[Line], facts: Facts) -> Iterator[Problem]:
    if not lines:
        yield _reason(reasons.ORDER_EMPTY, "line_items", "an order needs at least one line")
    for line in lines:
        present = facts.products.get(line.product_id)
        if present is None:
            yield _reason(reasons.PRODUCT_INACTIVE, f"line_items[{line.id}]", f"product {line.product_id} may not be ordered")
        elif (judged := present.judged(line)).switched_off:
            text = f"variant {line.variant_id} of product {line.product_id} may not be ordered"
            yield _reason(reasons.PRODUCT_INACTIVE, f"line_items[{line.id}]", text)
        elif names := changes(line, present, judged):
            text = f"product {line.product_id} has changed: {', '.join(names)}"
            yield _reason(reasons.PRODUCT_CHANGED, f"line_items[{line.id}]", text)
        if line.shippable_address_missing(order):
            yield _reason(reasons.SHIPPING_ADDRESS_MISSING, f"line_items[{line.id}]", "the line has no address to ship to")


def _addresses(order: Order, lines: Sequence[Line], facts: Facts) -> Iterator[Problem]:
    """Addresses as the book has them: they may be taken away, changed, or no longer be free to choose."""
    named = [("shipping_address", "ship", order.shipping_address_id, order.shipping_address)]
    named += [("billing_address", "bill", order.billing_address_id, order.billing_address)]
    named += [(f"line_items[{line.id}]", "ship", line.shipping_address_id, line.shipping_address) for line in lines]
    for subject, use, id, remembered in named:
        if id:
            book = facts.billing_addresses if use == "bill" else facts.shipping_addresses
            present = book.get(id)
            if present is None:
                yield _reason(reasons.ADDRESS_NOT_FOUND, subject, f"there is no address {id!r} that this user may {use} to")
            elif _place(present) != _place(remembered or {}):
                yield _reason(reasons.ADDRESS_CHANGED, subject, f"the book has another address {id!r} by now")
        elif remembered is not None and facts.restrict_addresses:
            yield _reason(reasons.ADDRESS_RESTRICTED, subject, "this buyer ships to assigned addresses of its book only")


def _cost_centers(lines: Sequence[Line], centers: CostCenters) -> Iterator[Problem]:
    """Cost centers may be switched off or taken away, or the buyer may have got its first one, since the line was written."""
    for line in lines:
        if not centers.allow(line.cost_center):
            yield _reason(reasons.COST_CENTER_NOT_ALLOWED, f"line_items[{line.id}]", refusal(line.cost_center))


def _place(address: Address) -> dict[str, object]:
    """Where and to whom; a telephone number and what the owner calls it decide nothing."""
    return {name: value for name, value in address.items() if value and name not in ("id", "label", "phone")}


def _shipping(order: Order, lines: Sequence[Line], worksheet: Worksheet, policy: Policy, now: datetime) -> Iterator[Problem]:
    if worksheet.estimates and not order.estimated:
        yield _reason(reasons.SHIP_ESTIMATE_STALE, "ship_estimates", "the order changed since shipping was estimated")
    elif order.shipping_cost_override is None and not _freight_kept(worksheet, policy, now):
        yield _reason(
            reasons.SHIP_ESTIMATE_STALE, "ship_estimates", "shipping was estimated too long ago for its price to be kept"
        )
    if not policy.require_ship_methods or order.shipping_cost_override is not None:
        return
    covered = {item for e in worksheet.estimates if e.selected is not None for item, _ in e.items}
    waiting = {item for e in worksheet.estimates if e.selected is None for item, _ in e.items}
    for line in lines:
        if line.product.shippable and (line.id in waiting or line.id not in covered):
            yield _reason(reasons.SHIP_METHOD_MISSING, f"line_items[{line.id}]", "no ship method is selected")


def _exemptions(order: Order, lines: Sequence[Line], worksheet: Worksheet, facts: Facts, now: datetime) -> Iterator[Problem]:
    """The buyer's exemptions where the order is taxed are those that it was built with. That one has ended, pricing sees."""
    if not (order.tax_exemptions or facts.tax_exemptions):
        return
    places = Places(order, lines, worksheet.plan)
    taxed = {str(place.get("country", "")) for line in lines if (place := places.of_line(line)) is not None}
    if held(order.tax_exemptions, taxed, now) != held(facts.tax_exemptions, taxed, now):
        yield _reason(reasons.TAX_CHANGED, "order", "the buyer is exempt from other taxes by now")


def _freight_kept(worksheet: Worksheet, policy: Policy, now: datetime) -> bool:
    """Whether the prices of what is selected are still promised."""
    made = worksheet.estimate_time
    if made is None or all(e.selected is None for e in worksheet.estimates):
        return True
    return now <= made + timedelta(seconds=policy.estimate_valid_seconds)


def _amounts(order: Order) -> Iterator[Problem]:
    if not order.calculated:
        yield _reason(reasons.ORDER_NOT_CALCULATED, "calculation", "the order was not calculated since it last changed")
