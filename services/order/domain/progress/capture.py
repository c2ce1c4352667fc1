"""Capture on shipment: what of an order its payments have to have taken by now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from services.order.domain.model import Line, Order
from services.order.domain.policy import Capture

SOON = timedelta(seconds=1)
"""The shortest time until payment is asked again about what is missing."""
RARELY = timedelta(minutes=5)
"""The longest."""


def captured_on_shipment(order: Order) -> bool:
    """Whether its cards are charged as units leave."""
    return order.is_submitted and order.policy.capture is Capture.ON_SHIPMENT


def due_for_shipped(order: Order, lines: Sequence[Line], of_supplier_orders: Iterable[int]) -> int:
    """What has shipped of an order, by what each supplier order has shipped of it.

    What stays with the seller (fees with their tax, the gratuity) is due as soon as anything has shipped: only an order of which
    nothing has shipped gives it back.
    """
    if not any(line.quantity_shipped for line in lines):
        return 0
    return sum(of_supplier_orders) + order.fee_total + order.fee_tax + order.gratuity


def next_look(begin_time: datetime, now: datetime) -> datetime:
    """When payment is asked again: after as long as has been waited, so that what waits for a person is asked about rarely."""
    return now + min(max(now - begin_time, SOON), RARELY)
