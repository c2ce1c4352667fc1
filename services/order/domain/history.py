"""Every change of an order bumps its version by one and leaves one event of that number: history, watch and version
tag are one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.order.domain.model import Event, Order


def changed(
    order: Order,
    type: str,
    user_id: str,
    party_id: str,
    now: datetime,
    *,
    content: bool = False,
    data: Mapping[str, Any] | None = None,
    **fields: Any,
) -> tuple[Order, Event]:
    """The order with these fields, and the event that tells of it. `content` stales estimates and calculation."""
    version = order.version + 1
    after = replace(
        order, **fields, version=version, update_time=now, content_version=version if content else order.content_version
    )
    return after, Event(
        order_key=order.key,
        sequence=version,
        type=type,
        status=after.status.value,
        user_id=user_id,
        party_id=party_id,
        time=now,
        data=dict(data or {}),
    )
