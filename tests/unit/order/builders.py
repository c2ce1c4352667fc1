"""Orders and lines with defaults."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from services.order.domain.model import Line, Order, OrderUser
from services.order.domain.policy import Policy
from services.order.domain.product_snapshot import ProductSnapshot
from services.order.domain.status import OrderStatus

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def order(**fields: Any) -> Order:
    """A calculated, unsubmitted order."""
    made = Order(
        key=uuid.UUID(int=1),
        id="PO1",
        seller_id="seller",
        buyer_id="acme",
        user=OrderUser("ada"),
        created_by="ada",
        client_id="shop",
        currency="USD",
        status=OrderStatus.UNSUBMITTED,
        policy=Policy(),
        create_time=NOW,
        update_time=NOW,
        content_version=1,
        calculated_version=1,
        estimated_version=1,
        shipping_address={"city": "Oakland", "country": "US"},
    )
    return replace(made, **fields)


def line(id: str = "l1", quantity: int = 1, shippable: bool = True, **fields: Any) -> Line:
    """A line of an active product."""
    product = ProductSnapshot("Anvil", shippable=shippable)
    made = Line(id=id, position=1, product_id="anvil", quantity=quantity, product=product, create_time=NOW)
    return replace(made, **fields)
