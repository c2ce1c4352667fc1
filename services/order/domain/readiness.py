"""What keeps an order from being submitted, as far as the order itself and the facts about its parts can tell.

Prices, stock and money are judged by their owners; this judges the rest. All reasons are listed, not only the first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from services.order.domain.model import Line, Order, Policy, Reason
from services.order.domain.worksheet import Worksheet

CONTEXT = "order"


@dataclass(frozen=True, slots=True)
class Facts:
    """What others say about an order's parts at the moment of the attempt."""

    buyer_active: bool
    user_active: bool
    policy: Policy
    orderable_products: Collection[str]
    """Ids of the order's products that exist, are visible to the buyer and active."""


def reasons(order: Order, lines: Sequence[Line], worksheet: Worksheet, facts: Facts) -> list[Reason]:
    """Everything that is wrong, most general first."""
    return [
        *_parties(order, facts),
        *_contents(order, lines, facts),
        *_shipping(order, lines, worksheet, facts.policy),
        *_amounts(order),
    ]


def _reason(reason: str, subject: str, description: str) -> Reason:
    return Reason(reason, CONTEXT, subject, description)


def _parties(order: Order, facts: Facts) -> Iterator[Reason]:
    if not facts.buyer_active:
        yield _reason("BUYER_INACTIVE", "from_party", f"buyer {order.buyer_id} may not order")
    if not facts.user_active:
        yield _reason("BUYER_INACTIVE", "from_user", f"user {order.user.id} may not order")


def _contents(order: Order, lines: Sequence[Line], facts: Facts) -> Iterator[Reason]:
    if not lines:
        yield _reason("ORDER_EMPTY", "line_items", "an order needs at least one line")
    for line in lines:
        if line.product_id not in facts.orderable_products:
            yield _reason("PRODUCT_INACTIVE", f"line_items[{line.id}]", f"product {line.product_id} may not be ordered")
        if line.shippable_address_missing(order):
            yield _reason("SHIPPING_ADDRESS_MISSING", f"line_items[{line.id}]", "the line has no address to ship to")


def _shipping(order: Order, lines: Sequence[Line], worksheet: Worksheet, policy: Policy) -> Iterator[Reason]:
    if worksheet.estimates and not order.estimated:
        yield _reason("SHIP_ESTIMATE_STALE", "ship_estimates", "the order changed since shipping was estimated")
    if not policy.require_ship_methods or order.shipping_cost_override is not None:
        return
    covered = {item for e in worksheet.estimates if e.selected is not None for item, _ in e.items}
    waiting = {item for e in worksheet.estimates if e.selected is None for item, _ in e.items}
    for line in lines:
        if line.product.shippable and (line.id in waiting or line.id not in covered):
            yield _reason("SHIP_METHOD_MISSING", f"line_items[{line.id}]", "no ship method is selected")


def _amounts(order: Order) -> Iterator[Reason]:
    if not order.calculated:
        yield _reason("ORDER_NOT_CALCULATED", "calculation", "the order was not calculated since it last changed")
