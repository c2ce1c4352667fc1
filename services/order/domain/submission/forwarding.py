"""What of an order goes to its suppliers as soon as it opens, and what waits for ForwardOrder."""

from __future__ import annotations

from collections.abc import Sequence

from services.order.domain.model import Line, Order
from services.order.domain.policy import AutoForward
from services.order.domain.status import OrderStatus


def kept_back(order: Order, lines: Sequence[Line]) -> list[str]:
    """Ids of the lines that stay with the seller although the order is forwarded: those whose products say so, as they were when
    the order last read them, where the channel forwards by product.
    """
    if order.policy.auto_forward is not AutoForward.BY_PRODUCT:
        return []
    return [line.id for line in lines if not line.product.auto_forward]


def may_be_unforwarded(order: Order) -> bool:
    """Whether something may still be forwarded: nothing of the order was, or it is one that is forwarded line by line. Once such
    an order has ended there is nothing to forward.
    """
    if order.forward_time is None:
        return True
    return order.policy.auto_forward is AutoForward.BY_PRODUCT and order.status is OrderStatus.OPEN
